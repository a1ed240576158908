"""Requests written byte by byte, as no client library would, and what must be said of every answer."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

TIMEOUT = 20  # seconds for a whole answer
LARGE = 60_000
"""Bytes of a body. What the server leaves unread of a larger one resets the connection, and the answer may be lost."""
ERROR = {"status_code", "timestamp", "code", "message"}
"""The four members of every error's body."""
Header = tuple[bytes, bytes]


@dataclass(frozen=True)
class Request:
    """One request. `headers` are sent as they are, after Host and the key's."""

    method: bytes
    target: bytes
    headers: tuple[Header, ...] = ()
    body: bytes = field(default=b"", repr=False)
    tale: tuple[str, ...] = ()
    """What is odd about it, for people."""
    is_http: bool = True
    """False: it breaks the rules of HTTP itself, so that the server may refuse it before we see it."""

    def __str__(self) -> str:
        return f"{self.method.decode('latin-1')} {self.target[:200]!r} ({', '.join(filter(None, self.tale))})"

    def told(self, what: str, **changes: Any) -> Request:
        return replace(self, tale=(*self.tale, what), **changes)

    def having(self, name: bytes, value: bytes) -> Request:
        """With this header, in the place of others of the name."""
        kept = tuple(header for header in self.headers if header[0].lower() != name.lower())
        return replace(self, headers=(*kept, (name, value)))

    def raw(self, host: str) -> bytes:
        names = {name.lower() for name, _ in self.headers}
        before = [] if b"host" in names else [(b"Host", host.encode())]
        measured = b"content-length" in names or b"transfer-encoding" in names
        after = [] if measured or not self.body else [(b"Content-Length", b"%d" % len(self.body))]
        lines = [b"%b: %b" % header for header in (*before, *self.headers, *after, (b"Connection", b"close"))]
        return b"\r\n".join([b"%b %b HTTP/1.1" % (self.method, self.target), *lines, b"", self.body])


@dataclass(frozen=True)
class Answer:
    """What came back; status 0: nothing that is HTTP."""

    status: int
    content_type: str = ""
    body: bytes = field(default=b"", repr=False)


def send(request: Request, base: str) -> Answer:
    """One connection for one request; it is said that no more will be sent. `base`: http://host:port."""
    where = urlsplit(base)
    with socket.create_connection((where.hostname, where.port), TIMEOUT) as connection:
        try:
            connection.sendall(request.raw(where.netloc))
            connection.shutdown(socket.SHUT_WR)
        except OSError:  # it may answer, and hang up, before it has read all
            pass
        return _read(connection, request.method)


def _read(connection: socket.socket, method: bytes) -> Answer:
    response = http.client.HTTPResponse(connection, method=method.decode("latin-1"))
    try:
        response.begin()
        body = response.read()
    except (http.client.HTTPException, OSError):
        return Answer(0)
    return Answer(response.status, response.headers.get("Content-Type", ""), body)


def faults(request: Request, answer: Answer, secret: str) -> Iterator[str]:
    """What is wrong with the answer."""
    if answer.status >= 500 or not answer.status and request.is_http and len(request.body) < LARGE:
        yield f"was answered with {answer.status or 'nothing'}"
    if secret.encode() in answer.body:
        yield "was answered with the key"
    if answer.status >= 400 and request.is_http and request.method != b"HEAD":
        yield from _of_error(answer)


def _of_error(answer: Answer) -> Iterator[str]:
    try:
        body = json.loads(answer.body)
    except ValueError:
        body = None
    if not isinstance(body, dict) or not body.keys() >= ERROR or body["status_code"] != answer.status:
        yield f"was answered with {answer.status} and another body than that of our errors"
    elif answer.content_type != "application/json":
        yield f"was answered with JSON as {answer.content_type or 'nothing'}"

"""One request under way: what libcurl's callbacks see of it, and what they keep of the answer."""

from __future__ import annotations

import errno
import socket
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import pycurl
from requests import PreparedRequest

from .routes import Route

T = TypeVar("T")

HEADER_BYTES = 64 * 1024
"""Bytes of header lines read at most, those of 1xx answers and trailers included."""

HEADER_LINES = 256
"""Header lines read at most, counted alike: thousands of short ones would cost a megabyte and 40 ms of CPU."""

OUT_OF_RESOURCES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL})
"""Errors of the system that are about us, not about the receiver."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds: `connect_timeout` for TCP and TLS, `timeout` for everything, DNS included. Bytes of the answer's body:
    at most `body_bytes` are read, the first `keep_bytes` are kept."""

    connect_timeout: float
    timeout: float
    body_bytes: int = 64 * 1024
    keep_bytes: int = 4 * 1024


class Exchange(Generic[T]):
    """A request under way: what is sent, what has come back so far."""

    __slots__ = (
        "began", "body", "body_size", "complete", "connect_to", "content", "deadline", "dialled", "exhausted",
        "header_count", "header_size", "key", "limits", "lines", "overflowed", "refused", "request", "route",
        "stalled", "truncated",
    )  # fmt: skip

    def __init__(self, key: T, request: PreparedRequest, limits: Limits, route: Route, began: float) -> None:
        self.key = key
        self.request = request
        self.limits = limits
        self.content = _body(request)
        self.route = route
        self.connect_to = route.connect_to
        self.began = self.dialled = began
        self.deadline = self.began + limits.timeout
        self.lines: list[bytes] = []
        self.body: list[bytes] = []
        self.header_size = self.header_count = self.body_size = 0
        self.complete = self.overflowed = self.truncated = self.refused = self.exhausted = self.stalled = False

    def open_socket(self, _purpose: int, address: Any) -> Any:
        """libcurl is about to dial `address`: the last and the binding look at it, whatever DNS said before."""
        allowed = address.family in (socket.AF_INET, socket.AF_INET6)
        if not allowed or self.route.policy.refusal(address.addr[0], address.addr[1]):
            self.refused = True
            return pycurl.SOCKET_BAD
        try:
            return _Dialling(address.family, address.socktype, address.protocol)
        except OSError as error:
            self.exhausted = error.errno in OUT_OF_RESOURCES
            return pycurl.SOCKET_BAD

    def take_header(self, line: bytes) -> int | None:
        """A header line; 0 stops the transfer. The empty line of a block that is not 1xx makes the answer count."""
        self.header_size += len(line)
        self.header_count += 1
        if self.header_size > HEADER_BYTES or self.header_count > HEADER_LINES:
            self.overflowed = True
            return 0
        if self.complete:  # trailers after a chunked body
            return None
        if line not in (b"\r\n", b"\n"):
            self.lines.append(line)
        elif self.lines and self.lines[0].partition(b" ")[2].startswith(b"1"):
            self.lines.clear()
        else:
            self.complete = True
        return None

    def take_body(self, data: bytes) -> int | None:
        """A piece of the body; 0 stops the transfer once more came than is wanted."""
        room = self.limits.keep_bytes - self.body_size
        if room > 0:
            self.body.append(data[:room])
        self.body_size += len(data)
        if self.body_size > self.limits.body_bytes:
            self.truncated = True
            return 0
        return None

    def next_deadline(self, handle: pycurl.Curl) -> float:
        """When the request times out next: for the want of a connection, or as a whole (monotonic clock)."""
        if handle.getinfo(pycurl.REQUEST_SIZE) > 0:
            return self.deadline
        return min(self.deadline, self.dialled + self.limits.connect_timeout)


class _Dialling(socket.socket):
    """A socket for libcurl, which works on a duplicate of its descriptor; this one closes with the object."""

    def __del__(self) -> None:
        self.close()


def _body(request: PreparedRequest) -> bytes:
    body = request.body
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, bytes):
        return body
    raise TypeError("A request's body must be bytes or text; a stream could not be sent again.")

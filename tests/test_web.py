"""The web server of the Procfile: what it says of what is no HTTP."""

from __future__ import annotations

import json
import re
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path

import pytest

from dotfile_hooks import settings
from dotfile_hooks.dev import supervisor
from tests.deliveries.waiting import wait_until

LISTENING = re.compile(r"Listening at: http://127\.0\.0\.1:(\d+)")
STATUS = re.compile(rb"HTTP/1\.1 (\d+)")
NOWHERE = {"DATABASE_URL": "postgres://nobody@127.0.0.1:1/none", "REDIS_URL": "redis://127.0.0.1:1/0"}


@dataclass
class Web:
    """A server that runs, and what it logs."""

    process: subprocess.Popen[bytes]
    log: Path

    def connect(self) -> socket.socket:
        (port,) = LISTENING.findall(self.log.read_text())
        return socket.create_connection(("127.0.0.1", int(port)), timeout=30)

    def answer(self, sent: bytes) -> tuple[HTTPResponse, bytes]:
        with self.connect() as connection:
            connection.sendall(sent)
            response = HTTPResponse(connection)
            response.begin()
            return response, response.read()

    def everything(self, sent: bytes) -> bytes:
        """All that comes until the server hangs up."""
        with self.connect() as connection, connection.makefile("rb") as answers:
            connection.sendall(sent)
            return answers.read()

    def is_listening(self) -> bool:
        return LISTENING.search(self.log.read_text()) is not None


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """It asks no database and no Redis for anything: there is none."""
    log = tmp_path_factory.mktemp("web") / "log"
    own = {"DEBUG": "1", "HOST": "127.0.0.1", "PORT": "0", "WEB_PROCESSES": "1", **NOWHERE}
    with log.open("w") as output:
        process = subprocess.Popen(
            ["/bin/sh", "-c", supervisor.procfile()["web"]],
            cwd=settings.BASE_DIR,
            env=supervisor.program_environment(own),
            stderr=output,
        )
    found = Web(process, log)
    wait_until(found.is_listening)
    yield found
    process.terminate()
    process.wait(30)


@pytest.mark.parametrize(
    ("sent", "status", "name"),
    [
        (b"hush\r\n\r\n", 400, "InvalidRequestLine"),
        (b"GET /v1/ping HTTP/1.1\r\nX-DOTFILE-API-KEY hush\r\n\r\n", 400, "InvalidHeader"),
        (b"GET /v1/cases?hush=" + b"a" * 5000 + b" HTTP/1.1\r\n\r\n", 414, "LimitRequestLine"),
        (b"GET /v1/ping HTTP/1.1\r\nhush: " + b"a" * 9000 + b"\r\n\r\n", 431, "LimitRequestHeaders"),
        (b"GET /v1/ping HTTP/1.1\r\nHost: localhost\r\nExpect: hush\r\n\r\n", 417, "ExpectationFailed"),
        (b"GET /v1/ping HTTP/1.1\r\nHost: localhost\r\nSCRIPT_NAME: /hush\r\n\r\n", 400, "ConfigurationProblem"),
    ],
)
def test_what_is_no_request_is_told_as_any_other_mistake_and_not_quoted(
    web: Web, sent: bytes, status: int, name: str
) -> None:
    response, content = web.answer(sent)
    told = json.loads(content)
    assert (response.status, told["status_code"]) == (status, status)
    assert set(told) == {"status_code", "timestamp", "code", "message"}
    assert (response.headers["Content-Type"], response.headers["Cache-Control"]) == ("application/json", "no-store")
    assert f"What came was no request: {name}" in web.log.read_text()
    assert "hush" not in web.log.read_text() + content.decode()


@pytest.mark.parametrize(
    "chunks", [b"hush\r\n{}\r\n", b"2\r\n{}hush\r\n", b"2;hush\x01\r\n{}\r\n", b"0\r\nhush\r\n\r\n"]
)
def test_a_body_that_nobody_read_and_that_is_none_is_no_second_answer(web: Web, chunks: bytes) -> None:
    """It would be taken for that to the next request, of whoever shares the connection behind a proxy."""
    head = b"POST /v1/no-such-address HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    told = web.everything(head + chunks)
    assert [int(status) for status in STATUS.findall(told)] == [404]
    assert "hush" not in web.log.read_text() + told.decode()

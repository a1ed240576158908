"""The receiver with a certificate."""

from __future__ import annotations

import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from bench import tls_receiver
from dotfile_hooks.dev import processes
from tests.deliveries.engine.authority import Authority


@pytest.fixture
def ports(tmp_path: Path) -> Iterator[tuple[int, int, Authority]]:
    """Of a receiver with a certificate: plain, TLS; and who signed it."""
    authority = Authority(tmp_path)
    process = subprocess.Popen([sys.executable, "-m", "bench.tls_receiver", str(tmp_path), authority.pem()])
    try:
        deadline = time.monotonic() + 60
        while not (tmp_path / "tls-ports").exists():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        plain, tls = map(int, (tmp_path / "tls-ports").read_text().split())
        yield plain, tls, authority
    finally:
        assert processes.stop(process, signal.SIGTERM) == 0


def post(port: int, path: str, context: ssl.SSLContext, session: ssl.SSLSession | None) -> tuple[bytes, Any]:
    """What is answered over a connection of its own, and the session that it was."""
    raw = socket.create_connection(("127.0.0.1", port))
    with context.wrap_socket(raw, server_hostname="localhost", session=session) as connection:
        connection.sendall(f"POST {path} HTTP/1.1\r\nContent-Length: 2\r\n\r\n{{}}".encode())
        return connection.recv(4096), connection.session


def test_the_receiver_counts_connections_and_the_sessions_that_went_on(ports: tuple[int, int, Authority]) -> None:
    plain, tls, authority = ports
    context = ssl.create_default_context(cafile=authority.bundle)
    kept, session = post(tls, "/ok", context, None)
    closed, _ = post(tls, "/close", context, session)
    assert (b"Connection: close" in kept, b"Connection: close" in closed) == (False, True)
    counts = requests.get(f"http://127.0.0.1:{plain}/", timeout=60).json()
    assert counts == {"connections": 2, "handshakes": 2, "resumed": 1, "posts": 2, "twice": 0}


@pytest.mark.parametrize(
    ("head", "size"), [(b"POST / HTTP/1.1\r\nContent-Length: 12", 12), (b"GET / HTTP/1.1\r\nHost: a", 0)]
)
def test_a_body_is_as_long_as_its_head_says(head: bytes, size: int) -> None:
    assert tls_receiver.length(head) == size


@pytest.mark.parametrize(("event", "twice"), [("e1", 1), ("e2", 0)])
def test_the_receiver_counts_what_a_path_was_told_before(
    ports: tuple[int, int, Authority], event: str, twice: int
) -> None:
    url = f"http://127.0.0.1:{ports[0]}"
    for path, each in (("a", "e1"), ("b", "e1"), ("a", event)):
        requests.post(f"{url}/ok/{path}", data=b"{}", headers={"webhook-id": each}, timeout=60)
    assert requests.get(url, timeout=60).json()["twice"] == twice

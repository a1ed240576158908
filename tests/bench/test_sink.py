"""The receiver that is made for speed."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from bench import receiver, sink
from dotfile_hooks.dev import processes

POST = b"POST /ok/a HTTP/1.1\r\nwebhook-id: e1\r\nContent-Length: 4\r\n\r\nbody"


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (POST, len(POST)),
        (POST + POST, len(POST)),
        (POST[:-1], 0),
        (POST[:30], 0),
        (b"", 0),
        (POST.replace(b"Content-Length: ", b"content-length:"), len(POST) - 1),
        (POST.replace(b"Content-Length: ", b"CONTENT-LENGTH: "), len(POST)),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 27),
    ],
)
def test_a_request_is_as_long_as_it_says(data: bytes, size: int) -> None:
    assert sink.size_of_first(data) == size


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """Of a sink that writes down what it gets."""
    process = subprocess.Popen([sys.executable, "-m", "bench.sink", str(tmp_path), "--record"])
    try:
        deadline = time.monotonic() + 60
        while not (tmp_path / "port").exists():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        yield int((tmp_path / "port").read_text())
    finally:
        assert processes.stop(process, signal.SIGTERM) == 0


def counted(port: int) -> int:
    return int(requests.get(f"http://127.0.0.1:{port}/", timeout=60).text)


def test_every_post_of_a_flood_is_answered_and_counted(port: int) -> None:
    sink.flood(port, 500)
    assert counted(port) == 500


def test_requests_in_pieces_and_at_once_are_answered_one_by_one(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection, connection.makefile("rb") as answers:
        connection.sendall(POST + POST + POST[:-2])
        assert answers.read(2 * len(receiver.OK)) == 2 * receiver.OK
        connection.sendall(POST[-2:])
        assert answers.read(len(receiver.OK)) == receiver.OK
    assert counted(port) == 3


def test_what_came_can_be_read_as_of_any_receiver(port: int, tmp_path: Path) -> None:
    before = time.time()
    requests.post(f"http://127.0.0.1:{port}/ok/b", data=b"{}", headers={"webhook-id": "e2"}, timeout=60)
    deadline = time.monotonic() + 60
    while not (posts := list(receiver.read(tmp_path))):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert [(post.path, post.event) for post in posts] == [("/ok/b", "e2")]
    assert before - 1 < posts[0].received_at == posts[0].answered_at < time.time() + 1

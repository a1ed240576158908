"""Receivers that break the rules: none holds a request past its deadline, takes our memory, or passes for a success."""

from __future__ import annotations

import os
import socket
import time
import tracemalloc
from collections.abc import Callable

import pytest
import requests

from deliveries.engine.transport import Limits, Window, classify

from .conftest import Post, prepared, through_window
from .receivers import Receiver, Script, hangs, never_reads, read_request, repeats, resets, says

Receivers = Callable[..., Receiver]
Windows = Callable[..., Window[int]]

QUICK = Limits(connect_timeout=0.3, timeout=0.4)
HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
LINE = b"X-Filler: " + b"a" * 90 + b"\r\n"


def half_closes(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_WR)
    hangs(connection)


def closes_unread(connection: socket.socket) -> None:
    connection.recv(1)


FAILURES: dict[str, tuple[Script, str]] = {
    # the connection ends too early: nothing of it counts
    "nothing at all": (says(b""), "connection_failed"),
    "reset instead of an answer": (says(b"", resets), "connection_failed"),
    "closed before the request was read": (closes_unread, "connection_failed"),
    "half-closed without an answer": (says(b"", half_closes), "connection_failed"),
    "cut in the status line": (says(b"HTTP/1.1 200"), "connection_failed"),
    "cut in the headers": (says(HEAD + b"X-A: 1\r\n"), "answer_cut_off"),
    "cut in a header line": (says(HEAD + b"Content-Le"), "answer_cut_off"),
    "cut before the empty line is complete": (says(HEAD + b"Content-Length: 0\r\n\r"), "answer_cut_off"),
    "half-closed in the headers": (says(HEAD + b"X-A: 1\r\n", half_closes), "answer_cut_off"),
    "reset in the headers": (says(HEAD + b"X-A: 1\r\n", resets), "answer_cut_off"),
    "only an early hint": (says(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"), "answer_cut_off"),
    "cut in the headers after a 1xx": (says(b"HTTP/1.1 100 Continue\r\n\r\n" + HEAD), "answer_cut_off"),
    "cut in the body": (says(HEAD + b"Content-Length: 10\r\n\r\nab"), "answer_cut_off"),
    "reset in the body": (says(HEAD + b"Content-Length: 10\r\n\r\nab", resets), "answer_cut_off"),
    "cut in a chunk": (says(CHUNKED + b"5\r\nab"), "answer_cut_off"),
    "cut before the last chunk": (says(CHUNKED + b"2\r\nab\r\n"), "answer_cut_off"),
    # not HTTP, or not by its rules
    "HTTP/0.9": (says(b"hello\n"), "malformed_answer"),
    "garbage": (says(b"\x16\x03\x01" + os.urandom(500)), "malformed_answer"),
    "the preface of HTTP/2": (says(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "malformed_answer"),
    "a status of four digits": (says(b"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n"), "malformed_answer"),
    "a status of two digits": (says(b"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n"), "malformed_answer"),
    "a negative length": (says(HEAD + b"Content-Length: -5\r\n\r\nab"), "malformed_answer"),
    "two lengths": (says(HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"), "malformed_answer"),
    "a header without a colon": (says(HEAD + b"junk\r\nContent-Length: 0\r\n\r\n"), "malformed_answer"),
    "a NUL in a header": (says(HEAD + b"X-A: a\0b\r\nContent-Length: 0\r\n\r\n"), "malformed_answer"),
    "a chunk size that is no number": (says(CHUNKED + b"zz\r\nab\r\n"), "answer_cut_off"),
    "an encoding nobody asked for": (says(HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n"), "malformed_answer"),
    "a header line of 70 kB": (says(HEAD + b"X: " + b"a" * 70_000 + b"\r\n\r\n"), "malformed_answer"),
    "endless headers": (repeats(HEAD, LINE * 20), "malformed_answer"),
    "an endless header line": (repeats(HEAD + b"X: ", b"a" * 5000), "malformed_answer"),
    "a flood of 1xx": (repeats(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 50), "malformed_answer"),
    "endless trailers": (repeats(CHUNKED + b"0\r\n", LINE * 20), "malformed_answer"),
    # slow: the deadline is for everything
    "silence": (hangs, "timeout"),
    "a dripping status line": (repeats(b"HTTP/1.1 2", b"0", 0.05), "timeout"),
    "dripping headers": (repeats(HEAD, b"X-A: 1\r\n", 0.05), "timeout"),
    "dripping 1xx": (repeats(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.05), "timeout"),
    "a dripping body": (repeats(HEAD + b"\r\n", b"a", 0.05), "timeout"),
    "dripping chunk sizes": (repeats(CHUNKED, b"1\r\na\r\n", 0.05), "timeout"),
    "a body shorter than it says": (says(HEAD + b"Content-Length: 10\r\n\r\nab", hangs), "timeout"),
    "a protocol nobody asked for": (says(b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n", hangs), "timeout"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_an_answer_that_is_none_fails_in_time(name: str, post: Post, receiver: Receivers) -> None:
    script, code = FAILURES[name]
    began = time.monotonic()
    with pytest.raises(requests.RequestException) as caught:
        post(receiver(script).url, limits=QUICK)
    assert classify(caught.value) == code
    assert time.monotonic() - began < 2
    assert str(caught.value).endswith(".")


ANSWERS: dict[str, tuple[Script, int, bytes]] = {
    "no length, ended by closing": (says(HEAD + b"\r\nuntil the end"), 200, b"until the end"),
    "an early hint first": (says(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + HEAD + b"\r\nok"), 200, b"ok"),
    "204 with a body": (says(b"HTTP/1.1 204 No Content\r\n\r\nbody", hangs), 204, b""),
    "a body longer than it says": (says(HEAD + b"Content-Length: 2\r\n\r\nokHTTP/1.1 500"), 200, b"ok"),
    "a length and chunks": (says(CHUNKED[:-2] + b"Content-Length: 50\r\n\r\n2\r\nok\r\n0\r\n\r\n", hangs), 200, b"ok"),
    "trailers": (says(CHUNKED + b"2\r\nok\r\n0\r\nX-Status: 500\r\n\r\n"), 200, b"ok"),
    "bare line feeds": (says(b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok"), 200, b"ok"),
    "an endless body": (repeats(HEAD + b"\r\n", b"a" * 60_000), 200, b"a" * 4096),
    "endless chunks": (repeats(CHUNKED, b"1000\r\n" + b"a" * 4096 + b"\r\n"), 200, b"a" * 4096),
    "a status nobody knows": (says(b"HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n"), 999, b""),
    "a demand to log in": (says(b"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n"), 401, b""),
    "417 for an Expect that was not sent": (says(b"HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n"), 417, b""),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_odd_answer_that_is_complete_counts(name: str, post: Post, receiver: Receivers) -> None:
    script, status, body = ANSWERS[name]
    response = post(receiver(script).url, limits=QUICK)
    assert (response.status_code, response.content) == (status, body)
    assert "X-Status" not in response.headers


def test_a_receiver_that_does_not_read_a_large_body_ends_at_the_deadline(post: Post, receiver: Receivers) -> None:
    began = time.monotonic()
    with pytest.raises(requests.Timeout):
        post(receiver(never_reads).url, body=b"a" * 30_000_000, limits=QUICK)
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    "script", [repeats(HEAD, LINE * 200), repeats(HEAD + b"\r\n", b"a" * 60_000)], ids=["headers", "body"]
)
def test_an_endless_answer_takes_little_memory(script: Script, window: Windows, receiver: Receivers) -> None:
    opened, hook = window(), receiver(script)
    tracemalloc.start()
    try:
        opened.start(1, prepared(hook.url), QUICK)
        assert opened.wait(2)
        assert tracemalloc.get_traced_memory()[1] < 1024 * 1024
    finally:
        tracemalloc.stop()


def test_a_hundred_hanging_receivers_end_together(window: Windows, receiver: Receivers) -> None:
    opened, hook = window(size=100), receiver(hangs)
    for number in range(100):
        opened.start(number, prepared(hook.url), QUICK)
    began, finished = time.monotonic(), 0
    while finished < 100:
        finished += len(opened.wait(1))
    assert time.monotonic() - began < 2


def test_a_failure_leaves_nothing_for_the_next_request(window: Windows, receiver: Receivers) -> None:
    opened = window(size=1)
    with pytest.raises(requests.RequestException):
        through_window(opened, prepared(receiver(says(HEAD + b"X-A: 1\r\n")).url), QUICK)
    response = through_window(opened, prepared(receiver(says(HEAD + b"X-B: 2\r\n\r\nok")).url), QUICK)
    assert dict(response.headers) == {"X-B": "2"}
    assert response.content == b"ok"


def test_the_request_is_read_before_it_is_answered_here(receiver: Receivers, post: Post) -> None:
    """The scripts answer complete requests: an answer does not race with the body."""
    bodies: list[bytes] = []

    def script(connection: socket.socket) -> None:
        bodies.append(read_request(connection).partition(b"\r\n\r\n")[2])
        connection.sendall(HEAD + b"\r\n")

    post(receiver(script).url, body=b"x" * 200_000)
    assert bodies == [b"x" * 200_000]

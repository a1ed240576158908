"""Receivers that break the rules: none holds a request past its deadline, takes our memory, or passes for a success."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

import pytest
import requests

from deliveries.engine.transport import Limits, Window, classify

from .authority import Authority
from .conftest import Post, prepared, through_window
from .hostile import ANSWERS, FAILURES, HEAD, HTTP2, UPLOADS
from .receivers import Receiver, hangs, read_request, says

Receivers = Callable[..., Receiver]
Windows = Callable[..., Window[int]]

QUICK = Limits(connect_timeout=0.3, timeout=0.4)
PATIENT = Limits(connect_timeout=10, timeout=10)


def limits(*codes: str) -> Limits:
    """What must end before its deadline does not race with it."""
    return QUICK if "timeout" in codes else PATIENT


@pytest.mark.parametrize("name", FAILURES)
def test_an_answer_that_is_none_fails_in_time(name: str, post: Post, receiver: Receivers) -> None:
    script, code = FAILURES[name]
    began = time.monotonic()
    with pytest.raises(requests.RequestException) as caught:
        post(receiver(script).url, limits=limits(code))
    assert classify(caught.value) == code
    assert time.monotonic() - began < 2
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize("name", ANSWERS)
def test_an_odd_answer_that_is_complete_counts(name: str, post: Post, receiver: Receivers) -> None:
    script, status, body = ANSWERS[name]
    response = post(receiver(script).url, limits=PATIENT)
    assert (response.status_code, response.content) == (status, body)
    assert "X-Status" not in response.headers


@pytest.mark.parametrize("name", UPLOADS)
def test_a_large_body_that_is_not_read_ends_at_the_deadline(name: str, post: Post, receiver: Receivers) -> None:
    began = time.monotonic()
    with pytest.raises(requests.Timeout):
        post(receiver(UPLOADS[name]).url, body=b"a" * 30_000_000, limits=QUICK)
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("name", HTTP2)
def test_an_answer_over_http2_that_is_none_fails_in_time(
    name: str, post: Post, receiver: Receivers, authority: Authority
) -> None:
    script, codes = HTTP2[name]
    context = authority.context()
    context.set_alpn_protocols(["h2"])
    began = time.monotonic()
    with pytest.raises(requests.RequestException) as caught:
        post(receiver(script, tls=context).url, verify=authority.bundle, limits=limits(*codes))
    assert classify(caught.value) in codes
    assert time.monotonic() - began < 2


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

"""Receivers that break the rules: none holds a request past its deadline, takes our memory, or passes for a success."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from functools import partial

import pytest
import requests

from deliveries.engine.transport import Limits, Window, classify

from .authority import Authority
from .conftest import LIMITS, Post, failures, prepared, through_window
from .hostile import ANSWERS, FAILURES, HEAD, HTTP2, UPLOADS
from .receivers import LONG, Receiver, Script, hangs, read_request, says

Receivers = Callable[..., Receiver]
Windows = Callable[..., Window[int]]

DEADLINE = Limits(connect_timeout=5, timeout=5)
"""For what never ends by itself: time enough to begin, and less than the receivers' patience."""
ENDED = {name: case for name, case in FAILURES.items() if case[1] != "timeout"}
ENDED_OVER_HTTP2 = {name: case for name, case in HTTP2.items() if "timeout" not in case[1]}


@pytest.mark.parametrize("name", ENDED)
def test_an_answer_that_is_none_fails_before_the_deadline(name: str, post: Post, receiver: Receivers) -> None:
    script, code = ENDED[name]
    began = time.monotonic()
    with pytest.raises(requests.RequestException) as caught:
        post(receiver(script).url)
    assert classify(caught.value) == code
    assert time.monotonic() - began < LIMITS.timeout
    assert str(caught.value).endswith(".")


def test_an_answer_without_end_ends_at_the_deadline(post: Post, receiver: Receivers) -> None:
    endless = {name: receiver(script).url for name, (script, _) in FAILURES.items() if name not in ENDED}
    began = time.monotonic()
    found = failures({name: partial(post, url, limits=DEADLINE) for name, url in endless.items()})
    assert found == dict.fromkeys(endless, "timeout")
    assert time.monotonic() - began < LONG


@pytest.mark.parametrize("name", ANSWERS)
def test_an_odd_answer_that_is_complete_counts(name: str, post: Post, receiver: Receivers) -> None:
    script, status, body = ANSWERS[name]
    response = post(receiver(script).url)
    assert (response.status_code, response.content) == (status, body)
    assert "X-Status" not in response.headers


def test_a_large_body_that_is_not_read_ends_at_the_deadline(post: Post, receiver: Receivers) -> None:
    urls = {name: receiver(script).url for name, script in UPLOADS.items()}
    body, began = b"a" * 30_000_000, time.monotonic()
    found = failures({name: partial(post, url, body=body, limits=DEADLINE) for name, url in urls.items()})
    assert found == dict.fromkeys(urls, "timeout")
    assert time.monotonic() - began < LONG


@pytest.fixture
def greeted(receiver: Receivers, authority: Authority) -> Callable[[Script], Receiver]:
    """Starts a receiver that speaks HTTP/2."""

    def start(script: Script) -> Receiver:
        context = authority.context()
        context.set_alpn_protocols(["h2"])
        return receiver(script, tls=context)

    return start


@pytest.mark.parametrize("name", ENDED_OVER_HTTP2)
def test_an_answer_over_http2_that_is_none_fails_before_the_deadline(
    name: str, post: Post, greeted: Callable[[Script], Receiver], authority: Authority
) -> None:
    script, codes = ENDED_OVER_HTTP2[name]
    hook, began = greeted(script), time.monotonic()
    with pytest.raises(requests.RequestException) as caught:
        post(hook.url, verify=authority.bundle)
    assert classify(caught.value) in codes
    assert time.monotonic() - began < LIMITS.timeout


def test_an_answer_over_http2_without_end_ends_at_the_deadline(
    post: Post, greeted: Callable[[Script], Receiver], authority: Authority
) -> None:
    endless = {name: case for name, case in HTTP2.items() if name not in ENDED_OVER_HTTP2}
    send = partial(post, verify=authority.bundle, limits=DEADLINE)
    calls = {name: partial(send, greeted(script).url) for name, (script, _) in endless.items()}
    began = time.monotonic()
    found = failures(calls)
    assert {name: code for name, code in found.items() if code not in endless[name][1]} == {}
    assert time.monotonic() - began < LONG


def test_a_hundred_hanging_receivers_end_together(window: Windows, receiver: Receivers) -> None:
    opened, hook = window(size=100), receiver(hangs)
    for number in range(100):
        opened.start(number, prepared(hook.url), DEADLINE)
    began, finished = time.monotonic(), 0
    while finished < 100:
        finished += len(opened.wait(1))
    assert time.monotonic() - began < LONG  # and not one after the other


def test_a_failure_leaves_nothing_for_the_next_request(window: Windows, receiver: Receivers) -> None:
    opened = window(size=1)
    with pytest.raises(requests.RequestException):
        through_window(opened, prepared(receiver(says(HEAD + b"X-A: 1\r\n")).url))
    response = through_window(opened, prepared(receiver(says(HEAD + b"X-B: 2\r\n\r\nok")).url))
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

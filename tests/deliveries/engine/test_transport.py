"""The HTTP client: one contract for the window and for a Session."""

from __future__ import annotations

import errno
import re
import socket
import time
from collections.abc import Callable

import pytest
import requests
from requests.exceptions import ConnectionError, InvalidHeader, InvalidURL  # noqa: A004  theirs

from deliveries.engine import answers, faults
from deliveries.engine.egress import Target
from deliveries.engine.resolver import Answer
from deliveries.engine.routes import Route
from deliveries.engine.transport import (
    EgressRefused,
    Limits,
    Window,
    classify,
)

from .conftest import LOOPBACK, Post, prepared, through_window
from .name_server import NameServer
from .receivers import Receiver, keeps_alive, says

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Receivers = Callable[..., Receiver]
Windows = Callable[..., Window[int]]
NameServers = Callable[..., NameServer]


def test_what_is_prepared_is_what_arrives(post: Post, receiver: Receivers) -> None:
    seen: list[bytes] = []
    headers = {"Content-Type": "application/json", "User-Agent": "Dotfile-Hooks/1", "X-Empty": "", "X-É": "é"}
    post(receiver(keeps_alive(OK, seen)).url + "?c=d%20e", body='{"name":"Zoë"}', headers=headers)
    head, _, body = seen[0].partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"POST /hook?c=d%20e HTTP/1.1"
    assert body == '{"name":"Zoë"}'.encode()
    names = [line.split(b":")[0].lower() for line in lines[1:]]
    assert len(names) == len(set(names))
    assert {
        b"Content-Type: application/json",
        b"User-Agent: Dotfile-Hooks/1",
        b"X-Empty:",
        b"Content-Length: 15",
    } <= set(lines)
    assert "X-É: é".encode("latin-1") in lines
    assert b"expect" not in names


def test_the_answer_is_a_response(post: Post, receiver: Receivers) -> None:
    answer = b"HTTP/1.1 503 Busy, sorry\r\nRetry-After: 7\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 4\r\n\r\nlate"
    hook, began = receiver(says(answer)), time.monotonic()
    response = post(hook.url)
    took = time.monotonic() - began
    assert (response.status_code, response.reason, response.content) == (503, "Busy, sorry", b"late")
    assert response.headers["retry-after"] == "7"
    assert response.headers["X-A"] == "1, 2"
    assert response.url == hook.url
    assert response.request.url == hook.url
    assert 0 < response.elapsed.total_seconds() < took


def test_the_path_is_sent_as_it_is_written(window: Windows, receiver: Receivers) -> None:
    seen: list[bytes] = []
    request = prepared(receiver(keeps_alive(OK, seen)).url)
    request.url = f"{request.url}/a/../b?c=%2e"
    through_window(window(), request)
    assert seen[0].startswith(b"POST /hook/a/../b?c=%2e HTTP/1.1\r\n")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(status: int, post: Post, receiver: Receivers) -> None:
    elsewhere = receiver(says(OK))
    answer = f"HTTP/1.1 {status} Moved\r\nLocation: {elsewhere.url}\r\nContent-Length: 0\r\n\r\n".encode()
    assert post(receiver(says(answer)).url).status_code == status
    assert elsewhere.connections == 0


@pytest.mark.parametrize(
    ("name", "value"), [("X-A", "1\r\nX-B: 2"), ("X-A", "1\n2"), ("X-A", "1\0"), ("X\r\nB", "1"), ("X-A", "✓")]
)
def test_a_header_that_would_break_out_is_not_sent(name: str, value: str, window: Windows, receiver: Receivers) -> None:
    hook = receiver(says(OK))
    request = prepared(hook.url)
    request.headers[name] = value  # requests checks headers only when it prepares them
    with pytest.raises(InvalidHeader):
        through_window(window(), request)
    assert hook.connections == 0


def test_framing_headers_of_the_request_are_not_sent(window: Windows, receiver: Receivers) -> None:
    seen: list[bytes] = []
    request = prepared(receiver(keeps_alive(OK, seen)).url)
    request.headers.update(
        {
            "Content-Length": "999",
            "Transfer-Encoding": "chunked",
            "Host": "other",
            "Expect": "100-continue",
        }
    )
    through_window(window(), request)
    assert b"content-length: 2\r\n" in seen[0].lower()
    assert not re.search(rb"(?i)chunked|999|other|expect", seen[0])


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE"])
def test_other_methods_leave_no_trace_in_the_next_post(method: str, window: Windows, receiver: Receivers) -> None:
    seen: list[bytes] = []
    opened, hook = window(size=1), receiver(keeps_alive(OK if method != "HEAD" else OK[:-2], seen))
    through_window(opened, prepared(hook.url, method=method, body=b"x" if method.startswith("P") else b""))
    hook = receiver(keeps_alive(OK, seen))
    through_window(opened, prepared(hook.url))
    assert [request.split(b" ")[0].decode() for request in seen] == [method, "POST"]
    assert seen[1].endswith(b"{}")


def test_the_body_is_read_to_a_cap_and_the_status_still_counts(post: Post, receiver: Receivers) -> None:
    hook = receiver(says(b"HTTP/1.1 200 OK\r\n\r\n" + b"a" * 100_000))
    response = post(hook.url, limits=Limits(10, 10, body_bytes=50_000, keep_bytes=10))
    assert (response.status_code, response.content) == (200, b"a" * 10)
    assert vars(response)["truncated"]


def test_a_body_below_the_cap_is_not_called_truncated(post: Post, receiver: Receivers) -> None:
    response = post(receiver(says(OK)).url, limits=Limits(10, 10, body_bytes=2, keep_bytes=1))
    assert (response.content, vars(response)["truncated"]) == (b"o", False)


def test_a_gzip_bomb_stays_packed(post: Post, receiver: Receivers) -> None:
    hook = receiver(says(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nbomb"))
    assert post(hook.url, headers={"Accept-Encoding": "gzip"}).content == b"bomb"


def test_control_characters_do_not_pass_into_headers_or_reason(post: Post, receiver: Receivers) -> None:
    answer = b"HTTP/1.1 200 \x1b[31mred\x9b\r\nX-A: a\x1b[2Jb\x7f\x85\r\nContent-Length: 0\r\n\r\n"
    response = post(receiver(says(answer)).url)
    assert response.headers["X-A"] == "a[2Jb"
    assert response.reason == "[31mred"


def test_refused_and_filtered_ports_read_the_same(post: Post) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(ConnectionError) as refused:
        post(f"http://127.0.0.1:{port}/")
    filtered = faults.timed_out(connected=False, ready=False)  # no loopback address swallows a SYN
    assert classify(refused.value) == classify(filtered) == "connection_failed"
    assert str(refused.value) == str(filtered)


@pytest.mark.parametrize(
    ("error", "addresses", "ours"),
    [
        (errno.EADDRNOTAVAIL, ("93.184.215.14",), True),
        (errno.EADDRNOTAVAIL, ("2606:2800:220:1::1",), False),  # we have no IPv6: the receiver is charged, not retried
        (errno.EADDRNOTAVAIL, ("93.184.215.14", "2606:2800:220:1::1"), False),  # for ever
        (errno.EMFILE, ("2606:2800:220:1::1",), True),
        (errno.ECONNREFUSED, ("93.184.215.14",), False),
    ],
)
def test_what_we_have_run_out_of_is_our_own_fault(error: int, addresses: tuple[str, ...], ours: bool) -> None:
    route = Route(Target("https", "example.com", 443, None), LOOPBACK, Answer(addresses, None, 0))
    assert answers.is_ours(error, route) is ours


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"plain\ttext\r\nin\nlines", "plain\ttext\r\nin\nlines"),
        (b"\x1b[31m\x07\0\x7f", "␛[31m␇␀␡"),
        (b"over\rwritten", "over␍written"),
        ("Zoë שלום".encode(), "Zoë שלום"),
        ("\u202eevil\u2066\x9b".encode(), "\ufffdevil\ufffd\ufffd"),
        (b"\xff\x9b", "\ufffd\ufffd"),
    ],
)
def test_a_body_is_kept_as_text_that_steers_nothing(body: bytes, shown: str) -> None:
    assert answers.text(body) == shown


@pytest.mark.parametrize(
    ("url", "kind", "code"),
    [
        ("https://10.0.0.1/", EgressRefused, "refused_address"),
        ("http://127.0.0.2.localhost:80/", EgressRefused, "refused_address"),
        ("https://metadata.google.internal/", EgressRefused, "refused_address"),
        ("https://example.com:22/", EgressRefused, "refused_address"),
        ("https://user@example.com/", InvalidURL, "invalid_url"),
        ("http://example.com/", InvalidURL, "invalid_url"),
    ],
)
def test_what_the_policy_refuses_is_not_sent(url: str, kind: type[Exception], code: str, window: Windows) -> None:
    request = prepared("https://example.com/")
    request.url = url
    with pytest.raises(kind) as caught:
        through_window(window(), request)
    assert isinstance(caught.value, requests.RequestException)
    assert classify(caught.value) == code


def test_an_error_names_neither_url_nor_body(post: Post) -> None:
    with pytest.raises(EgressRefused) as caught:
        post("https://10.0.0.1/secret-path?token=1", body=b"John CARTER")
    assert not re.search("secret|token|CARTER|10.0.0.1", str(caught.value) + repr(caught.value))

"""What only the window can do: many at once, connections kept, and its own faults told from the receiver's."""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from ipaddress import ip_address
from typing import Any

import pycurl
import pytest
import requests
from requests.exceptions import ReadTimeout  # noqa: A004  theirs

from deliveries.engine import window as window_module
from deliveries.engine.egress import Policy
from deliveries.engine.transport import (
    CurlAdapter,
    Limits,
    OwnFault,
    Window,
    classify,
    send_many,
)

from .authority import Authority
from .conftest import LIMITS, LOOPBACK, prepared, through_window
from .http2 import speaks_http2
from .name_server import NameServer, family_zone
from .receivers import LONG, Receiver, hangs, keeps_alive, read_request, repeats, says

PATIENT = Limits(LONG, LONG)
"""For requests that are answered, however busy the machine."""

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Receivers = Callable[..., Receiver]
Windows = Callable[..., Window[int]]
NameServers = Callable[..., NameServer]


def test_connections_are_used_again(window: Windows, receiver: Receivers) -> None:
    hook = receiver(keeps_alive(OK, []))
    opened = window()
    requests_ = [(number, prepared(hook.url)) for number in range(40)]
    assert sorted(finished.key for finished in send_many(opened, requests_, PATIENT)) == list(range(40))
    assert hook.connections <= 4


def test_nothing_of_one_request_shows_in_the_next(window: Windows, receiver: Receivers) -> None:
    seen: list[bytes] = []
    opened, hook = window(size=1), receiver(keeps_alive(OK, seen))
    first = through_window(opened, prepared(hook.url, b"a" * 5000, {"X-First": "1"}), Limits(LONG, LONG, keep_bytes=1))
    second = through_window(opened, prepared(hook.url, b"", {"X-Second": "1"}), PATIENT)
    assert (first.content, second.content) == (b"o", b"ok")
    assert b"X-First" not in seen[1]
    assert seen[1].endswith(b"\r\n\r\n")
    assert b"Content-Length: 0" in seen[1]


def test_a_connection_that_was_closed_meanwhile_is_replaced(window: Windows, receiver: Receivers) -> None:
    hook = receiver(says(OK))  # closes after each answer without saying so
    opened = window(size=1)
    assert [through_window(opened, prepared(hook.url), PATIENT).status_code for _ in range(3)] == [200] * 3


def test_an_answer_sent_in_advance_is_not_taken_for_that_of_the_next_request(
    window: Windows, receiver: Receivers
) -> None:
    hook = receiver(keeps_alive(OK + b"HTTP/1.1 500 Poison\r\nContent-Length: 0\r\n\r\n", []))
    opened = window(size=1)
    assert [through_window(opened, prepared(hook.url), PATIENT).status_code for _ in range(3)] == [200] * 3


def test_a_full_window_takes_no_more(window: Windows, receiver: Receivers) -> None:
    opened, hook = window(size=2), receiver(hangs)
    for number in range(2):
        opened.start(number, prepared(hook.url), PATIENT)
    assert (opened.free, opened.in_flight) == (0, 2)
    with pytest.raises(RuntimeError, match="full"):
        opened.start(3, prepared(hook.url), PATIENT)


def test_waiting_ends_when_its_time_is_over(window: Windows, receiver: Receivers) -> None:
    opened = window()
    opened.start(1, prepared(receiver(hangs).url), PATIENT)
    began = time.monotonic()
    assert opened.wait(0.2) == []
    assert time.monotonic() - began >= 0.2
    assert opened.in_flight == 1  # it did not wait for the request's own end


def test_a_slow_receiver_does_not_hold_up_a_quick_one(window: Windows, receiver: Receivers) -> None:
    opened, slow, quick = window(), receiver(hangs), receiver(says(OK))
    opened.start(1, prepared(slow.url), Limits(2, 2))
    opened.start(2, prepared(quick.url), PATIENT)
    first = opened.wait(LONG)
    assert [finished.key for finished in first] == [2]
    second = opened.wait(LONG)
    assert isinstance(second[0].error, ReadTimeout)
    assert 2 <= second[0].elapsed < LONG


def test_many_silent_names_do_not_hold_up_a_quick_receiver(
    receiver: Receivers, name_server: NameServers, stack: ExitStack
) -> None:
    def zone(name: str, family: int) -> list[str] | int | None:
        return None if name.startswith("silent") else family_zone(["127.0.0.1"])(name, family)

    hook = receiver(says(OK))
    policy, servers = Policy.parse(["*"], True, ["127.0.0.0/8"], ""), [name_server(zone).address]
    opened: Window[int] = stack.enter_context(closing(Window(policy, size=120, dns_servers=servers, dns_timeout=LONG)))
    for number in range(100):
        opened.start(number, prepared(f"http://silent{number}.example.test/"), PATIENT)
    opened.start(1000, prepared(f"http://good.example.test:{hook.port}/"), PATIENT)
    (finished,) = opened.wait(LONG)
    assert finished.key == 1000  # before the first of the silent ones was given up


@pytest.fixture
def stalls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window_module, "STALL_SECONDS", 0.1)


@pytest.mark.usefixtures("stalls")
def test_an_answer_that_arrived_while_we_were_held_up_still_counts(window: Windows, receiver: Receivers) -> None:
    asked, go = threading.Event(), threading.Event()

    def script(connection: socket.socket) -> None:
        read_request(connection)
        asked.set()
        go.wait(LONG)
        connection.sendall(OK)

    opened, hook = window(), receiver(script)
    opened.start(1, prepared(hook.url), Limits(1.5, 1.5))
    while not asked.is_set():
        assert opened.wait(0.01) == []
    go.set()
    _hold_up(1.6)
    (finished,) = opened.wait(LONG)
    assert finished.response is not None
    assert finished.response.status_code == 200


@pytest.mark.usefixtures("stalls")
def test_a_deadline_that_passed_while_we_were_held_up_is_our_own_fault(window: Windows, receiver: Receivers) -> None:
    opened = window()
    began = time.monotonic()
    opened.start(1, prepared(receiver(hangs).url), Limits(1.5, 1.5))
    opened.start(2, prepared(receiver(says(OK)).url), PATIENT)
    assert [finished.key for finished in opened.wait(LONG)] == [2]
    _hold_up(began + 1.53 - time.monotonic())  # no more than a little beyond the timer that the loop last waited for
    (finished,) = opened.wait(LONG)
    assert (finished.key, type(finished.error)) == (1, OwnFault)
    assert opened.in_flight == 0


@pytest.mark.usefixtures("stalls")
def test_a_deadline_is_put_off_once_however_often_we_are_held_up(window: Windows, receiver: Receivers) -> None:
    opened = window()
    opened.start(1, prepared(receiver(hangs).url), Limits(0.6, 0.6))
    late, deadline, finished = 0, time.monotonic() + 0.6, opened.wait(0.1)
    while not finished and late < 10:
        late += time.monotonic() >= deadline
        _hold_up(window_module.GRACE_SECONDS + 0.05)
        finished = opened.wait(0)
    assert [one.key for one in finished] == [1]
    assert late <= 2


def test_a_receiver_that_keeps_us_busy_is_charged_for_it(
    window: Windows, receiver: Receivers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a flood of what libcurl itself throws away does: reading it takes longer than a stall."""
    monkeypatch.setattr(window_module, "STALL_SECONDS", 1.0)  # more than a busy machine takes from us elsewhere
    opened = window()
    reading = Laborious(opened._multi)
    monkeypatch.setattr(opened, "_multi", reading)
    monkeypatch.setattr(window_module, "thread_time", lambda: reading.used)
    opened.start(1, prepared(receiver(repeats(b"HTTP/1.1 200 OK\r\n\r\n", b"a", 0.01)).url), Limits(1.4, 1.4))
    finished = opened.wait(LONG)
    assert [type(one.error) for one in finished] == [ReadTimeout]


class Laborious:
    """libcurl, as if each piece took 1.2 s of CPU to read; `used` is the thread's clock, which counts nothing else."""

    def __init__(self, multi: pycurl.CurlMulti) -> None:
        self._multi = multi
        self.used = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._multi, name)

    def socket_action(self, descriptor: int, events: int) -> Any:
        began = time.monotonic()
        if events == selectors.EVENT_READ:
            _hold_up(1.2)
        result = self._multi.socket_action(descriptor, events)
        self.used += time.monotonic() - began
        return result


def _hold_up(seconds: float) -> None:
    """The loop's owner does something else, too long."""
    with selectors.DefaultSelector() as nothing:
        nothing.select(seconds)


def test_running_out_of_file_handles_is_our_own_fault(
    window: Windows, receiver: Receivers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_socket(*_: object) -> socket.socket:
        raise OSError(24, "Too many open files")

    opened, hook = window(), receiver(says(OK))
    opened.start(1, prepared(hook.url), PATIENT)
    with monkeypatch.context() as patched:
        patched.setattr("deliveries.engine.exchange._Dialling", no_socket)
        (finished,) = opened.wait(LONG)
    assert finished.error is not None
    assert classify(finished.error) == "own_fault"


def test_a_body_that_could_not_be_sent_again_is_an_error_of_the_caller(window: Windows) -> None:
    request = prepared("http://127.0.0.1:9/")
    request.body = iter([b"a"])  # type: ignore[assignment]  # what requests allows and its stubs do not
    with pytest.raises(TypeError):
        window().start(1, request, LIMITS)


def test_closing_drops_what_is_in_flight(receiver: Receivers) -> None:
    opened: Window[int] = Window(LOOPBACK, size=2)
    opened.start(1, prepared(receiver(hangs).url), LIMITS)
    opened.wait(0.05)
    opened.close()


def test_a_session_takes_a_timeout_of_its_own(receiver: Receivers) -> None:
    with requests.Session() as session:
        session.mount("http://", CurlAdapter(LOOPBACK, Limits(5, 5)))
        with pytest.raises(ReadTimeout):
            session.post(receiver(hangs).url, timeout=(1, 0.2))


def test_only_loopback_is_dialled_here() -> None:
    assert all(ip_address(network.network_address).is_loopback for network in LOOPBACK.allowed_networks)


def test_a_resent_request_keeps_its_deadline(window: Windows, receiver: Receivers) -> None:
    """libcurl repeats a request when a kept connection ends without a byte of an answer."""
    answered: list[int] = []

    def script(connection: socket.socket) -> None:
        while read_request(connection):
            if answered:
                if len(answered) == 1:
                    answered.append(2)
                    return
                hangs(connection)
                return
            answered.append(1)
            connection.sendall(OK)

    opened, hook = window(size=1), receiver(script)
    assert through_window(opened, prepared(hook.url), PATIENT).status_code == 200
    began = time.monotonic()
    with pytest.raises(ReadTimeout):
        through_window(opened, prepared(hook.url), Limits(LONG, 1.0))
    assert time.monotonic() - began < LONG / 2
    assert hook.connections == 2


def test_http2_is_spoken_where_the_receiver_offers_it(
    window: Windows, receiver: Receivers, authority: Authority
) -> None:
    context = authority.context()
    context.set_alpn_protocols(["h2"])
    hook = receiver(speaks_http2, tls=context)
    opened = window(verify=authority.bundle)
    many = [(number, prepared(hook.url)) for number in range(20)]
    statuses = [finished.response and finished.response.status_code for finished in send_many(opened, many, PATIENT)]
    assert statuses == [200] * 20


def test_an_http2_connection_that_has_died_is_left_after_a_timeout(
    window: Windows, receiver: Receivers, authority: Authority
) -> None:
    """libcurl would put every later request on it: a timeout ends a stream, not the connection."""
    context = authority.context()
    context.set_alpn_protocols(["h2"])
    dead = threading.Event()

    def script(connection: socket.socket) -> None:
        speaks_http2(Muted(connection, dead) if hook.connections == 1 else connection)  # type: ignore[arg-type]  # alike

    hook = receiver(script, tls=context)
    opened = window(verify=authority.bundle)
    through_window(opened, prepared(hook.url), PATIENT)
    dead.set()
    with pytest.raises(ReadTimeout):
        through_window(opened, prepared(hook.url), Limits(0.3, 0.3))
    assert [through_window(opened, prepared(hook.url), PATIENT).status_code for _ in range(2)] == [200, 200]
    assert hook.connections == 2


class Muted:
    """A connection whose answers are lost from some moment on."""

    def __init__(self, connection: socket.socket, dead: threading.Event) -> None:
        self._dead = dead
        self._connection = connection
        self.makefile = connection.makefile

    def sendall(self, data: bytes) -> None:
        if not self._dead.is_set():
            self._connection.sendall(data)

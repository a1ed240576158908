"""What the tests of the wire share: receivers, name servers, and two ways to send."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Protocol

import pytest
import requests
from requests import PreparedRequest, Response

from deliveries.engine import window as window_module
from deliveries.engine.egress import Policy
from deliveries.engine.transport import CurlAdapter, DirectSession, Limits, Window, classify, send_many

from .authority import Authority
from .name_server import NameServer, Zone
from .receivers import Receiver, Script

LOOPBACK = Policy.parse(["443"], False, ["127.0.0.0/8", "::1/128"], "")
LIMITS = Limits(connect_timeout=10, timeout=10)
"""For what ends by itself, however busy the machine is."""
DNS_TIMEOUT = 5.0
"""Seconds: alike, for names."""


class Post(Protocol):
    """Sends a POST and returns the answer, or raises."""

    def __call__(
        self,
        url: str,
        *,
        body: bytes | str = b"{}",
        headers: dict[str, str] | None = None,
        limits: Limits = LIMITS,
        verify: str | bool = True,
        dns: NameServer | None = None,
        dns_timeout: float = DNS_TIMEOUT,
        policy: Policy = LOOPBACK,
    ) -> Response: ...


@pytest.fixture(autouse=True)
def a_busy_machine_is_no_stall(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests of stalls set their own limit; in the others a slow machine must not pass for one."""
    monkeypatch.setattr(window_module, "STALL_SECONDS", 60.0)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def receiver(stack: ExitStack) -> Callable[..., Receiver]:
    """Starts a receiver: receiver(script, tls=None)."""

    def start(script: Script, **options: object) -> Receiver:
        return stack.enter_context(closing(Receiver(script, **options)))  # type: ignore[arg-type]  # passed through

    return start


@pytest.fixture
def name_server(stack: ExitStack) -> Callable[..., NameServer]:
    """Starts a name server: name_server(zone, ttl=60)."""

    def start(zone: Zone, ttl: int = 60) -> NameServer:
        return stack.enter_context(closing(NameServer(zone, ttl)))

    return start


@pytest.fixture
def window(stack: ExitStack) -> Callable[..., Window[int]]:
    """Opens a window: window(size=4, policy=..., dns=..., verify=..., dns_timeout=...)."""

    def start(
        size: int = 4,
        policy: Policy = LOOPBACK,
        dns: NameServer | None = None,
        verify: str | bool = True,
        dns_timeout: float = DNS_TIMEOUT,
    ) -> Window[int]:
        servers = [dns.address] if dns else []
        return stack.enter_context(
            closing(Window(policy, size=size, dns_servers=servers, dns_timeout=dns_timeout, verify=verify))
        )

    return start


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(Path(tmp_path_factory.mktemp("authority")))


def prepared(
    url: str, body: bytes | str = b"{}", headers: dict[str, str] | None = None, method: str = "POST"
) -> PreparedRequest:
    return requests.Request(method, url, data=body, headers=headers).prepare()


def through_window(window: Window[int], request: PreparedRequest, limits: Limits = LIMITS) -> Response:
    """The answer to one request; raises its error."""
    (finished,) = send_many(window, [(1, request)], limits)
    if finished.error is not None:
        raise finished.error
    assert finished.response is not None
    return finished.response


@pytest.fixture(params=["window", "session"])
def post(request: pytest.FixtureRequest, window: Callable[..., Window[int]]) -> Post:
    """The two ways to send, under the same contract."""

    def send(
        url: str,
        *,
        body: bytes | str = b"{}",
        headers: dict[str, str] | None = None,
        limits: Limits = LIMITS,
        verify: str | bool = True,
        dns: NameServer | None = None,
        dns_timeout: float = DNS_TIMEOUT,
        policy: Policy = LOOPBACK,
    ) -> Response:
        if request.param == "window":
            opened = window(policy=policy, dns=dns, verify=verify, dns_timeout=dns_timeout)
            return through_window(opened, prepared(url, body, headers), limits)
        servers = [dns.address] if dns else []
        adapter = CurlAdapter(policy, limits, dns_servers=servers, dns_timeout=dns_timeout, verify=verify)
        with DirectSession(adapter) as session:
            return session.post(url, data=body, headers=headers)

    return send


def failures(calls: Mapping[str, Callable[[], Response]]) -> dict[str, str]:
    """The code of each call's failure. All are made at a time, so that they wait for long deadlines together."""

    def failure(call: Callable[[], Response]) -> str:
        with pytest.raises(requests.RequestException) as caught:
            call()
        assert str(caught.value).endswith(".")
        return classify(caught.value)

    with ThreadPoolExecutor(len(calls)) as threads:
        return dict(zip(calls, threads.map(failure, calls.values()), strict=True))

"""The HTTP client in the terms of `requests`: many requests through a window, or one through a Session."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from requests import PreparedRequest, Response, Session
from requests.adapters import BaseAdapter
from requests.utils import get_encoding_from_headers

from .egress import Policy
from .exchange import Limits
from .faults import EgressRefused, OwnFault, classify
from .window import Finished, Window

__all__ = [
    "CurlAdapter",
    "DirectSession",
    "EgressRefused",
    "Finished",
    "Limits",
    "OwnFault",
    "Window",
    "classify",
    "send_many",
]

T = TypeVar("T")

_TURN = 1.0  # seconds that send_many waits at a time; any number does


def send_many(
    window: Window[T], requests: Iterable[tuple[T, PreparedRequest]], limits: Limits
) -> Iterator[Finished[T]]:
    """Sends all `requests`, as many at a time as the window takes, and yields each as it finishes."""
    waiting = iter(requests)
    exhausted = False
    while True:
        while not exhausted and window.free > 0:
            following = next(waiting, None)
            if following is None:
                exhausted = True
            else:
                window.start(following[0], following[1], limits)
        if not window.in_flight:
            return
        yield from window.wait(_TURN)


class CurlAdapter(BaseAdapter):
    """Lets a `requests.Session` send under the same rules as the window does; each send has a window of its own.

    `verify`, `cert` and `proxies` are ignored: a Session fills them in from the environment. Of the body, `limits`
    says how much is read and kept, with `stream=True`, too. Raises what `requests` raises, EgressRefused and OwnFault.
    """

    def __init__(
        self,
        policy: Policy,
        limits: Limits,
        *,
        dns_servers: Sequence[str] = (),
        dns_timeout: float = 3.0,
        verify: str | bool = True,
    ) -> None:
        super().__init__()
        self._policy = policy
        self._limits = limits
        self._dns_servers = tuple(dns_servers)
        self._dns_timeout = dns_timeout
        self._verify = verify

    def send(
        self,
        request: PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,
        verify: bool | str = True,
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> Response:
        """Sends one request; `timeout` (seconds, or connect and total) takes the place of the adapter's limits."""
        window: Window[None] = Window(
            self._policy, size=1, dns_servers=self._dns_servers, dns_timeout=self._dns_timeout, verify=self._verify
        )
        try:
            finished = next(send_many(window, [(None, request)], self._limits_for(timeout)))
        finally:
            window.close()
        if finished.response is None:
            raise finished.error or OwnFault("The request ended without an outcome.", request=request)
        finished.response.encoding = get_encoding_from_headers(finished.response.headers)
        return finished.response

    def close(self) -> None:
        """Nothing is kept between sends."""

    def _limits_for(self, timeout: float | tuple[float, float] | tuple[float, None] | None) -> Limits:
        connect, total = timeout if isinstance(timeout, tuple) else (timeout, timeout)
        limits = self._limits
        return replace(
            limits,
            connect_timeout=limits.connect_timeout if connect is None else connect,
            timeout=limits.timeout if total is None else total,
        )


class DirectSession(Session):
    """A Session that goes nowhere else: no redirects, no cookies or credentials from the environment."""

    def __init__(self, adapter: CurlAdapter) -> None:
        super().__init__()
        self.trust_env = False
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    def get_redirect_target(self, resp: Response) -> None:
        """No answer leads anywhere else."""

"""Where URLs lead: their targets, and what is to be done with the addresses that the names have."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from math import inf

from requests.exceptions import RequestException

from . import faults
from .egress import CLOSED_ADDRESS, Policy, Refused, Target
from .resolver import DNS_FAILED, OWN_FAULT, Answer

REMEMBERED = 10_000
"""URLs, and hosts, whose route is remembered; parsing a URL costs as much CPU as half a request."""

_FAILURES: dict[str | None, tuple[type[RequestException], str]] = {
    DNS_FAILED: (faults.DnsFailed, faults.NO_ADDRESS),
    OWN_FAULT: (faults.OwnFault, "Our name servers do not answer; the request will be repeated."),
}
_detours = count(1)


@dataclass(slots=True)
class Route:
    """One host and port, with the last `answer` for its name, judged: lines for libcurl, or an error.

    `resolve` is for CURLOPT_RESOLVE. `connect_to`, for CURLOPT_CONNECT_TO, is a detour that keeps new requests away
    from the connections made before: libcurl would go on using an HTTP/2 connection that has died silently.
    """

    target: Target
    policy: Policy = field(repr=False)
    answer: Answer | None = None
    error: tuple[type[RequestException], str] | None = None
    resolve: str = ""
    connect_to: str = ""

    def judge(self, answer: Answer) -> None:
        """Takes an answer in. One closed address among several closes the name: it is an attack or a mistake."""
        if answer is self.answer:
            return
        self.answer = answer
        addresses = self._addresses()
        self.error = _FAILURES.get(answer.error)
        if self.error is None and (not addresses or any(map(self._refusal, addresses))):
            self.error = faults.EgressRefused, CLOSED_ADDRESS
        self._write()

    def leave_connections(self) -> None:
        """Requests from here on use none of the connections made so far."""
        self.connect_to = f"::{next(_detours)}.invalid:"
        self._write()

    def _write(self) -> None:
        name = self.connect_to.strip(":") or _bracketed(self.target.host)
        addresses = ",".join(map(_bracketed, self._addresses()))
        # The plus lets libcurl forget the entry by and by; a later line replaces it at once.
        self.resolve = f"+{name}:{self.target.port}:{addresses}"

    def _addresses(self) -> tuple[str, ...]:
        addresses = self.answer.addresses if self.answer else ()
        if self.target.host == "localhost":  # has two addresses, of which the policy may open one
            return tuple(address for address in addresses if not self._refusal(address))
        return addresses

    def _refusal(self, address: str) -> str | None:
        return self.policy.refusal(address, self.target.port)


class Routes:
    """The routes of a window: URLs of one host and port share one."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._by_url: dict[str, Route] = {}
        self._by_target: dict[Target, Route] = {}

    def find(self, url: str) -> Route:
        """Raises Refused for a URL that may not be called."""
        route = self._by_url.get(url)
        if route is None:
            if not url.isascii():
                raise Refused("malformed", "Prepare the request first: its URL must be plain ASCII.")
            if len(self._by_url) >= REMEMBERED:
                self._by_url.clear()
                self._by_target.clear()
            route = self._by_url[url] = self._of(self._policy.check_url(url))
        return route

    def _of(self, target: Target) -> Route:
        route = self._by_target.get(target)
        if route is None:
            route = self._by_target[target] = Route(target, self._policy)
            if target.address:
                route.judge(Answer((target.address,), None, inf))
        return route


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host

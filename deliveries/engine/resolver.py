"""Resolves host names without threads and without waiting: c-ares, driven by the caller's selector."""

from __future__ import annotations

import selectors
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from time import monotonic

import pycares

TRIES = 3
"""Questions to each name server within the time that one name has: one lost packet must not fail a delivery."""

FRESH_SECONDS = 30.0
"""How long an answer is used at most; less when its TTL is shorter. A receiver that moves is found within this time."""

SHORTEST_FRESH_SECONDS = 1.0
"""How long an answer is used at least: a TTL of 0 must not cost a question for each delivery."""

FAILED_SECONDS = 5.0
"""How long a failure is remembered: a dead name costs one question in this time, however many deliveries wait."""

REMEMBERED = 10_000
"""Names kept. About 500 bytes each."""

DNS_FAILED = "dns_failed"
OWN_FAULT = "own_fault"

_FLAGS = pycares.ARES_FLAG_EDNS | pycares.ARES_FLAG_NOSEARCH | pycares.ARES_FLAG_NOALIASES
# c-ares' own words for "no name server could be asked": our network or settings, not the receiver's.
_OURS = frozenset(
    {
        pycares.errno.ARES_ECONNREFUSED,
        pycares.errno.ARES_ENOMEM,
        pycares.errno.ARES_ECANCELLED,
        pycares.errno.ARES_EDESTRUCTION,
    }
)
_PROBE = "."  # every name server knows the root: who does not answer for it does not answer at all


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What a name resolved to: its addresses, or why there are none (`dns_failed`, `own_fault`)."""

    addresses: tuple[str, ...]
    error: str | None
    stale_at: float


Done = Callable[[Answer], None]

_LOCALHOST = Answer(("127.0.0.1", "::1"), None, inf)


@dataclass(slots=True)
class _Lookup:
    began: float
    deadline: float
    waiting: list[Done]


class Resolver:
    """Looks names up, each once at a time and within `timeout` seconds, however many others are silent.

    `servers` are name servers as `host` or `host:port`; without them the system's (and its hosts file) are asked.
    A name that times out has failed by itself if its name servers answer other questions meanwhile, the root's at
    least; if they answer nothing, the fault is ours.
    """

    def __init__(self, selector: selectors.BaseSelector, servers: Sequence[str] = (), timeout: float = 3.0) -> None:
        self._selector = selector
        self._servers = tuple(servers)
        self._timeout = timeout
        self._channel: pycares.Channel | None = None
        self._sockets: set[int] = set()
        self._lookups: dict[str, _Lookup] = {}
        self._known: OrderedDict[str, Answer] = OrderedDict()
        self._finished: list[tuple[Done, Answer]] = []
        self._answered_at = self._probed_at = -inf

    def lookup(self, name: str, done: Done) -> Answer | None:
        """The answer if it is known; otherwise None, and a later `tick` calls `done` with it."""
        if name == "localhost":  # RFC 6761: needs no name server
            return _LOCALHOST
        now = monotonic()
        known = self._known.get(name)
        if known is not None and now < known.stale_at:
            return known
        running = self._lookups.get(name)
        if running is not None:
            running.waiting.append(done)
            return None
        self._lookups[name] = _Lookup(now, now + self._timeout, [done])
        self._ask(name)
        return None

    def process(self, descriptor: int, events: int) -> None:
        """Reads and writes one of our sockets that the selector found ready."""
        readable = descriptor if events & selectors.EVENT_READ else pycares.ARES_SOCKET_BAD
        writable = descriptor if events & selectors.EVENT_WRITE else pycares.ARES_SOCKET_BAD
        if self._channel is not None:
            self._channel.process_fd(readable, writable)

    def tick(self, now: float) -> None:
        """Repeats questions, ends lookups whose time is over, and tells those who wait."""
        if self._channel is not None and (self._lookups or self._sockets):
            self._channel.process_fd(pycares.ARES_SOCKET_BAD, pycares.ARES_SOCKET_BAD)
        while (oldest := self._oldest()) is not None and now >= oldest[1].deadline:
            silent = self._answered_at < oldest[1].began
            self._finish(oldest[0], (), OWN_FAULT if silent else DNS_FAILED, FAILED_SECONDS)
        if oldest is not None and now >= oldest[1].deadline - self._timeout / 2:
            self._probe(oldest[1], now)
        finished, self._finished = self._finished, []
        for done, answer in finished:
            done(answer)

    def wait(self, now: float) -> float:
        """Seconds until `tick` has something to do."""
        if self._finished:
            return 0.0
        oldest = self._oldest()
        if self._channel is None or oldest is None:
            return inf
        half = oldest[1].deadline - self._timeout / 2
        nearest = max(0.0, (half if now < half else oldest[1].deadline) - now)
        repeat: float = self._channel.timeout(nearest)  # type: ignore[no-untyped-call]  # pycares declares no types here
        return min(nearest, repeat)

    def close(self) -> None:
        """Ends every lookup without telling anybody, and closes the sockets."""
        self._lookups.clear()
        self._finished.clear()
        channel, self._channel = self._channel, None
        if channel is not None:
            channel.cancel()
            for descriptor in list(self._sockets):
                self._watch(descriptor, False, False)
            channel.close()

    def _ask(self, name: str) -> None:
        if self._channel is None:
            self._channel = self._open()
        self._channel.getaddrinfo(name, None, callback=lambda result, error: self._heard(name, result, error))

    def _open(self) -> pycares.Channel:
        # Not `lookups=`: pycares 5.2 frees that text before c-ares reads it, and every name then fails at random.
        return pycares.Channel(
            flags=_FLAGS,
            servers=self._servers or None,
            timeout=self._timeout / TRIES,
            tries=TRIES,
            sock_state_cb=self._watch,
        )

    def _watch(self, descriptor: int, readable: bool, writable: bool) -> None:
        events = (selectors.EVENT_READ if readable else 0) | (selectors.EVENT_WRITE if writable else 0)
        known = descriptor in self._sockets
        if not events:
            if known:
                self._sockets.discard(descriptor)
                self._selector.unregister(descriptor)
        elif known:
            self._selector.modify(descriptor, events, self)
        elif self._channel is not None or self._lookups:
            self._sockets.add(descriptor)
            self._selector.register(descriptor, events, self)

    def _heard(self, name: str, result: pycares.AddrInfoResult | None, error: int | None) -> None:
        self._note(result, error)
        if result is None or not result.nodes:
            fault = OWN_FAULT if error in _OURS else DNS_FAILED
            if error != pycares.errno.ARES_ETIMEOUT:  # a silent name keeps its time: `tick` judges it at the end
                self._finish(name, (), fault, FAILED_SECONDS)
            return
        addresses = tuple(_text(node.addr[0]) for node in result.nodes)
        seconds = max(SHORTEST_FRESH_SECONDS, min([FRESH_SECONDS, *(node.ttl for node in result.nodes)]))
        self._finish(name, addresses, None, seconds)

    def _oldest(self) -> tuple[str, _Lookup] | None:
        """The lookup that ends first: all have the same time, so it is the first that began."""
        return next(iter(self._lookups.items()), None)

    def _probe(self, lookup: _Lookup, now: float) -> None:
        """Asks for the root when nothing was heard since `lookup` began, so that its end can be judged."""
        if self._channel is not None and max(self._answered_at, self._probed_at) < lookup.began:
            self._probed_at = now
            self._channel.query(_PROBE, pycares.QUERY_TYPE_NS, callback=self._note)

    def _note(self, _result: object, error: int | None) -> None:
        if error not in _OURS and error != pycares.errno.ARES_ETIMEOUT:
            self._answered_at = monotonic()

    def _finish(self, name: str, addresses: tuple[str, ...], error: str | None, seconds: float) -> None:
        answer = Answer(addresses, error, monotonic() + seconds)
        self._known[name] = answer
        self._known.move_to_end(name)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        running = self._lookups.pop(name, None)
        # Not told here: c-ares may be calling us, and swallows what is raised below it.
        self._finished += [(done, answer) for done in (running.waiting if running else ())]


def _text(address: bytes | str) -> str:
    return address if isinstance(address, str) else address.decode("ascii")

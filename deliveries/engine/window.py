"""The rolling window: hundreds of requests in flight in one thread, on libcurl's multi interface and one selector."""

from __future__ import annotations

import selectors
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from math import inf
from time import monotonic, thread_time
from typing import Generic, TypeVar

import certifi
import pycurl
from requests import PreparedRequest
from requests.exceptions import ReadTimeout, RequestException

from . import answers, curl, faults, resolver
from .answers import Answer
from .egress import Policy, Refused
from .exchange import Exchange, Limits
from .routes import Routes

T = TypeVar("T")

_INTERRUPTION = object()

STALL_SECONDS = 0.1
"""A loop that comes back this much later than it meant to was held up: by its caller, the machine, a SIGSTOP."""

GRACE_SECONDS = 0.25
"""What each request gets after a stall at least, so that an answer that has long arrived is read, not called late."""


@dataclass(slots=True)
class Finished(Generic[T]):
    """The end of a request: a `response` or an `error`; `elapsed` seconds since its start, DNS included."""

    key: T
    response: Answer | None
    error: RequestException | None
    elapsed: float


class Window(Generic[T]):
    """Up to `size` requests in flight. For one thread of one process: make it after a fork.

    `start` only queues; the work is done in `wait`. Connections are kept and used again. If any address of a name is
    closed by the policy, the request is refused: mixed answers are an attack or a mistake. When a kept connection turns
    out to be closed before a byte of an answer came, libcurl sends the request again by itself, within its deadline:
    a receiver may see it twice, under the same id.
    """

    def __init__(
        self,
        policy: Policy,
        *,
        size: int,
        dns_servers: Sequence[str] = (),
        dns_timeout: float = 3.0,
        verify: str | bool = True,
    ) -> None:
        """`verify` is a file of trusted authorities, or True for certifi's; the check cannot be turned off."""
        if verify is False:
            raise ValueError("Certificates are always checked; name a bundle that holds the receiver's authority.")
        self._size = size
        self._bundle = certifi.where() if verify is True else verify
        self._selector = selectors.DefaultSelector()
        self._resolver = resolver.Resolver(self._selector, dns_servers, dns_timeout)
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._set_timer)
        # Kept connections: to the receivers of the moment, and to as many others.
        self._multi.setopt(pycurl.M_MAXCONNECTS, 2 * size)
        self._idle: list[pycurl.Curl] = []
        self._live: dict[pycurl.Curl, Exchange[T]] = {}
        self._resolving: set[Exchange[T]] = set()
        self._watched: set[int] = set()
        self._finished: list[Finished[T]] = []
        self._routes = Routes(policy)
        self._timer = self._expiry = inf
        self._due = inf
        self._listening: int | None = None
        self._interrupted = False

    @property
    def in_flight(self) -> int:
        """Requests started and not yet returned by `wait`."""
        return len(self._live) + len(self._resolving) + len(self._finished)

    @property
    def free(self) -> int:
        """How many more requests may be started."""
        return self._size - self.in_flight

    def start(self, key: T, request: PreparedRequest, limits: Limits) -> None:
        """Queues a request; whatever becomes of it comes back from `wait`.

        Raises RuntimeError if the window is full, TypeError for a body that is neither bytes nor text.
        """
        if self.free <= 0:
            raise RuntimeError("The window is full; wait for a request to finish.")
        began = monotonic()
        try:
            route = self._routes.find(request.url or "")
        except Refused as refused:
            error = faults.from_refused(refused)
            self._finished.append(Finished(key, None, error, monotonic() - began))
            return
        exchange = Exchange(key, request, limits, route, began)
        target = route.target
        answer = route.answer if target.address else self._resolver.lookup(target.host, partial(self._found, exchange))
        if answer is not None:
            self._dial(exchange, answer)
            return
        self._resolving.add(exchange)
        self._expiry = min(self._expiry, exchange.deadline)

    def listen(self, descriptor: int | None) -> None:
        """From now on `wait` also returns once this descriptor is readable; None: no longer."""
        if self._listening is not None:
            self._selector.unregister(self._listening)
        if descriptor is not None:
            self._selector.register(descriptor, selectors.EVENT_READ, _INTERRUPTION)
        self._listening, self._interrupted = descriptor, False

    def was_interrupted(self) -> bool:
        """Whether what `listen` waits for has come since this was asked last."""
        found, self._interrupted = self._interrupted, False
        return found

    def wait(self, timeout: float) -> list[Finished[T]]:
        """What has finished, as soon as something has; nothing after `timeout` seconds. Never blocks longer."""
        end = monotonic() + timeout
        while True:
            now = monotonic()
            self._look(0.0 if self._finished else max(0.0, end - now), now)
            if self._finished or self._interrupted or monotonic() >= end:
                finished, self._finished = self._finished, []
                return finished

    def close(self) -> None:
        """Drops what is in flight and closes every connection."""
        for handle in self._live:
            self._multi.remove_handle(handle)
        for handle in (*self._live, *self._idle):
            handle.close()
        self._live.clear()
        self._idle.clear()
        self._resolving.clear()
        self._resolver.close()
        self._multi.close()
        self._selector.close()

    def _found(self, exchange: Exchange[T], answer: resolver.Answer) -> None:
        if exchange in self._resolving:  # its time may have run out meanwhile
            self._resolving.discard(exchange)
            self._dial(exchange, answer)

    def _dial(self, exchange: Exchange[T], answer: resolver.Answer) -> None:
        route = exchange.route
        route.judge(answer)
        if route.error is not None:
            kind, sentence = route.error
            self._end(exchange, kind(sentence))
            return
        pooled = exchange.request.method == "POST"
        handle = self._idle.pop() if pooled and self._idle else curl.new_handle(self._bundle)
        try:
            if not pooled:
                curl.set_method(handle, exchange.request)
            curl.prepare(handle, exchange, monotonic())
            self._multi.add_handle(handle)
        except RequestException as error:
            self._end(exchange, error)
        except pycurl.error as error:
            self._end(exchange, faults.OwnFault(f"The request could not be set up (libcurl's error {error.args[0]})."))
        else:
            self._live[handle] = exchange

    def _end(self, exchange: Exchange[T], outcome: Answer | RequestException) -> None:
        elapsed = monotonic() - exchange.began
        if isinstance(outcome, Answer):
            self._finished.append(Finished(exchange.key, outcome, None, elapsed))
        else:
            outcome.request = exchange.request
            self._finished.append(Finished(exchange.key, None, outcome, elapsed))

    def _look(self, pause: float, now: float) -> None:
        """One turn: waits up to `pause` seconds for sockets and timers, and lets everybody concerned go on."""
        self._forgive(now)
        pause = max(0.0, min(pause, self._timer - now, self._expiry - now, self._resolver.wait(now)))
        self._due = now + pause
        ready = self._selector.select(pause)
        now = monotonic()
        self._forgive(now)
        used = thread_time()
        for key, events in ready:
            if key.data is None:
                self._multi.socket_action(key.fd, events)
            elif key.data is _INTERRUPTION:
                self._interrupted = True
            else:
                self._resolver.process(key.fd, events)
        if now >= self._timer:
            self._timer = inf
            self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
        self._resolver.tick(now)
        if now >= self._expiry:
            self._expire(now)
        self._collect()
        # What reading took is no stall: receivers that flood us would put their own deadlines off.
        self._due = now + thread_time() - used

    def _collect(self) -> None:
        _, succeeded, failed = self._multi.info_read()
        now = monotonic()
        for handle in succeeded:
            self._settle(handle, 0, now)
        for handle, code, _ in failed:
            self._settle(handle, code, now)

    def _settle(self, handle: pycurl.Curl, code: int, now: float) -> None:
        exchange = self._live.pop(handle)
        outcome = answers.conclude(handle, exchange, code, now)
        if isinstance(outcome, ReadTimeout) and exchange.connect_to == exchange.route.connect_to:
            exchange.route.leave_connections()
        self._end(exchange, outcome)
        self._multi.remove_handle(handle)
        if exchange.request.method == "POST":
            self._idle.append(handle)
        else:
            handle.close()

    def _forgive(self, now: float) -> None:
        """After a stall, the time of a request ends a moment from now: what has arrived meanwhile is still read. Once.

        libcurl looks at its timers first and would call an answer late that has been in our buffers for long.
        """
        if now - self._due <= STALL_SECONDS:
            return
        for handle, exchange in self._live.items():
            if not exchange.stalled and now + GRACE_SECONDS >= exchange.next_deadline(handle):
                exchange.deadline = now + GRACE_SECONDS
                exchange.stalled = True
                handle.setopt(pycurl.TIMEOUT_MS, 0)
                handle.setopt(pycurl.CONNECTTIMEOUT_MS, curl.FOR_EVER)
                self._expiry = min(self._expiry, exchange.deadline)

    def _expire(self, now: float) -> None:
        """Ends what libcurl does not: names that took all the time, and requests that a stall of ours held up."""
        for exchange in [exchange for exchange in self._resolving if now >= exchange.deadline]:
            self._resolving.discard(exchange)
            self._end(exchange, faults.DnsFailed(faults.NO_ADDRESS))
        held_up = [handle for handle, exchange in self._live.items() if exchange.stalled and now >= exchange.deadline]
        for handle in held_up:
            self._settle(handle, pycurl.E_OPERATION_TIMEDOUT, now)
        waiting = [exchange.deadline for exchange in self._resolving]
        waiting += [exchange.deadline for exchange in self._live.values() if exchange.stalled]
        self._expiry = min(waiting, default=inf)

    def _watch(self, what: int, descriptor: int, _multi: object, _data: object) -> None:
        # libcurl's POLL_IN, POLL_OUT and CSELECT_IN, CSELECT_OUT have the values of EVENT_READ and EVENT_WRITE.
        if what == pycurl.POLL_REMOVE:
            self._watched.discard(descriptor)
            self._selector.unregister(descriptor)
        elif descriptor in self._watched:
            self._selector.modify(descriptor, what)
        else:
            self._watched.add(descriptor)
            self._selector.register(descriptor, what)

    def _set_timer(self, milliseconds: int) -> None:
        self._timer = inf if milliseconds < 0 else monotonic() + milliseconds / 1000

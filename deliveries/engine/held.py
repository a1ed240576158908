"""One leased lane in a courier's hand: what waits in memory, what is in flight, and how much more it may have."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.conf import settings

from .breaker import Health
from .due import Ready, Want
from .endpoints import Endpoint
from .lanes import Lease, Report

# The share of a lease by which a request, started now, must end before the lease does.
MARGIN = 1 / 40
# Requests in flight to a receiver that has not answered 2xx lately: few, so that it takes many dead ones to fill their
# half of the window.
UNPROVEN_CAP = 4
# Seconds by which a request may be early so that a rate of hundreds a second does not follow the ticks of our loop.
EARLY = 0.05


@dataclass
class HeldLane:
    """Nobody else serves its subscription as long as the lease lasts, so all of this is decided without locks."""

    lease: Lease
    endpoint: Endpoint
    health: Health
    waiting: deque[Ready] = field(default_factory=deque)
    in_flight: int = 0
    unsettled: int = 0
    since: datetime | None = None
    """Where the next read begins (a due time); None: at the oldest."""
    read_to: datetime = datetime.min.replace(tzinfo=UTC)
    """The latest due time that was read."""
    exhausted: bool = False
    """The last read found fewer deliveries than asked for."""
    closing: bool = False
    """Offline, lost, or to be given back: nothing more is started."""
    proven: bool = False
    """The last answer was 2xx."""
    successes: int = 0
    """Answers under this lease that were 2xx."""
    on_trial: bool = False
    """It begins with one request: the courier before us vanished, or the breaker is half open."""
    paced: float = 0.0
    """When the rate allows the next request (monotonic clock)."""

    def __post_init__(self) -> None:
        self.on_trial = self.lease.taken_over or self.health.trips > 0
        if self.endpoint.rate:
            space = 1 / self.endpoint.rate
            # What the courier before us sent last, nobody knows if it vanished.
            self.paced = time.monotonic() + (space if self.lease.taken_over else min(space, self.lease.paced))

    @property
    def cap(self) -> int:
        """Requests it may have in flight; on trial one, and two more with each success."""
        most = self.endpoint.max_in_flight
        allowed = most if self.proven else min(most, UNPROVEN_CAP)
        return min(allowed, max(1, 2 * self.successes)) if self.on_trial else allowed

    def startable(self, now: float) -> int:
        """How many of the deliveries that wait could be started if there were slots (monotonic clock)."""
        if self.closing or not self.waiting:
            return 0
        most = min(len(self.waiting), max(0, self.cap - self.in_flight))
        if not self.endpoint.rate or not most:
            return most
        return min(most, max(0, int((now + EARLY - self.paced) * self.endpoint.rate) + (now + EARLY >= self.paced)))

    @property
    def is_drained(self) -> bool:
        return not self.waiting and not self.in_flight and not self.unsettled and (self.exhausted or self.closing)

    def may_start(self, now: float) -> bool:
        """Whether a request started now is allowed, and ends before the lease does (monotonic clock)."""
        if not self.waiting or self.closing or self.in_flight >= self.cap or now + EARLY < self.paced:
            return False
        return now + self.endpoint.limits.timeout + MARGIN * settings.DELIVERY_LEASE < self.lease.ends

    def take_next(self, now: float) -> Ready:
        """The next delivery, to be sent now."""
        self.in_flight += 1
        if self.endpoint.rate:
            self.paced = max(now, self.paced) + 1 / self.endpoint.rate
        return self.waiting.popleft()

    def note(self, succeeded: bool | None, now: float, ago: float) -> None:
        """A request of `ago` seconds ended; None: by a fault of our own. `now` in seconds since the epoch."""
        self.in_flight -= 1
        self.unsettled += 1
        if succeeded is not None:
            self.proven = succeeded
            self.successes += succeeded
            self.health.note(succeeded, now, now - ago)

    def rest(self, now: float, epoch: float) -> float:
        """Seconds during which nothing more may be sent: the breaker is open, or the rate is used up."""
        return max(0.0, self.health.open_until - epoch, self.paced - now)

    def report(self, rest: float = 0.0, paced_until: float = 0.0) -> Report:
        """`rest` in seconds; `paced_until` is when the rate allows the next request, in seconds since the epoch."""
        health = self.health.dump() | ({"paced_until": paced_until} if self.endpoint.rate else {})
        return Report(self.lease, self.proven, self.successes > 0, health, rest)

    def wants(self, share: int) -> Want | None:
        """What to read so that it never runs dry; None while it has enough."""
        if self.closing or self.exhausted or len(self.waiting) > share // 4:
            return None
        in_hand = len(self.waiting) + self.in_flight + self.unsettled  # may all be found once more
        return Want(self.endpoint.id, share - len(self.waiting) + in_hand, self.since)

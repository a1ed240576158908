"""What a courier holds in its hand: leased lanes, and the deliveries read from them; all of it this process's alone."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from django.conf import settings

from . import crashpoints, endpoints, lanes, order
from .breaker import Health, Rules
from .endpoints import Endpoint
from .lanes import Due, Lease, Report
from .settle import Outcome

logger = logging.getLogger(__name__)

# Shares of a lease. A request lasts three quarters of one at most (endpoints.py); it is started only if it ends a
# little before the lease does, and leases are renewed early enough for that.
MARGIN, RENEW_AFTER = 1 / 40, 1 / 8
# Requests in flight to a receiver that has not answered 2xx lately: few, so that it takes many dead ones to fill their
# half of the window.
UNPROVEN_CAP = 4
# Seconds by which a request may be early so that a rate of hundreds a second does not follow the ticks of our loop; and
# seconds to the next request of a slow rate from which on the lane is given back meanwhile.
EARLY, REST = 0.05, 1.0
# Deliveries read ahead, of all lanes together, and of one lane at least: bounds memory whatever the backlog.
READ_AHEAD, LEAST_READ = 512, 8
# Seconds between two checks of leases and of subscriptions that were edited meanwhile; for short leases, a share.
TEND, TEND_SHARE = 1.0, 1 / 16


@dataclass
class HeldLane:
    """One leased lane: what waits in memory, what is in flight, and how much more it may have."""

    lease: Lease
    endpoint: Endpoint
    health: Health
    waiting: deque[Due] = field(default_factory=deque)
    in_flight: int = 0
    unsettled: int = 0
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

    def take_next(self, now: float) -> Due:
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

    def wants(self, share: int) -> int:
        """How many more to read so that it never runs dry; 0 while it has enough."""
        if self.closing or self.exhausted or len(self.waiting) > share // 4:
            return 0
        return share - len(self.waiting)


class Hand:
    """The lanes that one courier holds."""

    def __init__(self, holder: str) -> None:
        self.holder = holder
        self.lanes: dict[UUID, HeldLane] = {}
        self._deliveries: set[UUID] = set()
        """Read and not yet settled; the next read leaves them out."""
        self._tended_at = 0.0
        self._rules = Rules(
            settings.BREAKER_FAILURES,
            settings.BREAKER_ATTEMPTS,
            settings.BREAKER_PAUSE,
            settings.BREAKER_LONGEST_PAUSE,
            settings.OFFLINE_AFTER_FAILURES,
        )

    def lease(self, limit: int) -> int:
        """Takes up to `limit` due lanes; answers how many there were."""
        taken = lanes.lease(self.holder, limit)
        known = endpoints.at({lease.subscription_id: lease.version for lease in taken})
        for lease in taken:
            if lease.taken_over:
                logger.warning("took over the lane of subscription %s", lease.subscription_id)
            if endpoint := known.get(lease.subscription_id):  # else deleted this moment, and the lane with it
                health, closing = Health(self._rules, lease.health), not endpoint.online
                self.lanes[endpoint.id] = HeldLane(lease, endpoint, health, proven=lease.proven, closing=closing)
        return len(taken)

    def look_again(self) -> None:
        """More may have come to lanes that were read to their end."""
        for lane in self.lanes.values():
            lane.exhausted = False

    def read(self) -> None:
        """Fills up the lanes that run low, in one statement."""
        share = max(LEAST_READ, READ_AHEAD // max(1, len(self.lanes)))
        wanted = {key: count for key, lane in self.lanes.items() if (count := lane.wants(share))}
        if not wanted:
            return
        found = lanes.read(wanted, self._deliveries)
        for due in found:
            wanted[due.subscription_id] -= 1
        for due in order.sift(found, (self.lanes[key].lease for key in wanted)):
            self._deliveries.add(due.id)
            self.lanes[due.subscription_id].waiting.append(due)
        for key, missing in wanted.items():
            self.lanes[key].exhausted = missing > 0

    def settled(self, outcomes: Iterable[Outcome]) -> None:
        for outcome in outcomes:
            self._deliveries.discard(outcome.delivery_id)
            if lane := self.of(outcome.subscription_id, outcome.token):
                lane.unsettled -= 1
                if outcome.in_order:
                    lane.exhausted = False  # the next event of its case may go on

    def of(self, subscription_id: UUID, token: UUID) -> HeldLane | None:
        """The lane, if it is still held under the same lease."""
        lane = self.lanes.get(subscription_id)
        return lane if lane and lane.lease.token == token else None

    def close(self, lane: HeldLane) -> None:
        """Nothing more is started; what waits in memory goes back to waiting in the database."""
        lane.closing = True
        self._deliveries.difference_update(due.id for due in lane.waiting)
        lane.waiting.clear()

    def close_all(self) -> None:
        for lane in self.lanes.values():
            self.close(lane)

    def give_back(self, epoch: float) -> None:
        """Lanes that are drained go back, in one transaction; those of a slow rate until their next request."""
        now = time.monotonic()
        for lane in self.lanes.values():
            if lane.waiting and lane.paced - now > REST:
                self.close(lane)
        drained = [lane for lane in self.lanes.values() if lane.is_drained]
        if not drained:
            return
        lanes.release([lane.report(lane.rest(now, epoch), epoch + lane.paced - now) for lane in drained])
        for lane in drained:
            del self.lanes[lane.endpoint.id]

    def tend(self) -> float | None:
        """Once a second: renews leases, drops lost ones, learns what people changed. Answers the database's time."""
        now, lasts = time.monotonic(), settings.DELIVERY_LEASE
        if not self.lanes or now - self._tended_at < min(TEND, TEND_SHARE * lasts):
            return None
        self._tended_at = now
        old = now + lasts - RENEW_AFTER * lasts
        self._renew([lane for lane in self.lanes.values() if lane.lease.ends < old])
        return self._refresh()

    def _renew(self, rows: list[HeldLane]) -> None:
        if not rows:
            return
        crashpoints.reached("renewing")
        ours, ends = lanes.renew([lane.report() for lane in rows])
        for lane in rows:
            if lane.endpoint.id in ours:
                lane.lease = lanes.prolonged(lane.lease, ends)
            else:
                self.close(lane)

    def _refresh(self) -> float | None:
        versions, epoch = endpoints.versions(self.lanes)
        changed = [key for key, lane in self.lanes.items() if versions.get(key) != lane.endpoint.version]
        fresh = endpoints.load(changed) if changed else {}
        for key in changed:
            if key in fresh and fresh[key].online:
                self.lanes[key].endpoint = fresh[key]
            else:
                self.close(self.lanes[key])
        return epoch

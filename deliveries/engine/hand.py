"""What a courier holds in its hand: leased lanes, and the deliveries read from them; all of it this process's alone."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from django.conf import settings

from . import endpoints, lanes
from .endpoints import Endpoint
from .lanes import Due, Lease
from .settle import Outcome

logger = logging.getLogger(__name__)

# Shares of a lease. A request lasts three quarters of one at most (endpoints.py); it is started only if it ends a
# little before the lease does, and leases are renewed early enough for that.
MARGIN, RENEW_AFTER = 1 / 40, 1 / 8
# Requests in flight to a receiver that has not answered 2xx lately: few, so that it takes many dead ones to fill their
# half of the window.
UNPROVEN_CAP = 4
# Deliveries read ahead, of all lanes together, and of one lane at least: bounds memory whatever the backlog.
READ_AHEAD, LEAST_READ = 512, 8
# Seconds between two checks of leases and of subscriptions that were edited meanwhile; for short leases, a share.
TEND, TEND_SHARE = 1.0, 1 / 16


@dataclass
class HeldLane:
    """One leased lane: what waits in memory, what is in flight, and how much more it may have."""

    lease: Lease
    endpoint: Endpoint
    waiting: deque[Due] = field(default_factory=deque)
    in_flight: int = 0
    unsettled: int = 0
    exhausted: bool = False
    """The last read found fewer deliveries than asked for."""
    closing: bool = False
    """Offline, lost, or to be given back: nothing more is started."""
    proven: bool = False
    """The last answer was 2xx."""
    succeeded: bool = False
    """An answer under this lease was 2xx."""

    @property
    def cap(self) -> int:
        """Requests it may have in flight: one until the first success, when the courier before us vanished."""
        if self.lease.taken_over and not self.succeeded:
            return 1
        most: int = settings.DELIVERY_LANE_IN_FLIGHT
        return most if self.proven else min(most, UNPROVEN_CAP)

    @property
    def startable(self) -> int:
        """How many of the deliveries that wait could be started if there were slots."""
        return 0 if self.closing else min(len(self.waiting), max(0, self.cap - self.in_flight))

    @property
    def is_drained(self) -> bool:
        return not self.waiting and not self.in_flight and not self.unsettled and (self.exhausted or self.closing)

    def may_start(self, now: float) -> bool:
        """Whether a request started now is allowed, and ends before the lease does (monotonic clock)."""
        if not self.waiting or self.closing or self.in_flight >= self.cap:
            return False
        return now + self.endpoint.limits.timeout + MARGIN * settings.DELIVERY_LEASE < self.lease.ends

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

    def startable(self, *, proven: bool) -> int:
        """Slots that lanes of this kind could use now."""
        return sum(lane.startable for lane in self.lanes.values() if lane.proven is proven)

    def lease(self, limit: int) -> int:
        """Takes up to `limit` due lanes; answers how many there were."""
        taken = lanes.lease(self.holder, limit)
        known = endpoints.at({lease.subscription_id: lease.version for lease in taken})
        for lease in taken:
            if lease.taken_over:
                logger.warning("took over the lane of subscription %s", lease.subscription_id)
            if endpoint := known.get(lease.subscription_id):  # else deleted this moment, and the lane with it
                closing = not endpoint.online
                self.lanes[endpoint.id] = HeldLane(lease, endpoint, proven=lease.proven, closing=closing)
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
            self._deliveries.add(due.id)
            self.lanes[due.subscription_id].waiting.append(due)
            wanted[due.subscription_id] -= 1
        for key, missing in wanted.items():
            self.lanes[key].exhausted = missing > 0

    def settled(self, outcomes: Iterable[Outcome]) -> None:
        for outcome in outcomes:
            self._deliveries.discard(outcome.delivery_id)
            if lane := self.of(outcome.subscription_id, outcome.token):
                lane.unsettled -= 1

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

    def give_back(self) -> None:
        """Lanes that are drained go back, in one transaction."""
        drained = [lane for lane in self.lanes.values() if lane.is_drained]
        if not drained:
            return
        lanes.release([(lane.lease, lane.proven) for lane in drained])
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
        ours, ends = lanes.renew([(lane.lease, lane.succeeded) for lane in rows])
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

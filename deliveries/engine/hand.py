"""What a courier holds in its hand: leased lanes, and the deliveries read from them; all of it this process's alone."""

from __future__ import annotations

import logging
import math
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import timedelta
from itertools import takewhile
from uuid import UUID

from django.conf import settings

from . import crashpoints, due, endpoints, lanes, order
from .breaker import Health, Rules
from .due import Due, Ready
from .envelope import Parts
from .held import EARLY, HeldLane
from .session import Reading
from .settle import Outcome, give_up

logger = logging.getLogger(__name__)

# The share of a lease after which it is renewed. A request lasts three quarters of one at most (endpoints.py) and must
# end a little before the lease does (held.MARGIN): the renewal leaves room for that.
RENEW_AFTER = 1 / 8
# Seconds to the next request of a slow rate from which on the lane is given back meanwhile.
REST = 1.0
# Deliveries read ahead, of all lanes together, and of one lane at least; bytes of all that is in hand: they bound
# memory, whatever waits.
READ_AHEAD, LEAST_READ = 512, 8
AHEAD_BYTES = 32 * 2**20
# What is committed late has a due time before what was read meanwhile: by as much as a transaction takes.
OVERLAP = timedelta(seconds=5)
# Seconds between two checks of leases and of subscriptions that were edited meanwhile; for short leases, a share.
TEND, TEND_SHARE = 1.0, 1 / 16


class Hand:
    """The lanes that one courier holds."""

    def __init__(self, holder: str) -> None:
        self.holder = holder
        self.lanes: dict[UUID, HeldLane] = {}
        self._leased: list[lanes.Lease] = []
        """Ours, and not yet in `lanes`."""
        self._payloads = due.Payloads()
        self._deliveries: dict[str, int] = {}
        """Read and not yet settled, with the bytes they say; the next read leaves them out."""
        self._bytes = 0
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
        self._leased += taken
        self._take_up()
        return len(taken)

    def _take_up(self) -> None:
        """Makes what was leased ready to be served; what the database failed over is done once it is back."""
        known = endpoints.at({lease.subscription_id: lease.version for lease in self._leased})
        for lease in self._leased:
            if lease.taken_over:
                logger.warning("took over the lane of subscription %s", lease.subscription_id)
            if endpoint := known.get(lease.subscription_id):  # else deleted this moment, and the lane with it
                if still_in_hand := self.lanes.get(endpoint.id):
                    self.close(still_in_hand)  # its lease ended unseen: we slept
                health, closing = Health(self._rules, lease.health), not endpoint.online
                self.lanes[endpoint.id] = HeldLane(lease, endpoint, health, proven=lease.proven, closing=closing)
        self._leased = []

    @property
    def is_empty(self) -> bool:
        return not self.lanes and not self._leased

    def next_start(self) -> float:
        """Seconds until a rate allows a lane its next request; infinite when nothing waits for that."""
        paced = [lane.paced for lane in self.lanes.values() if lane.waiting and lane.endpoint.rate]
        return max(0.0, min(paced) - EARLY - time.monotonic()) if paced else math.inf

    def look_again(self) -> None:
        """More may have come to lanes that were read to their end, some of it with an earlier due time."""
        for lane in self.lanes.values():
            if lane.exhausted and lane.since:
                lane.since = min(lane.since, lane.read_to - OVERLAP)
            lane.exhausted = False

    def read(self) -> None:
        """Fills up the lanes that run low: two statements, whatever there is to read."""
        share = max(LEAST_READ, READ_AHEAD // max(1, len(self.lanes)))
        wants = [want for lane in self.lanes.values() if (want := lane.wants(share))]
        if not wants or self._bytes >= AHEAD_BYTES:
            return
        found = due.read(wants)
        new = [row for row in found if row.id not in self._deliveries]
        told = self._payloads.of((row.payload_id for row in new), AHEAD_BYTES - self._bytes)
        kept = list(takewhile(lambda row: row.payload_id in told, new))
        self._take(kept, told)
        counts = Counter(row.subscription_id for row in found)
        for want in wants:
            self.lanes[want.subscription_id].exhausted = counts[want.subscription_id] < want.most and kept == new

    def _take(self, rows: list[Due], told: Mapping[str, Parts | None]) -> None:
        for row in rows:
            lane = self.lanes[row.subscription_id]
            lane.since, lane.read_to = row.due_at, max(lane.read_to, row.due_at)
        tokens = {row.subscription_id: self.lanes[row.subscription_id].lease.token for row in rows}
        if gone := [row for row in rows if told[row.payload_id] is None]:
            give_up(gone, tokens)
        for row in order.sift(rows, tokens):
            if parts := told[row.payload_id]:
                self._deliveries[row.id] = parts.size
                self._bytes += parts.size
                self.lanes[row.subscription_id].waiting.append(Ready(row, parts))

    def settled(self, outcomes: Iterable[Outcome]) -> None:
        for outcome in outcomes:
            self._forget(outcome.delivery_id)
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
        for ready in lane.waiting:
            self._forget(ready.due.id)
        lane.waiting.clear()

    def _forget(self, delivery_id: str) -> None:
        self._bytes -= self._deliveries.pop(delivery_id, 0)

    def close_all(self) -> None:
        for lane in self.lanes.values():
            self.close(lane)

    def give_back(self, epoch: float) -> bool:
        """Lanes that are drained go back, in one transaction; those of a slow rate until their next request.

        Answers whether one of them is due again: something came meanwhile.
        """
        now = time.monotonic()
        for lane in self.lanes.values():
            if lane.waiting and lane.paced - now > REST:
                self.close(lane)
        drained = [lane for lane in self.lanes.values() if lane.is_drained]
        if not drained:
            return False
        due_again = lanes.release([lane.report(lane.rest(now, epoch), epoch + lane.paced - now) for lane in drained])
        for lane in drained:
            del self.lanes[lane.endpoint.id]
        return due_again

    def tend(self) -> Reading | None:
        """Once a second: renews leases, drops lost ones, learns what people changed. Answers the database's time."""
        if self._leased:
            self._take_up()
        now, lasts = time.monotonic(), settings.DELIVERY_LEASE
        if not self.lanes or now - self._tended_at < min(TEND, TEND_SHARE * lasts):
            return None
        self._tended_at = now
        for lane in self.lanes.values():
            lane.since = None  # what was committed later still, or behind a backlog, is found now
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

    def _refresh(self) -> Reading | None:
        versions, reading = endpoints.versions(self.lanes)
        changed = [key for key, lane in self.lanes.items() if versions.get(key) != lane.endpoint.version]
        fresh = endpoints.load(changed) if changed else {}
        for key in changed:
            if key in fresh and fresh[key].online:
                self.lanes[key].endpoint = fresh[key]
            else:
                self.close(self.lanes[key])
        return reading

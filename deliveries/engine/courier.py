"""The courier: builds events, leases lanes, keeps hundreds of requests in flight and settles what comes back.

One courier runs in one process, in one thread; `run()` is one life of the Celery task. It never holds a transaction or
a lock while a request is in flight. What it leaves undone at a crash, another courier takes over when its leases end.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from uuid import UUID

from requests.exceptions import InvalidURL

from . import crashpoints, fanout, health, lanes, outcomes, transport
from .envelope import Counters, body
from .hand import Hand
from .held import HeldLane
from .lookout import GLANCE, LOOK, Lookout
from .outcomes import Sent
from .session import Session
from .settle import Outcome, settle
from .slots import Slots

logger = logging.getLogger(__name__)

# Outcomes, and seconds since the first of them, after which they are written.
SETTLE_AT, SETTLE_AFTER = 100, 0.02
# Lanes taken at first; doubled while they prove shallow, so that many small lanes cost few statements.
APPETITE, GREATEST_APPETITE = 4, 128
# Seconds between two lines in the log about faults of our own.
COMPLAIN = 5.0
UNSENDABLE = "The subscription's URL, headers or secret cannot be used; edit it."


class Courier:
    """One worker process's delivery loop."""

    def __init__(
        self,
        name: str,
        window: transport.Window[Sent],
        domain: fanout.Domain,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        """`name` is who sent it, in each attempt; `stopping` turns true once the worker was told to stop."""
        self._name = name
        self._window = window
        self._domain = domain
        self._session = Session()
        self._hand = Hand(name)
        self._lookout = Lookout(name, stopping)
        self._done: list[Outcome] = []
        self._done_since = 0.0
        self._going_offline: dict[UUID, tuple[str, int | None]] = {}
        """Subscriptions, why, and how often they had been forgiven by then."""
        self._appetite = APPETITE
        self._slots = Slots(window)
        self._complained_at = -COMPLAIN

    def run(self) -> float | None:
        """Works until there is nothing to do, or for DELIVERY_BOUND seconds and until another courier is at work.

        Answers in how many seconds the next retry is due; None when none is. Raises OperationalError when the
        database stays away.
        """
        self._session.open()
        self._window.listen(self._lookout.listen())
        try:
            while not self._is_finished():
                self._step()
            return lanes.seconds_until_due()
        finally:
            self._window.listen(None)
            self._lookout.rest()
            self._session.close()

    def _step(self) -> None:
        self._session.run(self._take)
        self._launch()
        for finished in self._window.wait(self._pause()):
            self._note(finished)
        if self._window.was_interrupted() and not self._lookout.hear():
            self._window.listen(None)
        self._session.run(self._write)

    def _is_finished(self) -> bool:
        if self._window.in_flight or self._done or not self._hand.is_empty or self._session.is_down:
            return False
        if not self._lookout.is_taking:
            return True
        return (self._lookout.is_idle or self._lookout.is_past_its_bound) and self._lookout.may_leave()

    def _pause(self) -> float:
        """How long the window may wait for answers before something else is to be done."""
        if self._session.pause():
            return min(self._session.pause(), LOOK)
        if self._lookout.is_taking and self._lookout.hungry and self._room() > 0:
            return 0.0
        if self._done:
            left = self._done_since + SETTLE_AFTER - time.monotonic()
            return max(0.0, left) if self._window.in_flight else 0.0
        return GLANCE if self._lookout.is_deaf else min(LOOK, max(GLANCE, self._hand.next_start()))

    def _room(self) -> int:
        return self._slots.room(self._hand.lanes.values(), time.monotonic())

    # Taking work: build events, lease lanes, read deliveries.

    def _take(self) -> None:
        if reading := self._hand.tend():
            self._session.set_clock(reading, time.monotonic())
        if not self._lookout.is_taking:
            self._hand.close_all()
        elif self._lookout.is_time_to_look(self._room() > 0):
            self._look()
        self._hand.read()

    def _look(self) -> None:
        self._lookout.hungry = True  # until it is done: the flag is down already, and the database may fail
        if self._lookout.is_deaf:
            self._window.listen(self._lookout.listen())
        built = fanout.fan_out(self._domain)
        if built:
            crashpoints.reached("built")
        self._hand.look_again()
        leased = self._hand.lease(self._appetite) if self._room() > 0 else 0
        shallow = leased >= self._appetite
        more = built >= fanout.BATCH or shallow or self._room() <= 0
        self._lookout.looked(found=bool(built or leased), more=more)
        self._appetite = min(self._appetite * 2, GREATEST_APPETITE) if shallow else APPETITE

    # Sending: one request of each lane in turn, while there are slots.

    def _launch(self) -> None:
        ready = self._startable(self._hand.lanes.values())
        while ready and self._window.free:
            ready.sort(key=lambda lane: lane.in_flight)  # a slot that comes free goes to who has the fewest
            for lane in ready:
                now = time.monotonic()  # for each: a process that is stopped here goes on when its leases are over
                if lane.may_start(now) and self._slots.may_take(lane):
                    self._send(lane, now)
            ready = self._startable(ready)

    def _startable(self, lanes: Iterable[HeldLane]) -> list[HeldLane]:
        now = time.monotonic()
        return [lane for lane in lanes if lane.may_start(now) and self._slots.may_take(lane)]

    def _send(self, lane: HeldLane, now: float) -> None:
        (due, parts), endpoint = lane.take_next(now), lane.endpoint
        self._slots.take(lane)
        epoch = int(self._session.epoch())
        remaining = max(0, endpoint.max_retries - due.retries)
        counters = Counters(epoch, due.attempts, remaining)
        payload = body(due.event_name, due.sub_event, due.event_id, counters, parts)
        try:
            request = endpoint.request(due.event_id, epoch, payload)
        except ValueError:
            sent = Sent(due, lane.lease, endpoint, time.monotonic(), lane.proven, remaining, {})
            self._note(transport.Finished(sent, None, InvalidURL(UNSENDABLE), 0.0))
            return
        sent = Sent(due, lane.lease, endpoint, time.monotonic(), lane.proven, remaining, endpoint.shown(request))
        self._window.start(sent, request, endpoint.limits)
        crashpoints.reached("sent")

    def _note(self, finished: transport.Finished[Sent]) -> None:
        sent = finished.key
        epoch = self._session.epoch()
        outcome, goes_offline = outcomes.judge(sent, finished, epoch)
        if not self._done:
            self._done_since = time.monotonic()
        self._done.append(outcome)
        self._slots.give_back(sent.endpoint.host, sent.proven)
        if outcome.error == outcomes.OWN_FAULT:
            self._complain(finished.error)
        if goes_offline:
            self._going_offline[sent.due.subscription_id] = health.GONE, None
        if lane := self._hand.of(sent.due.subscription_id, sent.lease.token):
            lane.note(outcomes.succeeded(outcome), epoch, outcome.ago)
            self._mind_the_health(lane, epoch)
            if goes_offline:
                self._hand.close(lane)

    def _complain(self, fault: Exception | None) -> None:
        """What is our own fault is no receiver's business, but our operators': every few seconds, in our own words."""
        if time.monotonic() - self._complained_at > COMPLAIN:
            self._complained_at = time.monotonic()
            logger.warning("a fault of our own kept a request from being sent: %s", fault)

    def _mind_the_health(self, lane: HeldLane, epoch: float) -> None:
        if lane.health.is_open(epoch):
            self._hand.close(lane)
        if not lane.endpoint.promoted and (reason := lane.health.why_offline(epoch)):
            self._hand.close(lane)
            self._going_offline.setdefault(lane.endpoint.id, (reason, lane.health.forgiven))

    # Writing: outcomes in bulk, lanes back when they are drained.

    def _write(self) -> None:
        if self._must_settle():
            crashpoints.reached("settling")
            settle(self._done, self._name)
            self._hand.settled(self._done)
            self._done = []
            self._lookout.worked()
        while self._going_offline:
            key, why = next(iter(self._going_offline.items()))
            health.go_offline(key, *why)
            del self._going_offline[key]
        if self._hand.give_back(self._session.epoch()):
            self._lookout.hungry = True  # who built it found the lane in our hand, and nobody rings again

    def _must_settle(self) -> bool:
        if not self._done:
            return False
        waited = time.monotonic() - self._done_since
        full = len(self._done) >= SETTLE_AT or waited >= SETTLE_AFTER or not self._window.in_flight
        return full or any(outcome.in_order for outcome in self._done)  # the next event of its case waits for it

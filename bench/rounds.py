"""Rounds of a courier's work with the database, timed: no request is sent. Import it once Django is set up."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

from django.db import connection

from deliveries import tasks
from deliveries.engine import endpoints, fanout, retention
from deliveries.engine.hand import Hand
from deliveries.engine.held import HeldLane
from deliveries.engine.outcomes import AUTOMATIC_RETRY
from deliveries.engine.settle import SUCCEEDED, Outcome, settle
from deliveries.models import Attempt

from .backlog import RECEIVED, SENT

BATCH = 100
"""Outcomes of one round; what else was read goes back."""
LAST = UUID(int=2**128 - 1)
"""The greatest key."""
PARTS = ("lease", "read", "settle", "release")

DUE_ONLY = """
UPDATE deliveries_lane l SET due_at = CASE WHEN subscription_id = ANY(%s::uuid[]) AND EXISTS (
    SELECT FROM deliveries_delivery d WHERE d.subscription_id = l.subscription_id AND d.state = 0
) THEN clock_timestamp() END
"""
# As much comes in as was sent: the rounds all find the same backlog.
REFILL = """
WITH due AS (
    UPDATE deliveries_lane SET due_at = clock_timestamp() WHERE due_at IS NULL AND subscription_id = ANY(%s::uuid[])
)
INSERT INTO deliveries_delivery (id, workspace_id, subscription_id, event_id, payload_id, event_name, sub_event,
                                 case_id, sequence, ordered, state, reason, due_at, attempts, retries, next_type,
                                 created_at)
SELECT deliveries_uuid7(), workspace_id, subscription_id, event_id, payload_id, event_name, sub_event, case_id,
       sequence, ordered, 0, '', clock_timestamp(), 0, 0, 0, clock_timestamp()
FROM deliveries_delivery WHERE id = ANY(%s::uuid[])
"""


def make_due(subscriptions: list[UUID]) -> None:
    """The lanes of these, and no others. Their endpoints are known, as to a courier that has run for long."""
    endpoints.load(subscriptions)
    with connection.cursor() as cursor:
        cursor.execute(DUE_ONLY, [[str(key) for key in subscriptions]])


def take(lanes: int) -> dict[str, float]:
    """Milliseconds of each part of one round with up to so many lanes: all succeed, and as many wait afterwards."""
    hand = Hand("bench")
    moments = [time.perf_counter()]
    hand.lease(lanes)
    moments.append(time.perf_counter())
    hand.read()
    moments.append(time.perf_counter())
    done = list(itertools.islice(_answers(hand), BATCH))
    if not done:
        raise RuntimeError("A round must find work.")
    pause = time.perf_counter() - moments[-1]
    settle(done, "bench")
    moments.append(time.perf_counter() - pause)
    hand.settled(done)
    hand.close_all()
    hand.give_back(time.time())
    moments.append(time.perf_counter() - pause)
    if hand.lanes:
        raise RuntimeError("A round must give all lanes back.")
    with connection.cursor() as cursor:
        owners = {str(outcome.subscription_id) for outcome in done}
        cursor.execute(REFILL, [list(owners), [str(outcome.delivery_id) for outcome in done]])
    return {
        part: 1000 * (after - before) for part, (before, after) in zip(PARTS, itertools.pairwise(moments), strict=True)
    }


def _answers(hand: Hand) -> Iterator[Outcome]:
    """Each lane's deliveries in turn, as if their receivers had said 200."""
    now = time.monotonic()
    ready = list(hand.lanes.values())
    while ready := [lane for lane in ready if lane.waiting]:
        for lane in ready:
            yield _answered(lane, now)


def _answered(lane: HeldLane, now: float) -> Outcome:
    due = lane.take_next(now).due
    lane.note(True, time.time(), 0.001)
    return Outcome(
        delivery_id=due.id,
        subscription_id=due.subscription_id,
        token=lane.lease.token,
        state=SUCCEEDED,
        reason="",
        delay=0.0,
        attempts=due.attempts + 1,
        retries=due.retries,
        next_type=AUTOMATIC_RETRY,
        type=due.next_type,
        url=lane.endpoint.url,
        status_code=200,
        error="",
        response_body="ok",
        ago=0.001,
        duration_ms=1,
        remaining=lane.endpoint.max_retries,
        request_headers=SENT,
        response_headers=RECEIVED,
        in_order=due.in_order,
    )


def fan_out() -> float:
    """Milliseconds for one batch of events."""
    began = time.perf_counter()
    if fanout.fan_out(tasks.DOMAIN) != fanout.BATCH:
        raise RuntimeError("A whole batch of events must be waiting.")
    return 1000 * (time.perf_counter() - began)


def expire() -> float:
    """Milliseconds to remove one chunk of the oldest deliveries, as if all were past the retention."""
    retention.RECENT = timedelta()  # nor touched within the hour
    began = time.perf_counter()
    if next(retention.expire_deliveries(LAST)).deliveries != retention.CHUNK:
        raise RuntimeError("A whole chunk of deliveries must be there.")
    return 1000 * (time.perf_counter() - began)


def history(delivery: UUID) -> float:
    """Milliseconds to read all attempts of one delivery, as its page does."""
    began = time.perf_counter()
    if not list(Attempt.objects.of([delivery]).order_by("-started_at", "-id")):
        raise RuntimeError("The delivery must have attempts.")
    return 1000 * (time.perf_counter() - began)

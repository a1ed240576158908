"""How a subscription fares: what became of its deliveries of a range of time, and how its receiver answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction

from workspaces.identifiers import EPOCH, lowest_id

from .engine import faults
from .engine.statements import BY_INDEX_HERE
from .models import CLOCK_STEP, Delivery, Subscription

LONGEST = timedelta(days=31)
USUAL = timedelta(days=1)
"""The range of somebody who does not say."""
MOST = 10_000
"""Deliveries of each kind that are looked at, the newest of those that were tried: a constant cost, however many there
are. By then a percentile is as exact as anybody can use."""

# The part of a range that was tried, by delivery_log_webhook; its attempts, by attempt_delivery.
TRIED = """
WITH tried AS MATERIALIZED (
    SELECT id, state, created_at FROM deliveries_delivery
    WHERE subscription_id = %(id)s AND last_attempt_at IS NOT NULL
        AND created_at >= %(since)s AND created_at < %(until)s
    ORDER BY created_at DESC, id DESC LIMIT %(most)s
), states AS (
    SELECT array_agg(state) AS found, array_agg(number) AS numbers, min(first) AS first
    FROM (SELECT state, count(*) AS number, min(created_at) AS first FROM tried GROUP BY state) AS each_state
)
SELECT (SELECT found FROM states), (SELECT numbers FROM states), (SELECT first FROM states),
    count(attempt.id),
    count(*) FILTER (WHERE status_code BETWEEN 200 AND 299),
    count(*) FILTER (WHERE error = %(ours)s),
    percentile_disc(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY duration_ms) FILTER (WHERE status_code IS NOT NULL)
FROM tried JOIN deliveries_attempt AS attempt ON attempt.delivery_id = tried.id AND attempt.id >= %(first_key)s
"""
# The part that was not, by the indexes of what waits: delivery_due, delivery_recoverable, delivery_in_order. Two of
# them do not know when a delivery was recorded, so the cap is on what is read, not on what is found.
UNTRIED = """
SELECT state, count(*) FILTER (WHERE last_attempt_at IS NULL AND created_at >= %(since)s AND created_at < %(until)s),
    max(number)
FROM (
    (SELECT state, created_at, last_attempt_at, count(*) OVER () AS number FROM (
        SELECT state, created_at, last_attempt_at FROM deliveries_delivery
        WHERE subscription_id = %(id)s AND state = 0 ORDER BY due_at DESC LIMIT %(most)s) AS pending)
    UNION ALL
    (SELECT state, created_at, last_attempt_at, count(*) OVER () FROM (
        SELECT state, created_at, last_attempt_at FROM deliveries_delivery
        WHERE subscription_id = %(id)s AND state IN (2, 3) AND created_at >= %(since)s AND created_at < %(until)s
        ORDER BY created_at DESC LIMIT %(most)s) AS stuck)
    UNION ALL
    (SELECT state, created_at, last_attempt_at, number FROM (
        SELECT state, created_at, last_attempt_at, count(*) OVER () AS number FROM (
            SELECT state, created_at, last_attempt_at FROM deliveries_delivery
            WHERE subscription_id = %(id)s AND ordered AND state IN (0, 3, 4) LIMIT %(most)s) AS unresolved
        ) AS in_order WHERE state = 4)
) AS waiting
GROUP BY state
"""


@dataclass(frozen=True)
class Stats:
    """Of the deliveries recorded in a range."""

    deliveries: dict[Delivery.State, int]
    """By the state they have now."""
    attempts: int
    """All of these deliveries' attempts, ..."""
    succeeded: int
    """... those that were answered 2xx ..."""
    own_faults: int
    """... and those that failed by our own fault: no success, and not the receiver's failure either."""
    p50: int | None
    """Milliseconds that an answer took, whatever it was; None: there was no answer."""
    p95: int | None
    complete: bool
    """False: there were more than MOST; only so many were looked at."""
    first: datetime | None
    """When the first of the tried deliveries that were looked at was recorded."""

    @property
    def success_rate(self) -> float | None:
        """Of the attempts that were the receiver's to answer."""
        charged = self.attempts - self.own_faults
        return round(self.succeeded / charged, 4) if charged else None


def of(subscription: Subscription, since: datetime, until: datetime) -> Stats:
    """Of deliveries recorded from `since` on and before `until`; two statements of bounded cost.

    Raises ValidationError for a range that is none, or longer than LONGEST.
    """
    if until <= since:
        raise ValidationError({"until": "The end must be later than the beginning."})
    if until - since > LONGEST:
        raise ValidationError({"since": f"A range is {LONGEST.days} days at most; ask for a longer one in parts."})
    values: dict[str, Any] = {"id": subscription.pk, "since": since, "until": until, "most": MOST}
    values |= {"ours": faults.OwnFault.code, "first_key": lowest_id(max(since, EPOCH + CLOCK_STEP) - CLOCK_STEP)}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"{BY_INDEX_HERE}; {TRIED}", values)
        tried = cursor.fetchone()
        cursor.execute(UNTRIED, values)
        return _stats(tried, cursor.fetchall())


def _stats(tried: Any, untried: list[tuple[int, int, int]]) -> Stats:
    states, numbers, first, attempts, succeeded, own_faults, latency = tried
    found = dict.fromkeys(Delivery.State, 0)
    for state, number in [*zip(states or (), numbers or (), strict=True), *(row[:2] for row in untried)]:
        found[Delivery.State(state)] += number
    read = [sum(numbers or ()), *(looked_at for _, _, looked_at in untried)]
    p50, p95 = latency or (None, None)
    return Stats(found, attempts, succeeded, own_faults, p50, p95, max(read) < MOST, first)

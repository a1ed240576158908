"""How a subscription fares: what became of its deliveries of a range of time, and how its receiver answered."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone

from workspaces.identifiers import lowest_id, made_at

from .engine import faults
from .engine.statements import BY_INDEX_HERE
from .models import CLOCK_STEP, Delivery, Subscription

LONGEST = timedelta(days=31)
USUAL = timedelta(days=1)
"""The range of somebody who does not say."""
MOST = 5_000
"""Deliveries of each kind that are looked at, the newest of those that were tried: a constant cost, however many there
are. By then a percentile is as exact as anybody can use."""

# The part of a range that was tried, by delivery_log_webhook.
TRIED = """
SELECT id, state, created_at FROM deliveries_delivery
WHERE subscription_id = %(id)s AND last_attempt_at IS NOT NULL
    AND created_at >= %(since)s AND created_at < %(until)s
ORDER BY created_at DESC, id DESC LIMIT %(most)s
"""
# By attempt_delivery, in the partitions of the days between the first of the deliveries and now.
ATTEMPTS = """
SELECT count(*), count(*) FILTER (WHERE status_code BETWEEN 200 AND 299), count(*) FILTER (WHERE error = %(ours)s),
    percentile_disc(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY duration_ms) FILTER (WHERE status_code IS NOT NULL)
FROM deliveries_attempt WHERE delivery_id = ANY(%(ids)s::uuid[]) AND id >= %(first_key)s AND id < %(last_key)s
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
    """False: there were as many as MOST, or more; only so many were looked at."""
    first: datetime | None
    """When the first of the tried deliveries that were looked at was recorded."""

    @property
    def success_rate(self) -> float | None:
        """Of the attempts that were the receiver's to answer."""
        charged = self.attempts - self.own_faults
        return round(self.succeeded / charged, 4) if charged else None


def of(subscription: Subscription, since: datetime, until: datetime) -> Stats:
    """Of deliveries recorded from `since` on and before `until`; three statements of bounded cost.

    Raises ValidationError for a range that is none, or longer than LONGEST.
    """
    if until <= since:
        raise ValidationError({"until": "The end must be later than the beginning."})
    if until - since > LONGEST:
        raise ValidationError({"since": f"A range is {LONGEST.days} days at most; ask for a longer one in parts."})
    values: dict[str, Any] = {"id": subscription.pk, "since": since, "until": until, "most": MOST}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"{BY_INDEX_HERE}; SET LOCAL enable_bitmapscan = off; {TRIED}", values)
        tried = cursor.fetchall()
        cursor.execute(ATTEMPTS, _attempts_of([row[0] for row in tried]))
        attempts = cursor.fetchone()
        cursor.execute(UNTRIED, values)
        untried = cursor.fetchall()
    return _stats(tried, attempts, untried)


def _attempts_of(ids: list[UUID]) -> dict[str, Any]:
    """None is older than its delivery or younger than now, but for a clock that was set back."""
    now = timezone.now()
    first, last = made_at(min(ids)) if ids else now, now
    keys = {"first_key": lowest_id(first - CLOCK_STEP), "last_key": lowest_id(last + CLOCK_STEP)}
    return {"ids": [str(key) for key in ids], "ours": faults.OwnFault.code, **keys}


def _stats(tried: list[Any], attempts: Any, untried: list[tuple[int, int, int]]) -> Stats:
    states = Counter(Delivery.State(state) for _, state, _ in tried)
    for state, number, _ in untried:
        states[Delivery.State(state)] += number
    number, succeeded, own_faults, latency = attempts
    p50, p95 = latency or (None, None)
    return Stats(
        deliveries={state: states[state] for state in Delivery.State},
        attempts=number,
        succeeded=succeeded,
        own_faults=own_faults,
        p50=p50,
        p95=p95,
        complete=max(len(tried), *(looked_at for _, _, looked_at in untried), 0) < MOST,
        first=tried[-1][2] if tried else None,
    )

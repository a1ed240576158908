"""The chore behind a Recovery: once a second it makes the next few deliveries due, evenly spaced in time.

A tick is one transaction under the locks of the subscription (people retry under it), of the job and of the lane. They
are taken without waiting, so nobody waits in a circle: whichever process comes second finds nothing to do, and
whichever dies has done nothing. All times are PostgreSQL's.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet, Subquery
from django.db.models.functions import Coalesce, Now

from deliveries.models import Delivery, Recovery, Subscription, turned_online

from . import fanout
from .health import ClockTimestamp

logger = logging.getLogger(__name__)

TASK = "deliveries.chores.recover"
# Deliveries a second, unless a job is told otherwise.
RATE = 20.0
# Seconds that live traffic may wait before a recovery stands back for it.
PATIENCE = 1.0
# Deliveries of one tick: some 50 ms. Jobs of one run of the chore; the sweep calls for another a second later.
MOST_ROWS, MOST_JOBS = 2000, 100
NO_ID = UUID(int=0)

# Held ones always. A failed one only if it was not tried since the job began: a job that starts over, because its
# subscription was offline for a time, must not try twice what fails again.
WANTED = """
subscription_id = %(subscription_id)s AND state IN (2, 3)
AND (created_at, id) > (%(after)s, %(after_id)s) AND created_at < %(until)s
AND (state = 3 OR NOT %(held_only)s AND (last_attempt_at IS NULL OR last_attempt_at < %(began)s))
"""
COUNT = f"SELECT count(*) FROM deliveries_delivery WHERE {WANTED}"  # noqa: S608  # here and below: of constants
# Why a job does nothing now. While a courier has the lane, as many overdue deliveries as may be in flight do not wait:
# they may be at a slow receiver. They are counted no further than it takes to tell; statement_timestamp(), since an
# index is not searched by the volatile clock_timestamp().
WAITS_FOR = """
CASE WHEN NOT l.open THEN 'online'
WHEN l.resume_at > clock_timestamp() THEN 'pause'
WHEN (SELECT count(*) FROM (
    SELECT FROM deliveries_delivery d WHERE d.subscription_id = l.subscription_id AND d.state = 0
        AND d.due_at < statement_timestamp() - %(patience)s * interval '1 s'
    LIMIT coalesce(s.max_in_flight, %(in_flight)s) + 1
) AS overdue) > CASE WHEN l.leased_until > clock_timestamp() THEN coalesce(s.max_in_flight, %(in_flight)s) ELSE 0 END
THEN 'live_traffic' ELSE '' END
"""
RUNNING = """
FROM deliveries_recovery r JOIN deliveries_lane l ON l.subscription_id = r.subscription_id
JOIN deliveries_subscription s ON s.id = r.subscription_id WHERE r.state = 'running'
"""
# Its turn comes a sweep early, so that the stream does not stop when the next one is late.
TURN = "l.open AND r.tick_at < clock_timestamp() + %(interval)s * interval '1 s'"
DUE = f"SELECT r.id {RUNNING} AND {TURN} ORDER BY r.tick_at LIMIT %(jobs)s"
TAKE = f"""
SELECT r.subscription_id, r.since, r.until, r.created_at, r.held_only, r.reached_at, r.reached_id, r.rate,
    greatest(r.tick_at, clock_timestamp()), extract(epoch FROM r.tick_at - clock_timestamp())::float8, {WAITS_FOR}
{RUNNING} AND r.id = %(job)s AND {TURN} FOR NO KEY UPDATE OF s, r, l SKIP LOCKED
"""  # noqa: S608
WAITING = f"SELECT r.id, {WAITS_FOR} {RUNNING} AND r.id = ANY(%(jobs)s::uuid[])"  # noqa: S608
RECOVER = f"""
WITH chosen AS (
    SELECT id, created_at, row_number() OVER (ORDER BY created_at, id) - 1 AS n FROM (
        SELECT id, created_at FROM deliveries_delivery WHERE {WANTED} ORDER BY created_at, id LIMIT %(rows)s
    ) AS oldest
), made_due AS (
    UPDATE deliveries_delivery d SET state = 0, reason = '', retries = 0, next_type = 2,
        due_at = %(begin)s + chosen.n / %(rate)s * interval '1 s'
    FROM chosen WHERE d.id = chosen.id AND d.state IN (2, 3)
)
SELECT created_at, id FROM chosen ORDER BY n
"""  # noqa: S608
# Whoever holds the lane reads due deliveries every moment, and once more when giving it back.
WAKE = "UPDATE deliveries_lane SET due_at = least(due_at, %s) WHERE subscription_id = %s"
NOTE = """
UPDATE deliveries_recovery SET recovered = recovered + %(made)s,
    tick_at = %(begin)s + %(made)s / %(rate)s * interval '1 s', reached_at = %(reached_at)s, reached_id = %(reached_id)s
WHERE id = %(job)s
"""

# Who waits goes to the end of the queue: a hundred that wait must not keep the others from their turn.
STAND_BACK = "UPDATE deliveries_recovery SET tick_at = %s WHERE id = %s"

# Who asked for a job that nobody asked for.
BY_ITSELF = "turned online, in ordered mode"


class Range(NamedTuple):
    """What a job covers, and how far it has come."""

    subscription_id: UUID
    since: datetime
    until: datetime
    began: datetime
    held_only: bool = False
    reached_at: datetime | None = None
    reached_id: UUID | None = None

    @property
    def parameters(self) -> dict[str, Any]:
        """Of WANTED."""
        after, after_id = self.reached_at or self.since, self.reached_id or NO_ID
        return {**self._asdict(), "after": after, "after_id": after_id}


class Turn(NamedTuple):
    """A job whose turn it is: the columns of TAKE."""

    range: Range
    rate: float
    begin: datetime
    """When its next delivery becomes due."""
    lead: float
    """Seconds from now until then; negative when the job is behind."""
    waits_for: str

    @property
    def rows(self) -> int:
        """How many to make due, so that the stream lasts until the sweep after the next one."""
        seconds = 2 * settings.SWEEP_INTERVAL - max(0.0, self.lead)
        return min(MOST_ROWS, max(1, int(seconds * self.rate)))


def run() -> int:
    """Gives each running job its turn; answers how many deliveries became due."""
    return sum(_guarded(job) for job in _due())


def _due() -> list[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(DUE, {"interval": settings.SWEEP_INTERVAL, "jobs": MOST_JOBS})
        return [row[0] for row in cursor.fetchall()]


def _guarded(job: UUID) -> int:
    """A job that fails does so alone."""
    try:
        return tick(job)
    except Exception as error:
        if fanout.is_the_database_away(error):
            raise
        logger.error("recovery %s failed: %s", job, fanout.describe(error))
        return 0


def tick(job: UUID) -> int:
    """Makes the next few deliveries of a job due; answers how many. Nothing when it is not its turn."""
    _count_once(job)
    with transaction.atomic():
        turn = _take(job)
        if turn is None:
            return 0
        if turn.waits_for:
            _stand_back(job, turn)
            return 0
        made = _recover(job, turn)
        if made < turn.rows:
            _end(job, turn.range.subscription_id)
        return made


def _count_once(job: UUID) -> None:
    """Before the lane is locked: to count a million takes a second."""
    row = Recovery.objects.filter(pk=job, total=None).first()
    if row:
        total = row.recovered + count(range_of(row))
        Recovery.objects.filter(pk=job, total=None).update(total=total)


def range_of(row: Recovery) -> Range:
    reached = (row.reached_at, row.reached_id)
    return Range(row.subscription_id, row.since, row.until, row.created_at, row.held_only, *reached)


def count(covered: Range) -> int:
    """How many deliveries a job would still make due."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT, covered.parameters)
        number: int = cursor.fetchone()[0]
    return number


def _take(job: UUID) -> Turn | None:
    with connection.cursor() as cursor:
        cursor.execute(TAKE, {"job": job, "interval": settings.SWEEP_INTERVAL, **_patience()})
        row = cursor.fetchone()
    return Turn(Range(*row[:7]), *row[7:]) if row else None


def _patience() -> dict[str, Any]:
    return {"patience": PATIENCE, "in_flight": settings.DELIVERY_LANE_IN_FLIGHT}


def _recover(job: UUID, turn: Turn) -> int:
    pace: dict[str, Any] = {"begin": turn.begin, "rate": turn.rate, "rows": turn.rows, "job": job}
    with connection.cursor() as cursor:
        cursor.execute(RECOVER, turn.range.parameters | pace)
        made = cursor.fetchall()
        if made:
            reached_at, reached_id = made[-1]
            cursor.execute(NOTE, {**pace, "made": len(made), "reached_at": reached_at, "reached_id": reached_id})
            cursor.execute(WAKE, [turn.begin, turn.range.subscription_id])
    return len(made)


def _stand_back(job: UUID, turn: Turn) -> None:
    with connection.cursor() as cursor:
        cursor.execute(STAND_BACK, [turn.begin, job])


def _end(job: UUID, subscription_id: UUID) -> None:
    """Where order matters nothing may stay held for good: what came while the job ran gets the next one."""
    Recovery.objects.filter(pk=job).update(state=Recovery.State.DONE, finished_at=ClockTimestamp())
    subscription = Subscription.objects.filter(pk=subscription_id, ordered=True).first()
    if subscription and _held(subscription).exists():
        start_for_what_is_held(subscription)


def waits_for(jobs: Collection[UUID]) -> dict[UUID, str]:
    """Why running jobs do nothing at this moment: `online`, `pause` (the receiver's), `live_traffic`; "" if they do."""
    with connection.cursor() as cursor:
        cursor.execute(WAITING, {"jobs": [str(key) for key in jobs], **_patience()})
        return dict(cursor.fetchall())


def start_for_what_is_held(subscription: Subscription) -> None:
    """A job of the engine's own, unless one is running: in ordered mode cases wait for what is held of them."""
    since = _held(subscription).order_by("created_at", "id").values("created_at")[:1]
    job = Recovery(
        workspace_id=subscription.workspace_id,
        subscription=subscription,
        since=Coalesce(Subquery(since), Now()),
        until=ClockTimestamp(),
        held_only=True,
        rate=RATE,
        requested_by=BY_ITSELF,
    )
    Recovery.objects.bulk_create([job], ignore_conflicts=True)


def _held(subscription: Subscription) -> QuerySet[Delivery]:
    return Delivery.objects.filter(subscription_id=subscription.pk, state=Delivery.State.HELD)


def on_turned_online(sender: type[Subscription], instance: Subscription, **kwargs: Any) -> None:
    """A job that waited for this starts over: what it had made due and was held again is behind it."""
    running = Recovery.objects.filter(subscription=instance, state=Recovery.State.RUNNING)
    running.update(reached_at=None, reached_id=None, total=None)
    if instance.ordered:
        start_for_what_is_held(instance)


def connect() -> None:
    """Called once, when Django is ready."""
    turned_online.connect(on_turned_online, sender=Subscription, dispatch_uid="deliveries.recover_what_is_held")

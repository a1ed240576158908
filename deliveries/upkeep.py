"""Room for the days ahead, and the end of what is old: once an hour, or when somebody runs `manage.py upkeep`.

It asks what there is, not what it did before: a run that was missed, cut off or repeated does no harm. Times are
PostgreSQL's, as those in the keys.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import Count, Q

from workspaces.identifiers import lowest_id

from .engine import partitions, retention
from .engine.alone import alone
from .models import Delivery, Notice, Recovery

logger = logging.getLogger(__name__)

TASK = "deliveries.chores.upkeep"
LOCK = 0x75706B656570
"""\"upkeep"; any number that is nobody else's."""
SECONDS = 120.0
"""Of one run of the chore, for deliveries; a Redis broker gives a task that lasts 300 s to somebody else as well."""
TOLD_EVERY = 50
"""Chunks between two lines about how far it is."""

UNDELIVERED = Q(state__in=[Delivery.State.PENDING, Delivery.State.FAILED, Delivery.State.HELD, Delivery.State.BLOCKED])


def run_and_log() -> None:
    for line in run(seconds=SECONDS):
        logger.info("upkeep: %s", line)


def run(now: datetime | None = None, seconds: float | None = None) -> Iterator[str]:
    """Does what is due, and tells it line by line; `seconds` bound the longest part."""
    with alone(LOCK) as first:
        if not first:
            yield "another process is at it"
            return
        now = now or clock()
        old = now - timedelta(days=settings.RETENTION_DAYS)
        for row in partitions.keep_ahead(now.date(), settings.PARTITIONS_AHEAD):
            yield f"made {row.name}"
        yield from _expire_deliveries(old, seconds)
        for row in retention.drop_partitions(old.date()):
            yield f"dropped {row.name}"
        if count := retention.clear_defaults(lowest_id(old), seconds):
            yield f"removed {count:,} old rows from default partitions"
        yield from _clear_small_tables(old)


def clock() -> datetime:
    """PostgreSQL's time, in UTC: days are those of UTC."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now.astimezone(UTC)


def _expire_deliveries(old: datetime, seconds: float | None) -> Iterator[str]:
    deliveries = undelivered = 0
    for number, chunk in enumerate(retention.expire_deliveries(lowest_id(old), seconds), 1):
        deliveries += chunk.deliveries
        undelivered += chunk.undelivered
        if number % TOLD_EVERY == 0:
            yield f"removed {deliveries:,} deliveries so far"
    if deliveries:
        yield f"removed {deliveries:,} deliveries, {undelivered:,} of them undelivered"
    if undelivered:
        logger.warning("%s deliveries expired undelivered; see Expiries in the admin", undelivered)


def _clear_small_tables(old: datetime) -> Iterator[str]:
    """Notices that were sent or given up, and recoveries that ended."""
    notices, _ = Notice.objects.filter(created_at__lt=old, try_at=None).delete()
    recoveries, _ = Recovery.objects.filter(finished_at__lt=old).delete()
    if notices or recoveries:
        yield f"removed {notices:,} notices and {recoveries:,} recoveries"


def plan(now: datetime | None = None) -> Iterator[str]:
    """What a run would do, line by line; changes nothing."""
    now = now or clock()
    old = now - timedelta(days=settings.RETENTION_DAYS)
    for row in partitions.missing(now.date(), settings.PARTITIONS_AHEAD):
        yield f"would make {row.name}"
    rows = Delivery.objects.filter(pk__lt=lowest_id(old)).order_by()
    yield f"would remove {rows.count():,} deliveries, from before {old:%Y-%m-%d %H:%M} UTC"
    undelivered = rows.filter(UNDELIVERED).values_list("state", "reason").annotate(Count("pk")).order_by("state")
    for state, reason, number in undelivered:
        yield f"  undelivered: {number:,} {Delivery.State(state).label.lower()} {reason}".rstrip()
    for row in retention.expired_partitions(old.date()):
        yield f"would drop {row.name}, {partitions.size(row)}"

"""Room for the days ahead, and the end of what is old: once an hour, or when somebody runs `manage.py upkeep`.

It asks what there is, not what it did before: a run that was missed, cut off or repeated does no harm. Times are
PostgreSQL's, as those in the keys.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Count, Q, QuerySet

from workspaces.identifiers import lowest_id
from workspaces.kept import KeptAnswer

from .engine import partitions, retention
from .engine.alone import alone
from .engine.partitions import Partition
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


class Busy(Exception):
    """Another process is at it, and nothing was done."""


class Unfinished(Exception):
    """Some steps failed; the others were done. Its arguments say which and how, a sentence each."""

    def __str__(self) -> str:
        return "; ".join(self.args)


def run_and_log() -> None:
    try:
        for line in run(seconds=SECONDS):
            logger.info("upkeep: %s", line)
    except Busy:
        logger.info("upkeep: another process is at it")
    except Unfinished as error:
        for sentence in error.args:
            logger.error("upkeep: %s", sentence)


def run(now: datetime | None = None, seconds: float | None = None) -> Iterator[str]:
    """Does what is due, and tells it line by line; `seconds` bound the longest part. Raises Busy, Unfinished."""
    with alone(LOCK) as first:
        if not first:
            raise Busy
        steps = _Run(now or clock(), seconds)
        yield from steps.lines()
        if steps.failures:
            raise Unfinished(*steps.failures)


class _Run:
    """Each step and each partition by itself: one that fails stops no other."""

    def __init__(self, now: datetime, seconds: float | None) -> None:
        self.now, self.seconds = now, seconds
        self.old = now - timedelta(days=settings.RETENTION_DAYS)
        self.failures: list[str] = []

    def lines(self) -> Iterator[str]:
        yield from self.step("to make partitions", self.make)
        yield from self.step("to remove deliveries", self.expire)
        yield from self.step("to drop what was left behind", self.drop_left_behind)
        yield from self.step("to drop partitions", self.drop)
        yield from self.step("to clear default partitions", self.clear_defaults)
        yield from self.step("to remove notices and recoveries", self.clear_small_tables)
        yield from self.step("to remove answers of the API", self.clear_answers)

    def step(self, what: str, does: Callable[..., Iterator[str]], *arguments: Any) -> Iterator[str]:
        try:
            yield from does(*arguments)
        except Exception as error:  # not with its text, which may hold data
            self.failures.append(f"{what} failed: {_class_of(error)}")

    def make(self) -> Iterator[str]:
        for row in partitions.missing(self.now.date(), settings.PARTITIONS_AHEAD):
            yield from self.step(f"to make {row.name}", _report, "made", partitions.make, row)

    def expire(self) -> Iterator[str]:
        return _expire_deliveries(self.old, self.seconds)

    def drop_left_behind(self) -> Iterator[str]:
        for row in retention.left_behind(self.old.date()):
            yield from self.step(f"to drop {row.name}", _report, "dropped", partitions.drop_detached, row)

    def drop(self) -> Iterator[str]:
        for row in retention.droppable(self.old.date(), self.needed()):
            yield from self.step(f"to drop {row.name}", _report, "dropped", retention.drop, row)

    def clear_defaults(self) -> Iterator[str]:
        needed = self.needed()
        for table in partitions.TABLES:
            yield from self.step(f"to clear {partitions.default_of(table)}", self.clear, table, needed)

    def clear(self, table: str, needed: date) -> Iterator[str]:
        if count := retention.remove_strays(table, lowest_id(self.old), needed, self.seconds):
            yield f"removed {count:,} old rows from {partitions.default_of(table)}"

    def clear_small_tables(self) -> Iterator[str]:
        notices, _ = _over_notices(self.old).delete()
        recoveries, _ = _over_recoveries(self.old).delete()
        if notices or recoveries:
            yield f"removed {notices:,} notices and {recoveries:,} recoveries"

    def clear_answers(self) -> Iterator[str]:
        if count := sum(KeptAnswer.objects.remove_old(self.now)):
            yield f"removed {count:,} answers kept for Idempotency-Keys"

    def needed(self) -> date:
        return retention.needed_from(retention.oldest_delivery())


def _report(done: str, does: Callable[[Partition], bool], row: Partition) -> Iterator[str]:
    if does(row):
        yield f"{done} {row.name}"


def _class_of(error: Exception) -> str:
    """PostgreSQL's own name for it, where it has one."""
    return type(error.__cause__ or error).__name__


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


def _over_notices(old: datetime) -> QuerySet[Notice]:
    """Sent or given up."""
    return Notice.objects.filter(created_at__lt=old, try_at=None)


def _over_recoveries(old: datetime) -> QuerySet[Recovery]:
    return Recovery.objects.filter(finished_at__lt=old)


def plan(now: datetime | None = None) -> Iterator[str]:
    """What a run would do, line by line; changes nothing."""
    now = now or clock()
    old = now - timedelta(days=settings.RETENTION_DAYS)
    for row in partitions.missing(now.date(), settings.PARTITIONS_AHEAD):
        yield f"would make {row.name}"
    yield from _plan_deliveries(old)
    for row in retention.left_behind(old.date()):
        yield f"would drop {row.name}, {partitions.size(row)}, which an earlier run detached"
    needed = retention.needed_from(_oldest_to_stay(old))
    for row in retention.droppable(old.date(), needed):
        yield f"would drop {row.name}, {partitions.size(row)}"
    for table in partitions.TABLES:
        if count := retention.strays(table, lowest_id(old), needed):
            yield f"would remove {count:,} old rows from {partitions.default_of(table)}"
    notices, recoveries = _over_notices(old).count(), _over_recoveries(old).count()
    if notices or recoveries:
        yield f"would remove {notices:,} notices and {recoveries:,} recoveries"
    if answers := KeptAnswer.objects.old(now).count():
        yield f"would remove {answers:,} answers kept for Idempotency-Keys"


def _plan_deliveries(old: datetime) -> Iterator[str]:
    rows = Delivery.objects.filter(pk__lt=lowest_id(old)).exclude(retention.is_recent(clock())).order_by()
    yield f"would remove {rows.count():,} deliveries, from before {old:%Y-%m-%d %H:%M} UTC"
    undelivered = rows.filter(UNDELIVERED).values_list("state", "reason").annotate(Count("pk")).order_by("state")
    for state, reason, number in undelivered:
        yield f"  undelivered: {number:,} {Delivery.State(state).label.lower()} {reason}".rstrip()


def _oldest_to_stay(old: datetime) -> UUID | None:
    rows = Delivery.objects.filter(Q(pk__gte=lowest_id(old)) | retention.is_recent(clock()))
    return rows.order_by("pk").values_list("pk", flat=True).first()

"""What is older than the retention goes: deliveries in small chunks, events, payloads and attempts by whole partitions.

Deliveries go first, so that a payload outlives those that need it. What was never delivered is counted (Expiry) in the
transaction that removes it, and in ordered mode the next event of its case goes on.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q

from workspaces.identifiers import made_at

from . import fanout, order, partitions
from .partitions import TABLES, Partition
from .statements import BY_INDEX_HERE

logger = logging.getLogger(__name__)

# Deliveries of one transaction: some 50 ms.
CHUNK = 2000
# After each chunk we rest for as long as it took: the disk and the WAL are the couriers', too.
REST = 1.0
NO_ID = UUID(int=0)
# Since an attempt, or since it became due: a courier may have it in the air. It goes later, counted as what it became.
RECENT = timedelta(hours=1)
# A payload's key is made a moment before those of its deliveries, which may be of the next day.
MARGIN = timedelta(minutes=5)

OLDEST = """
SELECT id, CASE WHEN ordered AND state IN (0, 3, 4) THEN subscription_id END FROM deliveries_delivery
WHERE id > %s AND id < %s ORDER BY id LIMIT %s
"""
# Lanes are locked before deliveries everywhere. We do not wait for one that somebody has: its rows go the next time.
FREE = """
WITH locked AS (
    SELECT subscription_id FROM deliveries_lane WHERE subscription_id = ANY(%(owners)s::uuid[])
    ORDER BY subscription_id FOR UPDATE SKIP LOCKED
)
SELECT id FROM unnest(%(owners)s::uuid[]) AS owner(id)
WHERE id IN (SELECT subscription_id FROM locked) OR NOT EXISTS (
    SELECT FROM deliveries_lane WHERE subscription_id = owner.id
)
"""
# Nobody waits for the disk: what a crash brings back is deleted again.
DELIVERIES = f"""
SET LOCAL synchronous_commit = off; {BY_INDEX_HERE};
WITH old AS (
    SELECT id FROM deliveries_delivery WHERE id >= %(first)s AND id <= %(last)s
      AND NOT (due_at > clock_timestamp() - interval '1 s' * %(recent)s AND due_at <= clock_timestamp())
      AND (last_attempt_at IS NULL OR last_attempt_at <= clock_timestamp() - interval '1 s' * %(recent)s)
      AND (NOT ordered OR state IN (1, 2) OR subscription_id = ANY(%(free)s::uuid[]))
    FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM deliveries_delivery d USING old WHERE d.id = old.id
    RETURNING d.workspace_id, d.subscription_id, d.state, d.reason, d.created_at,
        CASE WHEN d.ordered AND d.state IN (0, 3, 4) THEN d.case_id END AS in_order
), counted AS (
    INSERT INTO deliveries_expiry AS e (id, day, workspace_id, subscription_id, state, reason, number, oldest, newest,
        expired_at)
    SELECT deliveries_uuid7(), (clock_timestamp() AT TIME ZONE 'UTC')::date, workspace_id, subscription_id,
        (ARRAY['pending', '', 'failed', 'held', 'blocked'])[state + 1], reason, count(*), min(created_at),
        max(created_at), clock_timestamp()
    FROM gone WHERE state <> 1 GROUP BY workspace_id, subscription_id, state, reason
    ON CONFLICT (subscription_id, day, state, reason) WHERE subscription_id IS NOT NULL DO UPDATE SET
        number = e.number + excluded.number, oldest = least(e.oldest, excluded.oldest),
        newest = greatest(e.newest, excluded.newest), expired_at = excluded.expired_at
)
SELECT count(*), count(*) FILTER (WHERE state <> 1),
    array_agg(DISTINCT ARRAY[subscription_id, in_order]::text[]) FILTER (WHERE in_order IS NOT NULL)
FROM gone
"""  # noqa: S608  # of constants
# Events that never became deliveries, of {rows}.
EVENTS = """
INSERT INTO deliveries_expiry AS e (id, day, workspace_id, state, reason, number, oldest, newest, expired_at)
SELECT deliveries_uuid7(), (clock_timestamp() AT TIME ZONE 'UTC')::date, workspace_id,
    CASE state WHEN 0 THEN 'unbuilt' ELSE 'unbuildable' END, '', count(*), min(created_at), max(created_at),
    clock_timestamp()
FROM {rows} WHERE state IN (0, 2) GROUP BY workspace_id, state
ON CONFLICT (workspace_id, day, state, reason) WHERE subscription_id IS NULL DO UPDATE SET
    number = e.number + excluded.number, oldest = least(e.oldest, excluded.oldest),
    newest = greatest(e.newest, excluded.newest), expired_at = excluded.expired_at
"""
COUNT = "SELECT count(*) FROM {default} WHERE id < %s"
# Of a default partition; {counted} counts what is worth counting.
STRAYS = """
WITH gone AS (
    DELETE FROM {default} WHERE id = ANY(ARRAY(
        SELECT id FROM {default} WHERE id < %s ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
    )) RETURNING *
){counted} SELECT count(*) FROM gone
"""


class Expired(NamedTuple):
    """What one chunk removed."""

    last: UUID
    """The key up to which it looked."""
    deliveries: int
    undelivered: int
    unblocked: int
    """Cases whose next event goes on."""


def expire_deliveries(before: UUID, seconds: float | None = None) -> Iterator[Expired]:
    """Removes deliveries with smaller keys, a chunk a turn, the oldest first; ends when `seconds` are over."""
    ends = None if seconds is None else time.monotonic() + seconds
    after = NO_ID
    while ends is None or time.monotonic() < ends:
        began = time.monotonic()
        with transaction.atomic():
            chunk = _expire(after, before)
        if chunk is None:
            return
        yield chunk
        after = chunk.last
        time.sleep(REST * (time.monotonic() - began))


def _expire(after: UUID, before: UUID) -> Expired | None:
    with connection.cursor() as cursor:
        cursor.execute(OLDEST, [after, before, CHUNK])
        found: list[tuple[UUID, UUID | None]] = cursor.fetchall()
        if not found:
            return None
        cursor.execute(FREE, {"owners": [str(owner) for owner in {owner for _, owner in found if owner}]})
        free = [str(row[0]) for row in cursor.fetchall()]
        cursor.execute(
            DELIVERIES, {"first": found[0][0], "last": found[-1][0], "free": free, "recent": RECENT.total_seconds()}
        )
        deliveries, undelivered, cases = cursor.fetchone()
        _let_go_on([(UUID(owner), UUID(case)) for owner, case in cases or ()])
    return Expired(found[-1][0], deliveries, undelivered, len(cases or ()))


def _let_go_on(cases: list[tuple[UUID, UUID]]) -> None:
    """What waited behind them. Their lanes are locked by us; the sweep wakes a courier."""
    if cases:
        order.unblock(cases)
        with connection.cursor() as cursor:
            cursor.execute(fanout.DUE.sql, [[str(owner) for owner in {owner for owner, _ in cases}]])


def is_recent(now: datetime) -> Q:
    """Deliveries that stay a while longer, however old; the same as in DELIVERIES."""
    return Q(due_at__gt=now - RECENT, due_at__lte=now) | Q(last_attempt_at__gt=now - RECENT)


def oldest_delivery() -> UUID | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM deliveries_delivery ORDER BY id LIMIT 1")
        found: tuple[UUID] | None = cursor.fetchone()
    return found[0] if found else None


def needed_from(oldest: UUID | None) -> date:
    """The first day whose rows are needed by the oldest delivery, or by those after it."""
    return (made_at(oldest) - MARGIN).date() if oldest else date.max


def left_behind(before: date) -> list[Partition]:
    """What an earlier run detached and did not drop."""
    return [row for table in TABLES for row in partitions.detached(table) if row.end <= before]


def droppable(before: date, needed: date) -> list[Partition]:
    """Partitions that end by then and that no delivery needs: attempts first, events last."""
    if needed < before:
        logger.warning("rows from %s on stay: deliveries of that day are still there", needed)
    end = min(before, needed)
    return [row for table in TABLES for row in partitions.attached(table) if row.end <= end]


def drop(row: Partition) -> bool:
    """Drops a partition, and counts its events that never became deliveries; False when somebody was in the way."""
    if row.table != "deliveries_event":
        return partitions.drop(row)
    return partitions.drop(row, lambda: _count_unbuilt(row))


def _count_unbuilt(row: Partition) -> None:
    if partitions.execute(EVENTS.format(rows=row.name)):
        logger.warning("%s goes with events that were never built; see Expiries in the admin", row.name)


def strays(table: str, before: UUID, needed: date) -> int:
    """How many rows of the default partition are old, and needed by no delivery."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT.format(default=partitions.default_of(table)), [_end(before, needed)])
        count: int = cursor.fetchone()[0]
    return count


def remove_strays(table: str, before: UUID, needed: date, seconds: float | None = None) -> int:
    """Removes them, a chunk at a time, until `seconds` are over; answers how many."""
    ends, total = None if seconds is None else time.monotonic() + seconds, 0
    counted = f", counted AS ({EVENTS.format(rows='gone')})" if table == "deliveries_event" else ""
    statement = STRAYS.format(default=partitions.default_of(table), counted=counted)
    while ends is None or time.monotonic() < ends:
        with connection.cursor() as cursor:
            cursor.execute(statement, [_end(before, needed), CHUNK])
            count: int = cursor.fetchone()[0]
        total += count
        if count < CHUNK:
            break
    return total


def _end(before: UUID, needed: date) -> UUID:
    return before if needed == date.max else min(before, partitions.first_key(needed))

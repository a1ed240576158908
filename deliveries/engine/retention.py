"""What is older than the retention goes: deliveries in small chunks, events, payloads and attempts by whole partitions.

Deliveries go first, so that a payload outlives those that need it. What was never delivered is counted (Expiry) in the
transaction that removes it, and in ordered mode the next event of its case goes on.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from datetime import date
from typing import NamedTuple
from uuid import UUID

from django.db import connection, transaction

from workspaces.identifiers import made_at

from . import fanout, order, partitions
from .partitions import TABLES, Partition

logger = logging.getLogger(__name__)

# Deliveries of one transaction: some 50 ms.
CHUNK = 2000
# After each chunk we rest for as long as it took: the disk and the WAL are the couriers', too.
REST = 1.0
NO_ID = UUID(int=0)

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
DELIVERIES = """
SET LOCAL synchronous_commit = off;
WITH old AS (
    SELECT id FROM deliveries_delivery WHERE id >= %(first)s AND id <= %(last)s
      AND (NOT ordered OR state IN (1, 2) OR subscription_id = ANY(%(free)s::uuid[]))
    FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM deliveries_delivery d USING old WHERE d.id = old.id
    RETURNING d.workspace_id, d.subscription_id, d.state, d.reason, d.created_at,
        CASE WHEN d.ordered AND d.state IN (0, 3, 4) THEN d.case_id END AS in_order
), told AS (
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
"""
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
# Of a default partition; {told} counts what is worth counting.
STRAYS = """
WITH gone AS (
    DELETE FROM {default} WHERE id = ANY(ARRAY(
        SELECT id FROM {default} WHERE id < %s ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
    )) RETURNING *
){told} SELECT count(*) FROM gone
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
        cursor.execute(DELIVERIES, {"first": found[0][0], "last": found[-1][0], "free": free})
        deliveries, undelivered, cases = cursor.fetchone()
        _let_go_on([(UUID(owner), UUID(case)) for owner, case in cases or ()])
    return Expired(found[-1][0], deliveries, undelivered, len(cases or ()))


def _let_go_on(cases: list[tuple[UUID, UUID]]) -> None:
    """What waited behind them. Their lanes are locked by us; the sweep wakes a courier."""
    if cases:
        order.unblock(cases)
        with connection.cursor() as cursor:
            cursor.execute(fanout.DUE.sql, [[str(owner) for owner in {owner for owner, _ in cases}]])


def oldest_delivery() -> UUID | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM deliveries_delivery ORDER BY id LIMIT 1")
        found: tuple[UUID] | None = cursor.fetchone()
    return found[0] if found else None


def expired_partitions(before: date) -> list[Partition]:
    """Those that end by then: their attempts first, their events last."""
    return [row for table in TABLES for row in partitions.attached(table) if row.end <= before]


def droppable(before: date) -> list[Partition]:
    """The expired ones that no delivery needs any more."""
    oldest = oldest_delivery()
    needed = made_at(oldest).date() if oldest else date.max
    if needed < before:
        logger.warning("partitions from %s on stay: deliveries of that day are still there", needed)
    return expired_partitions(min(before, needed))


def drop_partitions(before: date) -> Iterator[Partition]:
    """Drops what ends by then, and first what an earlier run detached and left."""
    for row in [row for table in TABLES for row in partitions.detached(table) if row.end <= before]:
        if partitions.drop_detached(row):
            yield row
    for row in droppable(before):
        if partitions.drop(row, _teller(row)):
            yield row


def _teller(row: Partition) -> Callable[[], None] | None:
    """Counts the events that go with their partition and never became deliveries."""
    if row.table != "deliveries_event":
        return None
    return lambda: _tell(partitions.execute(EVENTS.format(rows=row.name)), row)


def _tell(groups: int, row: Partition) -> None:
    if groups:
        logger.warning("%s goes with events that were never built; see Expiries in the admin", row.name)


def clear_defaults(before: UUID, seconds: float | None = None) -> int:
    """Removes old rows that no partition took; answers how many."""
    ends, total = None if seconds is None else time.monotonic() + seconds, 0
    for table in TABLES:
        told = f", told AS ({EVENTS.format(rows='gone')})" if table == "deliveries_event" else ""
        statement = STRAYS.format(default=partitions.default_of(table), told=told)
        while ends is None or time.monotonic() < ends:
            with connection.cursor() as cursor:
                cursor.execute(statement, [before, CHUNK])
                count: int = cursor.fetchone()[0]
            total += count
            if count < CHUNK:
                break
    return total

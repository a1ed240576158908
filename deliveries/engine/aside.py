"""Setting aside: a chore holds what waits for subscriptions that are offline. The sweep asks for it once a second.

Lanes take turns. A turn holds a thousand deliveries in one transaction, under the lane's lock, and goes on in the index
where the turn before stopped: it costs the same whatever waits. Whoever dies has done whole turns; the lane stays due
until nothing waits for it, so the next sweep asks again.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from .alone import alone

TASK = "deliveries.chores.set_aside"
# Deliveries of one turn: some 20 ms.
CHUNK = 1000
# Lanes of one run.
MOST_LANES = 100
# The share of the sweep's interval that one run takes: a single process of chores keeps up with the sweeps, too.
SHARE = 0.5
LOCK = 0x6173696465  # "aside"; any number that is nobody else's

# Who is offline and has not been set aside. While a courier holds the lane its outcomes must be settled first.
LEFT = "NOT open AND due_at IS NOT NULL AND (leased_until IS NULL OR leased_until < clock_timestamp())"
# At random: what one run does not come to must not be what the next one does not come to.
LANES = f"SELECT subscription_id FROM deliveries_lane WHERE {LEFT} ORDER BY random() LIMIT %s"  # noqa: S608
# How often the subscription was turned online: when it was since a lane's first turn, we start over.
FORGIVEN = "coalesce((health->>'forgiven')::int, 0)"
OURS = f"""
SELECT subscription_id FROM deliveries_lane WHERE subscription_id = %s AND {LEFT} AND {FORGIVEN} = %s
FOR UPDATE SKIP LOCKED
"""  # noqa: S608
# A courier that slept past its lease can settle and block nothing from here on.
FENCE = f"""
UPDATE deliveries_lane SET token = NULL WHERE subscription_id = (
    SELECT subscription_id FROM deliveries_lane WHERE subscription_id = %s AND {LEFT} FOR UPDATE SKIP LOCKED
) RETURNING {FORGIVEN}
"""  # noqa: S608
HOLD = f"""
WITH lane AS ({OURS}), held AS (
    UPDATE deliveries_delivery SET state = 3, reason = 'offline'
    WHERE id = ANY(%s::uuid[]) AND state IN (0, 4) AND EXISTS (SELECT FROM lane)
)
SELECT subscription_id FROM lane
"""  # noqa: S608
DONE = f"UPDATE deliveries_lane SET due_at = NULL WHERE subscription_id = ({OURS})"  # noqa: S608


class Queue(NamedTuple):
    """Deliveries of one state in the order of an index: SQL that goes on after a position, and the first position."""

    sql: str
    first: tuple[Any, Any]
    """Before all others."""


# From the end of each case: what waits behind another is held before the one that it waits for.
BLOCKED = Queue(
    """
SELECT id, case_id, sequence FROM deliveries_delivery
WHERE subscription_id = %s AND ordered AND state = 4 AND (case_id, sequence) < (%s::uuid, %s::bigint)
ORDER BY case_id DESC, sequence DESC LIMIT %s
""",
    (UUID(int=2**128 - 1), 2**63 - 1),
)
PENDING = Queue(
    """
SELECT id, due_at, id FROM deliveries_delivery
WHERE subscription_id = %s AND state = 0 AND (due_at, id) > (%s::timestamptz, %s::uuid)
ORDER BY due_at, id LIMIT %s
""",
    ("-infinity", UUID(int=0)),
)


def run() -> int:
    """Lets the lanes take turns for half a sweep; answers how many turns were taken. 0 while another process does."""
    with alone(LOCK) as first:
        return _take_turns(_lanes()) if first else 0


def _lanes() -> list[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(LANES, [MOST_LANES])
        return [row[0] for row in cursor.fetchall()]


def _take_turns(lanes: Iterable[UUID]) -> int:
    end = time.monotonic() + SHARE * settings.SWEEP_INTERVAL
    waiting, taken = deque(turns(lane) for lane in lanes), 0
    while waiting and (not taken or time.monotonic() < end):
        lane, taken = waiting.popleft(), taken + 1
        if next(lane, None):
            waiting.append(lane)
    return taken


def turns(subscription_id: UUID) -> Iterator[bool]:
    """Holds what waits, a full chunk a turn; ends when nothing is left, or when somebody else minds the lane again."""
    forgiven = _value(FENCE, [str(subscription_id)])
    if forgiven is None:
        return
    for queue in (BLOCKED, PENDING):
        position, full = queue.first, True
        while full:
            rows = _after(queue, subscription_id, position)
            if rows and not _value(HOLD, [str(subscription_id), forgiven, [str(row[0]) for row in rows]]):
                return
            if full := len(rows) == CHUNK:
                position = rows[-1][1:]
                yield True
    with connection.cursor() as cursor:
        cursor.execute(DONE, [str(subscription_id), forgiven])


def _after(queue: Queue, subscription_id: UUID, position: tuple[Any, Any]) -> Sequence[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(queue.sql, [str(subscription_id), *map(str, position), CHUNK])
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _value(statement: str, values: Sequence[Any]) -> Any:
    """The one column of the one row, if there is one."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)
        row = cursor.fetchone()
    return row[0] if row else None

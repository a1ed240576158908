"""Ordered mode: an event of a case waits until the earlier ones of that case succeeded or were given up.

The holder of a lane decides, one process at a time: what it reads and finds behind an unresolved delivery of the same
case it sets to BLOCKED, and with the outcome of a delivery it lets the next one of the case go on. Both lock the lane's
row against a new lease meanwhile, so a courier that slept past its lease cannot block what nobody would let go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from django.db import connection, transaction

from .due import Due
from .statements import Prepared, array

HOLD = """
SELECT l.subscription_id FROM deliveries_lane l
JOIN unnest(%s::uuid[], %s::uuid[]) AS h(subscription_id, token)
  ON h.subscription_id = l.subscription_id AND h.token = l.token
ORDER BY l.subscription_id FOR SHARE OF l
"""
# An earlier event that is still to be built may yet become a delivery, or not: it is asked again soon.
SIFT = Prepared(
    "sift",
    """
WITH found AS (
    SELECT d.id, EXISTS (
        SELECT FROM deliveries_delivery e WHERE e.subscription_id = d.subscription_id AND e.case_id = d.case_id
        AND e.sequence < d.sequence AND e.ordered AND e.state IN (0, 3, 4)
    ) AS behind, EXISTS (
        SELECT FROM deliveries_event v WHERE v.case_id = d.case_id AND v.sequence < d.sequence AND v.state = 0
    ) AS early
    FROM deliveries_delivery d WHERE d.id = ANY(%s::uuid[]) AND d.subscription_id = ANY(%s::uuid[]) AND d.state = 0
), put_back AS (
    UPDATE deliveries_delivery d SET
        state = CASE WHEN found.behind THEN 4 ELSE 0 END,
        reason = CASE WHEN found.behind THEN 'earlier_event' ELSE d.reason END,
        due_at = CASE WHEN found.behind THEN d.due_at ELSE clock_timestamp() + interval '0.2 s' END
    FROM found WHERE d.id = found.id AND (found.behind OR found.early)
)
SELECT id FROM found WHERE NOT behind AND NOT early
""",
)
UNBLOCK = """
UPDATE deliveries_delivery d SET state = 0, reason = '', due_at = clock_timestamp()
FROM unnest(%s::uuid[], %s::uuid[]) AS k(subscription_id, case_id)
CROSS JOIN LATERAL (
    SELECT id, state FROM deliveries_delivery
    WHERE subscription_id = k.subscription_id AND case_id = k.case_id AND ordered AND state IN (0, 3, 4)
    ORDER BY sequence LIMIT 1
) AS head
WHERE d.id = head.id AND head.state = 4
"""


def hold(leases: Mapping[UUID, UUID]) -> set[UUID]:
    """Locks the lanes of these subscriptions that still have these tokens, until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(HOLD, [[str(key) for key in leases], [str(token) for token in leases.values()]])
        return {row[0] for row in cursor.fetchall()}


def sift(found: list[Due], tokens: Mapping[UUID, UUID]) -> list[Due]:
    """Those that may be sent now, in the order given; the others go back to waiting. `tokens` by subscription."""
    ordered = [due for due in found if due.in_order]
    if not ordered:
        return found
    with transaction.atomic():
        ours = hold({due.subscription_id: tokens[due.subscription_id] for due in ordered})
        with connection.cursor() as cursor:
            SIFT.execute(cursor, [array(due.id for due in ordered), array(ours)])
            allowed = {str(row[0]) for row in cursor.fetchall()}
    return [due for due in found if not due.in_order or due.id in allowed]


def unblock(cases: Iterable[tuple[UUID, UUID]]) -> None:
    """Lets the next delivery of each (subscription, case) go on, if the one before it is resolved now."""
    pairs = set(cases)
    with connection.cursor() as cursor:
        cursor.execute(UNBLOCK, [[str(owner) for owner, _ in pairs], [str(case) for _, case in pairs]])

"""What nobody attends to: beat asks once a second, and rings only if there is something. Two beats do no harm."""

from __future__ import annotations

from uuid import UUID

from django.db import connection

from .lanes import PARK_AFTER

LEFT_LYING = """
SELECT EXISTS (
    SELECT FROM deliveries_event WHERE state = 0 AND build_at < clock_timestamp()
) OR EXISTS (
    SELECT FROM deliveries_lane
    WHERE open AND due_at <= clock_timestamp() AND (leased_until IS NULL OR leased_until < clock_timestamp())
      AND takeovers < %s
)
"""
# A closed lane that is still due has deliveries that nobody has set aside yet.
CLOSED = "SELECT subscription_id FROM deliveries_lane WHERE NOT open AND due_at IS NOT NULL LIMIT 100"


def is_anything_left_lying() -> bool:
    """Whether an event waits to be built, or a lane is due that no courier holds."""
    with connection.cursor() as cursor:
        cursor.execute(LEFT_LYING, [PARK_AFTER])
        (found,) = cursor.fetchone()
    return bool(found)


def closed_lanes() -> list[UUID]:
    """Subscriptions that went offline and still have deliveries waiting."""
    with connection.cursor() as cursor:
        cursor.execute(CLOSED)
        return [row[0] for row in cursor.fetchall()]

"""What nobody attends to: the beat asks once a second, and rings only if there is something. Two beats do no harm."""

from __future__ import annotations

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


def is_anything_left_lying() -> bool:
    """Whether an event waits to be built, or a lane is due that no courier holds."""
    with connection.cursor() as cursor:
        cursor.execute(LEFT_LYING, [PARK_AFTER])
        (found,) = cursor.fetchone()
    return bool(found)

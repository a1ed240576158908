"""What nobody attends to: beat asks once a second, in one statement. Two beats do no harm."""

from __future__ import annotations

from typing import NamedTuple

from django.conf import settings
from django.db import connection

from . import aside, recovering
from .lanes import PARK_AFTER

# An event that waits to be built, or a due lane that no courier holds; closed lanes that are still due, since
# their deliveries have not all been set aside; recoveries whose turn it is; e-mails to be sent.
LOOK = f"""
SELECT coalesce(
    (SELECT build_at < statement_timestamp() FROM deliveries_event WHERE state = 0 ORDER BY build_at LIMIT 1), false
) OR EXISTS (
    SELECT FROM deliveries_lane
    WHERE open AND due_at <= statement_timestamp() AND (leased_until IS NULL OR leased_until < clock_timestamp())
      AND takeovers < %(park)s
),
EXISTS (SELECT FROM deliveries_lane WHERE {aside.LEFT}),
EXISTS (SELECT {recovering.RUNNING} AND {recovering.TURN}),
EXISTS (SELECT FROM deliveries_notice WHERE sent_at IS NULL AND try_at <= statement_timestamp())
"""  # noqa: S608  # of constants


class Found(NamedTuple):
    """What waits for whom: the columns of LOOK."""

    deliveries: bool
    """Work for couriers."""
    closed_lanes: bool
    """Subscriptions went offline and still have deliveries waiting."""
    recoveries: bool
    notices: bool


def look() -> Found:
    """What is due and nobody was woken for."""
    with connection.cursor() as cursor:
        cursor.execute(LOOK, {"park": PARK_AFTER, "interval": settings.SWEEP_INTERVAL})
        return Found(*cursor.fetchone())

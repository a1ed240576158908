"""Values that tests of the engine need and would otherwise spell out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from deliveries.engine import lanes, settle
from deliveries.models import Delivery


def outcome_of(delivery: Delivery, token: UUID, **fields: Any) -> settle.Outcome:
    """A first success, but for the fields given."""
    made = settle.Outcome(
        delivery_id=str(delivery.pk),
        subscription_id=delivery.subscription_id,
        token=token,
        state=settle.SUCCEEDED,
        reason="",
        delay=0.0,
        attempts=1,
        retries=0,
        next_type=1,
        type=0,
        url="https://example.com/",
        status_code=200,
        error="",
        request_headers={},
        response_headers={},
        response_body="",
        ago=0.1,
        duration_ms=100,
        remaining=18,
    )
    return replace(made, **fields)


def report(lease: lanes.Lease, succeeded: bool, rest: float = 0.0) -> lanes.Report:
    """Of a lane whose last answer was 2xx, or not."""
    return lanes.Report(lease, succeeded, succeeded, {}, rest)

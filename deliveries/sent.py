"""What an attempt sent, made again: the stored payload joined with that attempt's counters gives the same bytes."""

from __future__ import annotations

from .engine.envelope import Counters, Parts, body
from .models import Attempt, Delivery, Payload


def counters(attempt: Attempt) -> Counters:
    """What the attempt's body said of itself. The timestamp is the one that was signed."""
    timestamp = attempt.request_headers.get("webhook-timestamp") or attempt.started_at.timestamp()
    return Counters(int(timestamp), attempt.number - 1, attempt.remaining)


def sent_body(delivery: Delivery, payload: Payload, attempt: Attempt) -> bytes:
    """The exact body of one attempt."""
    parts = Parts(payload.context, payload.entity)
    return body(delivery.event_name, delivery.sub_event, str(delivery.event_id), counters(attempt), parts)

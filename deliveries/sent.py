"""What an attempt sent, made again: the stored payload joined with that attempt's counters gives the same bytes."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import orjson

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


def unsent_body(delivery: Delivery, payload: Payload) -> dict[str, Any]:
    """What the first attempt will say, without the counters that it will have."""
    parts = Parts(payload.context, payload.entity)
    content = body(delivery.event_name, delivery.sub_event, str(delivery.event_id), Counters(0, 0, 0), parts)
    whole: dict[str, Any] = orjson.loads(content)
    for counter in fields(Counters):
        del whole["context"][counter.name]
    return whole

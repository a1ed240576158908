"""Webhook logs: what was delivered, or was tried to be, with every attempt."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import orjson
from django.db.models import QuerySet

from deliveries.events.catalogue import NAMES
from deliveries.models import Attempt, Delivery, Payload
from deliveries.sent import sent_body
from workspaces.api import filtering
from workspaces.api.views import WorkspaceViewSet
from workspaces.timestamps import iso

NO_ANSWER = 0
"""The `status_code` when no answer came: the field must be a number, and no HTTP status is 0."""

TYPES = {
    Delivery.Next.FIRST_CALL: "first_call",
    Delivery.Next.AUTOMATIC_RETRY: "automatic_retry",
    Delivery.Next.MANUAL_RETRY: "manual_retry",
}


class WebhookLogViewSet(WorkspaceViewSet[Delivery]):
    """Deliveries, from their first attempt on: before it there is nothing to log."""

    model = Delivery
    workspace_lookup = "workspace"
    not_found = "No webhook log can be found."
    filters = {
        "event": filtering.Choices("event_name", sorted(NAMES)),
        "case_id": filtering.Id("case_id"),
        "individual_id": filtering.Id("individual_id"),
        "company_id": filtering.Id("company_id"),
        "created_at": filtering.Time("created_at"),
        "webhook_id": filtering.Id("subscription_id"),
    }
    sortable = ("created_at",)
    default_sort = "created_at.desc"
    max_limit = 50
    max_count = 10_000  # counting a log of millions would take seconds

    def get_queryset(self) -> QuerySet[Delivery]:
        return super().get_queryset().filter(last_attempt_at__isnull=False)

    def represent(self, rows: QuerySet[Delivery]) -> list[dict[str, Any]]:
        deliveries = list(rows)
        attempts = _attempts(row.pk for row in deliveries)
        payloads = Payload.objects.in_bulk({row.payload_id for row in deliveries})
        return [webhook_log(row, attempts[row.pk], payloads.get(row.payload_id)) for row in deliveries]


def _attempts(ids: Iterable[UUID]) -> dict[UUID, list[Attempt]]:
    """The attempts of each delivery, newest first."""
    found: dict[UUID, list[Attempt]] = defaultdict(list)
    for attempt in Attempt.objects.filter(delivery_id__in=list(ids)).order_by("-started_at", "-id"):
        found[attempt.delivery_id].append(attempt)
    return found


def webhook_log(row: Delivery, attempts: list[Attempt], payload: Payload | None) -> dict[str, Any]:
    """As Dotfile shows it; `attempts` newest first. A payload that is gone is empty."""
    waits = row.state == Delivery.State.PENDING
    return {
        "id": str(row.pk),
        "event": row.event_name,
        "status_code": row.status_code or NO_ANSWER,
        "endpoint": attempts[0].url if attempts else "",
        "retry_count": max(0, row.attempts - 1),
        "case_id": _text(row.case_id),
        "individual_id": _text(row.individual_id),
        "company_id": _text(row.company_id),
        "webhook_id": str(row.subscription_id),
        "created_at": iso(row.created_at),
        "last_attempt_at": iso(row.last_attempt_at),
        "payload": orjson.loads(sent_body(row, payload, attempts[0])) if payload and attempts else {},
        "next_retry_at": iso(row.due_at) if waits else None,
        "attempts": [_attempt(attempt) for attempt in attempts],
    }


def _attempt(row: Attempt) -> dict[str, Any]:
    answered = row.status_code is not None
    return {
        "type": TYPES[Delivery.Next(row.type)],
        "endpoint": row.url,
        "status_code": row.status_code or NO_ANSWER,
        "request_headers": row.request_headers,
        "response_headers": row.response_headers,
        "response_body": row.response_body if answered else None,
        "attempted_at": iso(row.started_at),
        "worker": row.worker,
        "error": row.error or None,
        "duration_ms": row.duration_ms,
    }


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)

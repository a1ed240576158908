"""Webhook logs: what was delivered, or was tried to be, with every attempt."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from functools import reduce
from http import HTTPStatus
from operator import or_
from typing import Any
from uuid import UUID

import orjson
from django.db.models import Q, QuerySet
from django.http import QueryDict
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from deliveries import services
from deliveries.engine import faults
from deliveries.events.catalogue import NAMES
from deliveries.models import Attempt, Delivery, Payload
from deliveries.sent import sent_body, unsent_body
from workspaces.api import filtering
from workspaces.api.described import described
from workspaces.api.permissions import Area
from workspaces.api.views import WorkspaceViewSet
from workspaces.timestamps import iso

from . import examples
from .recoveries import conflicts
from .serializers import RetrySerializer

NO_ANSWER = 0
"""The `status_code` when no answer came: the field must be a number, and no HTTP status is 0."""

LARGEST = 999
"""Of three digits, as receivers may answer."""

TYPES = {
    Delivery.Next.FIRST_CALL: "first_call",
    Delivery.Next.AUTOMATIC_RETRY: "automatic_retry",
    Delivery.Next.MANUAL_RETRY: "manual_retry",
}


CODE = re.compile("0|[1-5][0-9]{2}")
STATES = {state.label.lower(): state.value for state in Delivery.State}
# Only ordered ones are ever blocked, and what succeeded was tried.
FOLLOWS = {"blocked": Q(ordered=True), "succeeded": Q(last_attempt_at__isnull=False)}


class Named(filtering.Choices):
    """One of these in every row. So `not` asks for the others: an index finds what is there, not what is not."""

    def condition(self, operator: str, value: str) -> Q:
        words = {self.value(text) for text in (value.split(",") if operator.endswith("in") else [value])}
        return self.among({*self.choices} - words if operator.startswith("not") else words)

    def among(self, words: Collection[str]) -> Q:
        return self._where("in", sorted(words))


class State(Named):
    """By the words that the log shows, stored as numbers."""

    def among(self, words: Collection[str]) -> Q:
        """Beside each state, what follows from it: the small indexes are of that."""
        none = Q(pk__in=[])
        return reduce(or_, (Q(state=STATES[word]) & FOLLOWS.get(word, Q()) for word in sorted(words)), none)


class StatusCode(filtering.Filter):
    """As the log shows it: 0 is stored as NULL."""

    operators = ("eq", "not_eq", "in", "not_in", "gte", "lte")

    @property
    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^(?:{CODE.pattern})$"}

    def condition(self, operator: str, value: str) -> Q:
        if operator in ("gte", "lte"):
            return self._where(operator, _code(value))
        codes = {_code(text) for text in (value.split(",") if operator.endswith("in") else [value])}
        is_not = operator.startswith("not")
        answered = sorted(codes - {NO_ANSWER})
        found = self._beside(answered) if is_not else self._where("in", answered)
        return found | self._where("isnull", True) if (NO_ANSWER in codes) is not is_not else found

    def _beside(self, codes: Sequence[int]) -> Q:
        """An answer, but none of these: below, between or above them, which an index finds."""
        spans = zip([-1, *codes], [*codes, LARGEST + 1], strict=True)
        gaps = [self._where("gt", low) & self._where("lt", high) for low, high in spans if high - low > 1]
        return reduce(or_, gaps)


def _code(text: str) -> int:
    if not CODE.fullmatch(text):
        raise ValueError("Use a status of HTTP such as 503, or 0 where no answer came.")
    return int(text)


class WebhookLogViewSet(WorkspaceViewSet[Delivery]):
    """Deliveries. A list shows them from their first attempt on, as Dotfile's does, unless it asks for a state."""

    model = Delivery
    workspace_lookup = "workspace"
    scope_area = Area.WEBHOOKS
    not_found = "No webhook log can be found."
    shown = "WebhookLog"
    noun = ("webhook log", "webhook logs")
    filters = {
        "event": Named("event_name", sorted(NAMES)),
        "case_id": filtering.Id("case_id"),
        "individual_id": filtering.Id("individual_id"),
        "company_id": filtering.Id("company_id"),
        "created_at": filtering.Time("created_at"),
        "webhook_id": filtering.Id("subscription_id"),
        "state": State("state", STATES),
        "status_code": StatusCode("status_code"),
    }
    sortable = ("created_at",)
    default_sort = "created_at.desc"
    max_limit = 50
    max_count = 10_000  # they are millions, and read from the newest on

    def get_queryset(self) -> QuerySet[Delivery]:
        rows = super().get_queryset()
        if self.action != "list" or _asks_for_state(self.request.query_params):
            return rows
        return rows.filter(last_attempt_at__isnull=False)

    def represent(self, rows: QuerySet[Delivery]) -> list[dict[str, Any]]:
        deliveries = list(rows)
        attempts = _attempts(row.pk for row in deliveries)
        payloads = Payload.objects.in_bulk({row.payload_id for row in deliveries})
        return [webhook_log(row, attempts[row.pk], payloads.get(row.payload_id)) for row in deliveries]

    @described(ours=True)
    def retrieve(self, request: Request, pk: str) -> Response:
        return super().retrieve(request, pk)

    @described(summary="Send a delivery again", code=HTTPStatus.ACCEPTED, ours=True)
    def retry(self, request: Request, pk: str) -> Response:
        """Also replays what succeeded: who names one log has seen that."""
        row = self.get_object()
        with conflicts():
            services.retry_deliveries([row.pk], replay=True)
        return Response(self.represent_one(row.pk), status=status.HTTP_202_ACCEPTED)

    @described(
        summary="Send deliveries again that failed or are held",
        takes=RetrySerializer,
        gives="Retried",
        code=HTTPStatus.ACCEPTED,
        ours=True,
        example=examples.RETRY,
    )
    def retry_many(self, request: Request) -> Response:
        ids = self.valid(RetrySerializer(data=request.data))["ids"]
        known = set(self.get_queryset().filter(pk__in=ids).values_list("pk", flat=True))
        if unknown := {str(at): ["No webhook log can be found."] for at, key in enumerate(ids) if key not in known}:
            raise ValidationError({"ids": unknown})
        with conflicts():
            retried = set(services.retry_deliveries(known))
        answer = {
            "retried": [str(key) for key in dict.fromkeys(ids) if key in retried],
            "left_alone": [str(key) for key in dict.fromkeys(ids) if key not in retried],
        }
        return Response(answer, status=status.HTTP_202_ACCEPTED)


def _asks_for_state(query: QueryDict) -> bool:
    return any(parameter.partition(".")[0] == "state" for parameter in query)


def _attempts(ids: Iterable[UUID]) -> dict[UUID, list[Attempt]]:
    """The attempts of each delivery, newest first."""
    found: dict[UUID, list[Attempt]] = defaultdict(list)
    for attempt in Attempt.objects.of(list(ids)).order_by("-started_at", "-id"):
        found[attempt.delivery_id].append(attempt)
    return found


def webhook_log(row: Delivery, attempts: list[Attempt], payload: Payload | None) -> dict[str, Any]:
    """As Dotfile shows it; `attempts` newest first. A payload that is gone is empty."""
    state = Delivery.State(row.state)
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
        "payload": _payload(row, attempts, payload),
        "next_retry_at": iso(row.due_at) if state is Delivery.State.PENDING else None,
        "attempts": [_attempt(attempt) for attempt in attempts],
        "state": state.label.lower(),
        "reason": row.reason or None,
    }


def _payload(row: Delivery, attempts: list[Attempt], payload: Payload | None) -> Any:
    """Of the newest attempt; before the first one, what it will say but for its counters."""
    if payload is None:
        return {}
    return orjson.loads(sent_body(row, payload, attempts[0])) if attempts else unsent_body(row, payload)


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
        "error": faults.outward(row.error) or None,
        "duration_ms": None if row.error in faults.SILENT else row.duration_ms,
    }


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)

"""Webhooks: create, list, read, change, delete."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from deliveries import services
from deliveries.engine.endpoints import HIDDEN
from deliveries.models import Subscription
from workspaces.api import filtering
from workspaces.api.described import described
from workspaces.api.permissions import Area
from workspaces.api.views import WorkspaceViewSet
from workspaces.timestamps import iso

from . import examples
from .serializers import WebhookSerializer

TURNED_OFFLINE = "Turned offline through the API."


class WebhookViewSet(WorkspaceViewSet[Subscription]):
    model = Subscription
    workspace_lookup = "workspace"
    scope_area = Area.WEBHOOKS
    not_found = "No webhook can be found."
    shown = "Subscription"
    noun = ("webhook", "webhooks")
    filters = {
        "name": filtering.Text("name"),
        "created_at": filtering.Time("created_at"),
        "updated_at": filtering.Time("updated_at"),
        "status": filtering.Choice("status", Subscription.Status.values),
        "type": filtering.Choice("type", Subscription.Type.values),
        "url": filtering.Text("url"),
        "events": filtering.Strings("events"),
    }
    sortable = ("created_at", "name", "status", "type", "updated_at", "url")
    default_sort = "updated_at"

    def represent(self, rows: QuerySet[Subscription]) -> list[dict[str, Any]]:
        return [webhook(row, row.resume_at) for row in rows.annotate(resume_at=F("lane__resume_at"))]

    @described(takes=WebhookSerializer, example=examples.WEBHOOK)
    def create(self, request: Request) -> Response:
        fields = self.valid(WebhookSerializer(data=request.data))
        _check_public(fields["url"])
        if fields.get("status") == Subscription.Status.OFFLINE:
            fields["offline_reason"] = TURNED_OFFLINE
        row = services.create_subscription(self.workspace, fields)
        return Response(self.represent_one(row.pk), status=status.HTTP_201_CREATED)

    @described(takes=WebhookSerializer, example=examples.WEBHOOK_CHANGE)
    def partial_update(self, request: Request, pk: str) -> Response:
        row = self.get_object()
        fields = self.valid(WebhookSerializer(row, data=request.data, partial=True))
        if fields.get("url", row.url) != row.url:
            _check_public(fields["url"])
        with transaction.atomic():
            row = self.find(self.get_queryset().select_for_update())
            fields = self.valid(WebhookSerializer(row, data=request.data, partial=True))
            services.update_subscription(row, fields, TURNED_OFFLINE)
        return Response(self.represent_one(row.pk))


def _check_public(url: str) -> None:
    """Before anything is locked: it waits for name servers."""
    try:
        services.check_public(url)
    except ValidationError as error:
        raise ValidationError({"url": error}) from None


def webhook(row: Subscription, resume_at: datetime | None) -> dict[str, Any]:
    """As Dotfile shows it, then our own fields. Values of custom headers may be passwords: they stay hidden."""
    return {
        "id": str(row.pk),
        "name": row.name,
        "status": row.status,
        "type": row.type,
        "events": row.events,
        "url": row.url,
        "secret": row.secret,
        "created_at": iso(row.created_at),
        "updated_at": iso(row.updated_at),
        "description": row.description,
        "headers": dict.fromkeys(row.headers, HIDDEN),
        "max_retries": row.max_retries,
        "timeout": row.timeout,
        "max_in_flight": row.max_in_flight,
        "rate": row.rate,
        "ordered": row.ordered,
        "payload": row.payload,
        "without": row.without,
        "promoted": row.promoted,
        "paused_until": iso(resume_at) if resume_at and resume_at > timezone.now() else None,
        "offline_reason": row.offline_reason or None,
    }

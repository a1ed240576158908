"""Recoveries (ours, not Dotfile's): jobs that send again what failed or was held of a webhook in a range of time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from django.db.models import QuerySet
from rest_framework import status
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from deliveries import recovery, services
from deliveries.models import Recovery, Subscription
from workspaces.api import filtering
from workspaces.api.described import described
from workspaces.api.errors import Conflict
from workspaces.api.permissions import Area
from workspaces.api.views import WorkspaceViewSet
from workspaces.models import ApiKey
from workspaces.timestamps import iso

from . import examples
from .serializers import RecoverySerializer


@contextmanager
def conflicts() -> Iterator[None]:
    """What cannot be done now is a 409 that says why, and what to do."""
    try:
        yield
    except services.Refused as refused:
        raise Conflict(str(refused)) from None


class RecoveryViewSet(WorkspaceViewSet[Recovery]):
    """The jobs of the webhook that the address names."""

    model = Recovery
    workspace_lookup = "workspace"
    scope_area = Area.WEBHOOKS
    not_found = "No recovery can be found."
    shown = "Recovery"
    filters = {
        "state": filtering.Choices("state", Recovery.State.values),
        "created_at": filtering.Time("created_at"),
    }
    sortable = ("created_at",)
    default_sort = "created_at.desc"

    def get_queryset(self) -> QuerySet[Recovery]:
        return super().get_queryset().filter(subscription_id=self._webhook().pk)

    def represent(self, rows: QuerySet[Recovery]) -> list[dict[str, Any]]:
        jobs = list(rows)
        waits = recovery.waits_for(jobs)
        return [job_of(row, waits.get(row.pk, "")) for row in jobs]

    @described(
        summary="Send again what failed or was held in a range of time",
        takes=RecoverySerializer,
        code=HTTPStatus.ACCEPTED,
        ours=True,
        example=examples.RECOVERY,
    )
    def create(self, request: Request, webhook_id: str) -> Response:
        webhook = self._webhook()
        asked = self.valid(RecoverySerializer(data=request.data))
        with conflicts():
            job = recovery.start_recovery(webhook, **asked, requested_by=_by(request.auth))
        return Response(self.represent_one(job.pk), status=status.HTTP_202_ACCEPTED)

    @described(ours=True)
    def retrieve(self, request: Request, pk: str, webhook_id: str = "") -> Response:
        return super().retrieve(request, pk)

    @described(ours=True)
    def list(self, request: Request, webhook_id: str = "") -> Response:
        return super().list(request)

    @described(summary="Cancel a recovery", ours=True)
    def cancel(self, request: Request, pk: str, webhook_id: str) -> Response:
        job = self.get_object()
        if not recovery.cancel(job) and self.get_object().state == Recovery.State.DONE:
            raise Conflict("This recovery is done; there is nothing left to cancel.")
        return Response(self.represent_one(job.pk))

    def _webhook(self) -> Subscription:
        mine = Subscription.objects.filter(workspace=self.workspace, pk=self.get_id("webhook_id"))
        row = mine.only("id", "name", "url", "workspace_id").first()
        if row is None:
            raise NotFound("No webhook can be found.")
        return row


def _by(key: Any) -> str:
    return f"API key {key.name}" if isinstance(key, ApiKey) else ""


def job_of(row: Recovery, waits_for: str) -> dict[str, Any]:
    """`waits_for` is why a running job does nothing at this moment."""
    return {
        "id": str(row.pk),
        "webhook_id": str(row.subscription_id),
        "state": row.state,
        "waits_for": waits_for or None,
        "since": iso(row.since),
        "until": iso(row.until),
        "rate": row.rate,
        "total": row.total,
        "recovered": row.recovered,
        "reached_at": iso(row.reached_at),
        "requested_by": row.requested_by,
        "created_at": iso(row.created_at),
        "finished_at": iso(row.finished_at),
    }

"""What a webhook can be asked to do (ours, not Dotfile's): send a test, change its secret, tell how it fares."""

from __future__ import annotations

from typing import Any

import orjson
from django.conf import settings
from django.db import transaction
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from deliveries import services, stats
from deliveries.engine import faults, trial
from deliveries.models import Subscription
from workspaces.api.described import described
from workspaces.api.errors import Conflict
from workspaces.api.permissions import Area
from workspaces.api.throttles import Rate, TooManyRequests, buckets
from workspaces.api.views import WorkspaceViewSet
from workspaces.timestamps import iso

from . import examples
from .logs import NO_ANSWER
from .serializers import RotationSerializer, StatsSerializer, TestSerializer

Json = dict[str, Any]

TESTS_OF_A_WEBHOOK = Rate(per_minute=5, burst=5)
TESTS_OF_A_WORKSPACE = Rate(per_minute=30, burst=30)
"""Each calls an address of the client's choice at once and tells how it went: enough for people, too few for a scan. A
workspace has its own, since webhooks can be deleted and made again."""


class TooManyTests(TooManyRequests):
    default_detail = "Too many test events were asked for."


class WebhookToolsViewSet(WorkspaceViewSet[Subscription]):
    model = Subscription
    workspace_lookup = "workspace"
    scope_area = Area.WEBHOOKS
    not_found = "No webhook can be found."
    noun = ("webhook", "webhooks")
    calls_outside = ("test",)

    @described(
        summary="Send a test event, and tell what the receiver said",
        takes=TestSerializer,
        gives="TestResult",
        ours=True,
        example=examples.TEST,
    )
    def test(self, request: Request, pk: str) -> Response:
        row = self.find(self.get_queryset().select_related("workspace"))
        event = self.valid(TestSerializer(data=request.data))["event"]
        _count_test(row)
        return Response(test_result(event, services.send_trial(row, event)))

    @described(
        summary="Change the secret; the old one signs beside it for a while",
        takes=RotationSerializer,
        gives="RotatedSecret",
        ours=True,
        example=examples.ROTATION,
    )
    def rotate_secret(self, request: Request, pk: str) -> Response:
        """Not twice within a grace: who sends a request again, for want of an answer, would end the secret in use."""
        asked = self.valid(RotationSerializer(data=request.data))
        new, grace = asked.get("secret"), asked.get("grace", settings.SECRET_GRACE)
        with transaction.atomic():
            row = self.get_locked()
            if len(row.signing_secrets()) > 1 and grace and new != row.secret:
                raise Conflict(_still_rotating(row))
            row = services.rotate_secret(row, new, grace)
        return Response(rotated(row))

    @described(summary="Tell how a webhook fares", gives="WebhookStats", ours=True, query=examples.RANGE)
    def stats(self, request: Request, pk: str) -> Response:
        query = request.query_params
        if twice := [name for name in query if len(query.getlist(name)) > 1]:
            raise ValidationError({name: ["This is given twice; give it once."] for name in twice})
        asked = self.valid(StatsSerializer(data=query.dict()))
        row = self.get_object()
        return Response(told(row, stats.of(row, asked["since"], asked["until"]), asked))


def _count_test(row: Subscription) -> None:
    """Raises TooManyTests."""
    limits = ((row.pk, TESTS_OF_A_WEBHOOK), (row.workspace_id, TESTS_OF_A_WORKSPACE))
    for owner, rate in limits:
        state = buckets().take(f"tests:{owner}", rate)
        if state is not None and not state.allowed:
            raise TooManyTests(state.wait)


def test_result(event: str, sent: trial.Trial) -> Json:
    """The words of a log's attempt. Without a connection it does not say which of the many reasons it was."""
    answered = sent.status is not None
    return {
        "event": event,
        "succeeded": sent.succeeded,
        "endpoint": sent.url,
        "status_code": sent.status or NO_ANSWER,
        "error": faults.outward(sent.code) or None,
        "message": faults.outward_sentence(sent.code, sent.error) or None,
        "duration_ms": sent.duration_ms,
        "response_headers": sent.response_headers if answered else None,
        "response_body": sent.response_body if answered else None,
        "response_body_cut": sent.truncated,
        "request_headers": sent.request_headers,
        "payload": orjson.loads(sent.request_body),
    }


def rotated(row: Subscription) -> Json:
    previous = row.previous_secret_until if len(row.signing_secrets()) > 1 else None
    return {"id": str(row.pk), "secret": row.secret, "previous_secret_until": iso(previous)}


def _still_rotating(row: Subscription) -> str:
    return (
        f"The secret was rotated already, and the one before it signs until {iso(row.previous_secret_until)}: another "
        "rotation would end that at once. Wait until then, or rotate with `grace` 0, which ends both."
    )


def told(row: Subscription, found: stats.Stats, asked: Json) -> Json:
    return {
        "webhook_id": str(row.pk),
        "since": iso(asked["since"]),
        "until": iso(asked["until"]),
        "complete": found.complete,
        "reaches_back_to": iso(found.first),
        "deliveries": {state.label.lower(): number for state, number in found.deliveries.items()},
        "attempts": {
            "count": found.attempts,
            "succeeded": found.succeeded,
            "success_rate": found.success_rate,
            "latency_ms": {"p50": found.p50, "p95": found.p95},
        },
    }

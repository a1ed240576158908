"""The API's addresses of webhooks, their events and their logs."""

from __future__ import annotations

from django.urls import path

from .catalogue import EventsView, EventView
from .logs import WebhookLogViewSet
from .recoveries import RecoveryViewSet
from .tools import WebhookToolsViewSet
from .webhooks import WebhookViewSet

urlpatterns = [
    path("webhooks", WebhookViewSet.as_view({"get": "list", "post": "create"}), name="webhooks"),
    path(
        "webhooks/<pk>",
        WebhookViewSet.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"}),
        name="webhook",
    ),
    path("webhooks/<pk>/test", WebhookToolsViewSet.as_view({"post": "test"}), name="webhook-test"),
    path(
        "webhooks/<pk>/rotate-secret",
        WebhookToolsViewSet.as_view({"post": "rotate_secret"}),
        name="webhook-rotate-secret",
    ),
    path("webhooks/<pk>/stats", WebhookToolsViewSet.as_view({"get": "stats"}), name="webhook-stats"),
    path("webhooks/<webhook_id>/recover", RecoveryViewSet.as_view({"post": "create"}), name="webhook-recover"),
    path("webhooks/<webhook_id>/recoveries", RecoveryViewSet.as_view({"get": "list"}), name="webhook-recoveries"),
    path(
        "webhooks/<webhook_id>/recoveries/<pk>", RecoveryViewSet.as_view({"get": "retrieve"}), name="webhook-recovery"
    ),
    path(
        "webhooks/<webhook_id>/recoveries/<pk>/cancel",
        RecoveryViewSet.as_view({"post": "cancel"}),
        name="webhook-recovery-cancel",
    ),
    path("webhook-events", EventsView.as_view(), name="webhook-events"),
    path("webhook-events/<name>", EventView.as_view(), name="webhook-event"),
    path("webhook-logs", WebhookLogViewSet.as_view({"get": "list"}), name="webhook-logs"),
    path("webhook-logs/retry", WebhookLogViewSet.as_view({"post": "retry_many"}), name="webhook-logs-retry"),
    path("webhook-logs/<pk>", WebhookLogViewSet.as_view({"get": "retrieve"}), name="webhook-log"),
    path("webhook-logs/<pk>/retry", WebhookLogViewSet.as_view({"post": "retry"}), name="webhook-log-retry"),
]

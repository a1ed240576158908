"""The API's addresses of webhooks and their logs."""

from __future__ import annotations

from django.urls import path

from .logs import WebhookLogViewSet
from .recoveries import RecoveryViewSet
from .webhooks import WebhookViewSet

urlpatterns = [
    path("webhooks", WebhookViewSet.as_view({"get": "list", "post": "create"}), name="webhooks"),
    path(
        "webhooks/<pk>",
        WebhookViewSet.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"}),
        name="webhook",
    ),
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
    path("webhook-logs", WebhookLogViewSet.as_view({"get": "list"}), name="webhook-logs"),
    path("webhook-logs/retry", WebhookLogViewSet.as_view({"post": "retry_many"}), name="webhook-logs-retry"),
    path("webhook-logs/<pk>", WebhookLogViewSet.as_view({"get": "retrieve"}), name="webhook-log"),
    path("webhook-logs/<pk>/retry", WebhookLogViewSet.as_view({"post": "retry"}), name="webhook-log-retry"),
]

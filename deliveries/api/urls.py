"""The API's addresses of webhooks and their logs."""

from __future__ import annotations

from django.urls import path

from .logs import WebhookLogViewSet
from .webhooks import WebhookViewSet

urlpatterns = [
    path("webhooks", WebhookViewSet.as_view({"get": "list", "post": "create"}), name="webhooks"),
    path(
        "webhooks/<pk>",
        WebhookViewSet.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"}),
        name="webhook",
    ),
    path("webhook-logs", WebhookLogViewSet.as_view({"get": "list"}), name="webhook-logs"),
]

"""What a client may write of a webhook. How each value must be, validation.py knows."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from deliveries import services, validation
from deliveries.models import Subscription
from workspaces.api import fields

# Far more than there are events: duplicates are dropped, not refused.
MOST_EVENTS = 500


class Whole(serializers.IntegerField):
    """A JSON number without a fraction; "5" is none."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return super().to_internal_value(data)


class WebhookSerializer(serializers.Serializer[Subscription]):
    """A webhook to create, or (partial) the fields of one to change."""

    name = fields.Text(required=False, allow_blank=True, max_length=180)
    description = fields.Text(required=False, allow_blank=True, max_length=10_000)
    url = fields.Text()
    events = fields.StrictList(child=fields.Text(), max_length=MOST_EVENTS)
    status = serializers.ChoiceField(choices=Subscription.Status.choices, required=False)
    type = serializers.ChoiceField(choices=Subscription.Type.choices, required=False)
    secret = fields.Text(required=False, trim_whitespace=False)
    headers = serializers.DictField(required=False)
    max_retries = Whole(required=False, allow_null=True, min_value=0, max_value=20)
    timeout = fields.Number(required=False, allow_null=True, min_value=1, max_value=30)

    def validate_url(self, value: str) -> str:
        return services.validate_url(value)

    def validate_events(self, value: list[str]) -> list[str]:
        return validation.events(value)

    def validate_secret(self, value: str) -> str:
        return validation.secret(value)

    def validate_headers(self, value: dict[str, Any]) -> dict[str, str]:
        return validation.headers(value, self.instance.headers if self.instance else None)

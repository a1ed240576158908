"""What a client may write of a webhook. How each value must be, validation.py knows."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, ClassVar

from django.utils import timezone
from rest_framework import serializers

from deliveries import recovery, services, stats, validation
from deliveries.engine import trial
from deliveries.engine.endpoints import HIDDEN
from deliveries.engine.targets import LONGEST_URL
from deliveries.events import catalogue
from deliveries.models import Subscription
from workspaces.api import fields
from workspaces.api.described import Hints
from workspaces.identifiers import EPOCH

# Far more than there are events: duplicates are dropped, not refused.
MOST_EVENTS = 500
# Logs that one request may retry.
MOST_RETRIED = 1000
# Seconds that a secret may go on to sign after a rotation: a week to change a receiver.
LONGEST_GRACE = 7 * 24 * 3600


class Whole(serializers.IntegerField):
    """A JSON number without a fraction; "5" is none."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return super().to_internal_value(data)


# Unknown fields that are named: looking for the nearest takes some 0.1 ms each.
MOST_NAMED = 20


class Strict(serializers.Serializer[Any]):
    """Refuses fields that do not exist."""

    not_read: ClassVar[frozenset[str]] = frozenset()
    """What we show and a client may send back with the rest; it is not read."""

    def to_internal_value(self, data: Any) -> Any:
        """A misspelt field is an error: to leave it out in silence would be to keep what somebody meant to change."""
        known = {*self.fields, *self.not_read}
        if isinstance(data, Mapping) and (unknown := [key for key in data if key not in known]):
            errors = {key: [self._no_such(key)] for key in unknown[:MOST_NAMED]}
            raise serializers.ValidationError(errors, code="unknown_field")
        return super().to_internal_value(data)

    def _no_such(self, key: str) -> str:
        nearest = get_close_matches(key, self.fields, n=1)
        return f"There is no such field{f'. Did you mean {nearest[0]}?' if nearest else '; leave it out.'}"


# What validation.py knows of each, as far as JSON Schema can say it.


class Url(fields.Text):
    hints: ClassVar[Hints] = {"maxLength": LONGEST_URL}


class Events(fields.StrictList):
    hints: ClassVar[Hints] = {
        "minItems": 1,
        "description": "Names, families such as `Check.*`, or `*`: see `GET /v1/webhook-events`.",
    }


class Secret(fields.Text):
    hints: ClassVar[Hints] = {"minLength": validation.SHORTEST_SECRET, "maxLength": validation.LONGEST_SECRET}


class CustomHeaders(serializers.DictField):
    hints: ClassVar[Hints] = {
        "additionalProperties": {"type": "string"},
        "description": f'Sent with each request, by name. "{HIDDEN}" keeps the value that is stored.',
    }


class RecoveryRate(fields.Number):
    hints: ClassVar[Hints] = {"minimum": recovery.SLOWEST, "maximum": recovery.FASTEST}


class WebhookSerializer(Strict):
    """A webhook to create, or (partial) the fields of one to change."""

    not_read = frozenset({"id", "created_at", "updated_at", "offline_reason", "promoted", "paused_until"})

    name = fields.Text(required=False, allow_blank=True, max_length=180)
    description = fields.Text(required=False, allow_blank=True, max_length=10_000)
    url = Url()
    events = Events(child=fields.Text(), max_length=MOST_EVENTS)
    status = serializers.ChoiceField(choices=Subscription.Status.choices, required=False)
    type = serializers.ChoiceField(choices=Subscription.Type.choices, required=False)
    secret = Secret(required=False, trim_whitespace=False)
    headers = CustomHeaders(required=False)
    max_retries = Whole(required=False, allow_null=True, min_value=0, max_value=20)
    timeout = fields.Number(required=False, allow_null=True, min_value=1, max_value=30)
    max_in_flight = Whole(required=False, allow_null=True, min_value=1, max_value=256)
    rate = fields.Number(required=False, allow_null=True, min_value=0.01, max_value=10_000)
    ordered = fields.Flag(required=False)
    payload = serializers.ChoiceField(choices=Subscription.Content.choices, required=False)
    without = fields.StrictList(child=fields.Text(trim_whitespace=False), required=False)

    def validate_url(self, value: str) -> str:
        return services.validate_url(value)

    def validate_events(self, value: list[str]) -> list[str]:
        return validation.events(value)

    def validate_without(self, value: list[str]) -> list[str]:
        return validation.without(value)

    def validate_secret(self, value: str) -> str:
        return validation.secret(value)

    def validate_headers(self, value: dict[str, Any]) -> dict[str, str]:
        return validation.headers(value, self.instance.headers if self.instance else None)


class RetrySerializer(Strict):
    """Logs to retry, by their ids."""

    ids = fields.StrictList(child=fields.Id(), max_length=MOST_RETRIED, allow_empty=False)


class RecoverySerializer(Strict):
    """A range to recover; without `until`, up to now. Its limits, recovery.py knows."""

    since = fields.Moment()
    until = fields.Moment(required=False, allow_null=True, default=None)
    rate = RecoveryRate(required=False, default=recovery.DEFAULT_RATE)


class TestSerializer(Strict):
    """A test to send; the example of an event unless it is the plain `Webhook.Test`."""

    event = fields.Text(required=False, default=trial.EVENT)

    def validate_event(self, value: str) -> str:
        if value != trial.EVENT and (complaint := _no_example(value)):
            raise serializers.ValidationError(complaint, code="unknown_event")
        return value


def _no_example(name: str) -> str | None:
    """A sentence about a name that has no example."""
    if name not in catalogue.NAMES:
        return catalogue.complaint([name]) or f"{name} stands for many events; name one of them."
    return None if catalogue.sent_as(name)[0].family.arises else f"{name} never arises here, so it has no example."


class RotationSerializer(Strict):
    """A rotation; what is left out is generated, or as the settings say."""

    grace = Whole(required=False, min_value=0, max_value=LONGEST_GRACE)
    secret = Secret(required=False, trim_whitespace=False)

    def validate_secret(self, value: str) -> str:
        return validation.secret(value)


class StatsSerializer(Strict):
    """A range to look back at, from a query string: the last day unless it says otherwise."""

    since = fields.Moment(required=False)
    until = fields.Moment(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        until = attrs.get("until") or timezone.now()
        usual = max(until, EPOCH + stats.USUAL) - stats.USUAL  # before the year 1 there is no time
        return {"since": attrs.get("since") or usual, "until": until}

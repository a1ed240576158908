"""The form of a subscription: events to tick by family, custom headers as lines."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.postgres.forms import SimpleArrayField
from django.core.exceptions import ValidationError

from deliveries import recovery, services, validation
from deliveries.engine import signing
from deliveries.engine.endpoints import HIDDEN
from deliveries.models import Subscription
from workspaces.typed import ModelForm

from .picker import EventsField

SECRET_ATTRS = {"class": "wide", "autocomplete": "off", "spellcheck": "false"}
DEFAULTS = {
    "max_retries": settings.DELIVERY_MAX_RETRIES,
    "timeout": settings.DELIVERY_TIMEOUT,
    "max_in_flight": settings.DELIVERY_LANE_IN_FLIGHT,
}
INPUT = "%Y-%m-%dT%H:%M:%S"
"""What a browser's input for a date and time takes and gives."""


class LinesField(SimpleArrayField):
    """A list with an item on each line; empty lines are none."""

    widget = forms.Textarea(attrs={"rows": 3, "cols": 60, "spellcheck": "false"})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Without the hidden copy that Django adds where a default is called: what is stored tells what was changed.
        super().__init__(*args, **kwargs | {"delimiter": "\n", "show_hidden_initial": False})

    def to_python(self, value: Any) -> Any:
        lines = [line for line in value.splitlines() if line.strip()] if isinstance(value, str) else value
        return super().to_python(lines)


class SubscriptionForm(ModelForm):
    events = EventsField()
    header_lines = forms.CharField(
        label="Custom headers",
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "cols": 60, "spellcheck": "false", "placeholder": "X-Api-Key: …"}),
        help_text=f"One a line, “Name: value”. Stored encrypted; a value shown as {HIDDEN} stays as it is.",
    )

    secret = forms.CharField(
        required=False,
        strip=False,
        widget=forms.TextInput(attrs=SECRET_ATTRS),
        help_text="Left empty, one is generated. Once it is stored, the buttons above show and rotate it.",
    )

    class Meta:
        model = Subscription
        fields = (
            *("workspace", "name", "description", "url", "status", "type", "events", "max_retries", "timeout"),
            *("payload", "without", "max_in_flight", "rate", "ordered", "promoted"),
        )
        field_classes = {"without": LinesField}
        widgets = {
            "name": forms.TextInput(attrs={"class": "vTextField"}),
            "description": forms.Textarea(attrs={"rows": 3, "cols": 60}),
            "url": forms.TextInput(attrs={"class": "wide", "placeholder": "https://example.com/webhooks"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # A page that was opened before the subscription went offline must not turn it on again when it is saved.
        if "status" in self.fields:
            self.fields["status"].show_hidden_initial = True
        for name, default in DEFAULTS.items():
            if name in self.fields:
                self.fields[name].widget.attrs["placeholder"] = f"{default:g}"
        if not self.instance._state.adding:
            self.fields.pop("secret", None)  # from here on it is rotated, on a page of its own
            self.initial["header_lines"] = shown_headers(self.instance)

    def clean_url(self) -> str:
        url = services.validate_url(self.cleaned_data["url"])
        if "url" in self.changed_data:
            services.check_public(url)
        return url

    def clean_events(self) -> list[str]:
        return validation.events(self.cleaned_data["events"])

    def clean_without(self) -> list[str]:
        return validation.without(self.cleaned_data["without"])

    def clean_status(self) -> str:
        chosen = self.cleaned_data["status"] if "status" in self.changed_data else self.instance.status
        return str(chosen)

    def clean_header_lines(self) -> dict[str, str]:
        stored = None if self.instance._state.adding else self.instance.headers
        return validation.headers(_parse(self.cleaned_data["header_lines"]), stored)

    def clean_secret(self) -> str:
        given: str = self.cleaned_data["secret"]
        return validation.secret(given) if given else signing.generate_secret()

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if self.instance._state.adding and not self.errors:
            services.check_room(data["workspace"])
        return data

    def save(self, commit: bool = True) -> Any:
        self.instance.headers = self.cleaned_data["header_lines"]
        return super().save(commit)


class RotationForm(forms.Form):
    """A new secret for a subscription, and whether the present one ends now."""

    secret = forms.CharField(
        label="New secret",
        required=False,
        strip=False,
        widget=forms.TextInput(attrs=SECRET_ATTRS),
        help_text="Left empty, one is generated.",
    )
    at_once = forms.BooleanField(label="The present secret has leaked: end it at once.", required=False)

    def __init__(self, row: Subscription, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.row = row

    def clean_secret(self) -> str | None:
        given: str = self.cleaned_data["secret"]
        if given and given == self.row.secret:
            raise ValidationError("This is the present secret; give another one, or none.")
        return validation.secret(given) if given else None


class RecoveryForm(forms.Form):
    """A range to recover. Its limits, recovery.py knows."""

    since = forms.DateTimeField(
        label="Events recorded from",
        widget=forms.DateTimeInput({"type": "datetime-local", "step": 1}, INPUT),
        input_formats=[INPUT],
    )
    until = forms.DateTimeField(
        label="and before",
        widget=forms.DateTimeInput({"type": "datetime-local", "step": 1}, INPUT),
        input_formats=[INPUT],
    )
    rate = forms.FloatField(
        label="Deliveries a second, at most",
        initial=recovery.DEFAULT_RATE,
        min_value=recovery.SLOWEST,
        max_value=recovery.FASTEST,
        widget=forms.NumberInput({"step": "any"}),
    )


def shown_headers(row: Subscription) -> str:
    """Names only: a value may be a password."""
    return "\r\n".join(f"{name}: {HIDDEN}" for name in row.headers)  # line ends as browsers send them back


def _parse(lines: str) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in filter(None, (line.strip() for line in lines.splitlines())):
        name, colon, value = line.partition(":")
        if not colon:
            raise ValidationError("Write each custom header on a line of its own, as “Name: value”.")
        if name.strip() in headers:
            raise ValidationError(f"{name.strip()} is there twice; write it once.")
        headers[name.strip()] = value.strip()
    return headers

"""Forms of checks: one to start a check, one to edit it."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from rest_framework import serializers

from checks.data import KEYS
from checks.models import DECIDED
from workspaces.editing import RuledForm
from workspaces.forms import CheckedJSON
from workspaces.typed import ModelForm


class CheckForm(RuledForm):
    """A status that is typed in would skip the review of a verdict; one that was shown before it would undo it."""

    as_shown = ("status", "expires_at")

    def clean_expires_at(self) -> date | None:
        found: date | None = self.instance.expires_at if self.is_left("expires_at") else self.cleaned_data["expires_at"]
        return found

    def clean_status(self) -> str:
        wanted: str = self.instance.status if self.is_left("status") else self.cleaned_data["status"]
        if wanted != self.initial.get("status") and wanted in DECIDED:
            raise ValidationError(
                "To approve or reject a check, use the button or the action of that name, which keeps a review."
            )
        return wanted


class StartForm(ModelForm):
    key = forms.CharField(
        required=False, max_length=200, help_text="Of the document type or template; for those two types of checks."
    )
    settings = CheckedJSON(
        checked_by=serializers.DictField,
        default=dict,
        help_text='JSON, such as {"automatic_approval": true}. What is left out is as usual.',
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        name = KEYS.get(data.get("type", ""), ("", ""))[0]
        if name and not (data.get("key") or (data.get("settings") or {}).get(name)):
            self.add_error("key", "Say which document this check is about.")
        key = {name: data["key"]} if name and data.get("key") else {}
        self.instance.data = {"settings": {**(data.get("settings") or {}), **key}}
        return data

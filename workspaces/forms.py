"""Form fields of the admin that let through no more than the API does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.fields import InvalidJSONInput
from rest_framework import serializers
from rest_framework.exceptions import ParseError

from .api import parsers
from .api.errors import flatten

Serializer = serializers.Field[Any, Any, Any, Any]


class CheckedJSON(forms.JSONField):
    """JSON that one of the API's own fields or serializers accepts. An empty box, or null, is the default."""

    def __init__(self, *, checked_by: Callable[[], Serializer], default: Callable[[], Any], **kwargs: Any) -> None:
        self.checked_by, self.default = checked_by, default
        super().__init__(**{"required": False, "widget": forms.Textarea(attrs={"rows": 5, "cols": 60}), **kwargs})

    def to_python(self, value: Any) -> Any:
        if self.disabled or not isinstance(value, str) or not value.strip():
            return super().to_python(value)
        try:
            return parsers.read(value.encode(), "This")
        except ParseError as error:
            raise ValidationError(str(error.detail)) from None

    def bound_data(self, data: Any, initial: Any) -> Any:
        """What was typed, as it was: Django would read it again, and some of what it reads cannot be written."""
        return initial if self.disabled or data is None else InvalidJSONInput(data)

    def clean(self, value: Any) -> Any:
        data = super().clean(value)
        if data is None or data == self.default():
            return self.default()
        try:
            return plain(self.checked_by().run_validation(data))
        except serializers.ValidationError as error:
            raise ValidationError([_sentence(**found) for found in flatten(error.detail)]) from None


class Words(forms.MultipleChoiceField):
    """Some of the words of an array, as checkboxes."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, choices: Any, **kwargs: Any) -> None:
        super().__init__(**{"choices": choices, "required": False, **kwargs})


def plain(data: Any) -> Any:
    """Without serializers' own kinds of dicts."""
    if isinstance(data, dict):
        return {key: plain(value) for key, value in data.items()}
    return [plain(item) for item in data] if isinstance(data, list) else data


def _sentence(field: str | None, code: str, message: str) -> str:
    return f"{field}: {message}" if field else message

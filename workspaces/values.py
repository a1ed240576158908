"""What PostgreSQL can store in a column. Its own refusals show the row, and spoil the transaction."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models


def refuse_values(model: type[models.Model], values: Mapping[str, Any]) -> None:
    """Raises ValidationError with a sentence by column for what these columns cannot store. Asks no expression."""
    columns = _columns(model)
    told = {name: _told(columns[name], values[name]) for name in columns.keys() & values.keys()}
    if wrong := {name: sentence for name, sentence in told.items() if sentence}:
        raise ValidationError(wrong)


@cache
def _columns(model: type[models.Model]) -> dict[str, Any]:
    return {field.attname: field for field in model._meta.concrete_fields if not field.primary_key}


def _told(field: Any, value: Any) -> str:
    if value is None and not field.null:
        return "This cannot be null."
    if not _can_be_stored(value):
        return "This has a character that cannot be stored."
    longest = field.max_length
    if longest is not None and isinstance(value, str) and len(value) > longest:
        return f"Use at most {longest} characters."
    return ""


def _can_be_stored(value: Any) -> bool:
    """Neither NUL nor half a pair of surrogates, in text or anywhere in JSON."""
    if isinstance(value, str):
        return "\0" not in value and not any("\ud800" <= character <= "\udfff" for character in value)
    if isinstance(value, dict):
        return all(_can_be_stored(part) for pair in value.items() for part in pair)
    return not isinstance(value, (list, tuple)) or all(map(_can_be_stored, value))

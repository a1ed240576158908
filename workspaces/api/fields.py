"""Serializer fields that take JSON at its word: "1" is no number, 1 is no text, 0 is not false."""

from __future__ import annotations

import math
import re
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Model, QuerySet
from rest_framework import serializers

from . import moments
from .described import Hints

# Alpha-2 codes are checked for their form: which countries exist is not this API's to say.
COUNTRY = re.compile("[A-Za-z]{2}")


class Text(serializers.CharField):
    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class OptionalText(Text):
    """Text that may be missing: null and "" are the same, and stored as ""."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": 255, "required": False, "allow_null": True, "allow_blank": True, **kwargs})

    def run_validation(self, data: Any = serializers.empty) -> Any:
        value = super().run_validation(data)
        return "" if value is None else value


class OptionalEmail(OptionalText, serializers.EmailField):
    """An address of at most 254 characters, or nothing."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": 254, **kwargs})


class Word(serializers.ChoiceField):
    """One of some words. `allow_null` stores null as ""."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid_choice", input=data)
        return str(super().to_internal_value(data))

    def run_validation(self, data: Any = serializers.empty) -> Any:
        value = super().run_validation(data)
        return "" if value is None else value


class Flag(serializers.BooleanField):
    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class Number(serializers.FloatField):
    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool) or not isinstance(data, (int, float)) or not math.isfinite(data):
            self.fail("invalid")
        return super().to_internal_value(data)


class Percentage(Number):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"min_value": 0, "max_value": 100, "required": False, "allow_null": True, **kwargs})


class Id(serializers.UUIDField):
    def to_internal_value(self, data: Any) -> UUID:
        if not isinstance(data, str):
            self.fail("invalid", value=data)
        return super().to_internal_value(data)


class Country(OptionalText):
    """ISO 3166-1 alpha-2, in any case; kept in capitals."""

    hints: ClassVar[Hints] = {"pattern": "^([A-Za-z]{2})?$"}
    default_error_messages = {"country": "Use the two letters of ISO 3166-1, such as FR."}

    def to_internal_value(self, data: Any) -> str:
        value = super().to_internal_value(data)
        if not COUNTRY.fullmatch(value):
            self.fail("country")
        return value.upper()


class Day(serializers.DateField):
    """A date: 2023-01-31."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"input_formats": ["%Y-%m-%d"], "required": False, "allow_null": True, **kwargs})


class Moment(serializers.CharField):
    """A time, or a date: its first moment in UTC."""

    default_error_messages = {"moment": "Use a date or a time such as 2023-01-31 or 2023-01-31T13:30:00.000Z."}

    def to_internal_value(self, data: Any) -> Any:
        try:
            return moments.parse(data).start if isinstance(data, str) else self.fail("moment")
        except ValueError:
            self.fail("moment")


class StrictList(serializers.ListField):
    """A list of at most 1,000 items, unless said otherwise."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": 1000, **kwargs})

    def to_internal_value(self, data: Any) -> list[Any]:
        """Before the items: to say what is wrong with each of 40,000 takes seconds."""
        if self.max_length is not None and isinstance(data, list) and len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        return super().to_internal_value(data)


class Own(serializers.RelatedField[Model, Model, str]):
    """A row of the caller's workspace, by its id. Another workspace's row does not exist."""

    default_error_messages = {
        "invalid": "This must be a UUID.",
        "does_not_exist": "Nothing with this id can be found.",
    }

    def __init__(self, rows: QuerySet[Any], workspace_lookup: str = "workspace", **kwargs: Any) -> None:
        self.rows = rows
        self.workspace_lookup = workspace_lookup
        super().__init__(queryset=rows, **kwargs)

    def get_queryset(self) -> QuerySet[Model]:
        return self.rows.filter(**{self.workspace_lookup: self.context["view"].workspace})

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """To DRF "" is null, which forms cannot say. JSON can: here it is no id."""
        return self.to_internal_value(data) if data == "" else super().run_validation(data)

    def to_internal_value(self, data: Any) -> Model:
        try:
            key = UUID(data) if isinstance(data, str) else self.fail("invalid")
        except ValueError:
            self.fail("invalid")
        found = self.get_queryset().filter(pk=key).first()
        return found if found is not None else self.fail("does_not_exist")

    def to_representation(self, value: Any) -> str:
        return str(value.pk)

"""Bodies of requests: what JSON Schema can say of our serializers, where drf-spectacular does not know."""

from __future__ import annotations

from typing import Any

from django.core.validators import RegexValidator
from drf_spectacular.openapi import AutoSchema

from deliveries.api.serializers import Strict
from deliveries.events.schemas.words import Schema


class Bodies(AutoSchema):
    """A field adds what its `hints` say, a serializer its `rule` of several fields."""

    def get_serializer_name(self, serializer: Any, direction: str) -> str:
        """That of what is created, where the same class takes several kinds of it."""
        kind = getattr(serializer, "kind", None)
        return f"{kind.schema}Serializer" if kind else type(serializer).__name__

    def _map_basic_serializer(self, serializer: Any, direction: str) -> Schema:
        schema: Schema = super()._map_basic_serializer(serializer, direction)
        schema.pop("description", None)  # docstrings are for whoever reads the code
        if isinstance(serializer, Strict):
            schema["properties"] |= {name: {"description": "Not read."} for name in sorted(serializer.not_read)}
            schema["additionalProperties"] = False
        return schema | getattr(serializer, "rule", {})

    def _map_serializer_field(self, field: Any, direction: str, bypass_extensions: bool = False) -> Schema:
        schema: Schema = super()._map_serializer_field(field, direction, bypass_extensions)
        schema.pop("x-spec-enum-id", None)
        if not getattr(field, "allow_empty", True):
            schema["minItems"] = 1
        return schema | getattr(field, "hints", {})

    def _insert_field_validators(self, field: Any, schema: Schema) -> None:
        super()._insert_field_validators(field, schema)
        if "oneOf" in schema and getattr(field, "allow_blank", False):
            schema["anyOf"] = schema.pop("oneOf")  # "" is both, to whoever does not check formats
        for validator in field.validators:
            if isinstance(validator, RegexValidator) and validator.inverse_match and "pattern" in schema:
                schema["not"] = {"pattern": schema.pop("pattern")}
        if getattr(field, "trim_whitespace", False) and not field.allow_blank:
            schema.setdefault("pattern", r"\S")

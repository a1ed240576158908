"""How our own fields of serializers look in JSON Schema, where drf-spectacular cannot know.

Each gives a new dict: what it returns is written on.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema

from checks.data.settings import Setting
from deliveries.events.schemas.cases import PROPERTY
from deliveries.events.schemas.words import TEXT, UUID, Schema
from workspaces.api import moments


class _Own(OpenApiSerializerFieldExtension):
    target_class = "workspaces.api.fields.Own"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Any) -> Schema:
        return {**UUID}


class _TemplateKey(OpenApiSerializerFieldExtension):
    target_class = "cases.api.serializers.TemplateKey"
    priority = 1

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Any) -> Schema:
        return {**TEXT}


class _Moment(OpenApiSerializerFieldExtension):
    target_class = "workspaces.api.fields.Moment"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Any) -> Schema:
        return deepcopy(moments.SCHEMA)


class _Property(OpenApiSerializerFieldExtension):
    target_class = "cases.api.parts.Property"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Any) -> Schema:
        return deepcopy(PROPERTY)


class _Settings(OpenApiSerializerFieldExtension):
    """By name, with what each is unless something else is said."""

    target_class = "checks.api.serializers.Settings"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Any) -> Schema:
        known = self.target.known
        return {
            "type": "object",
            "properties": {name: _setting(setting) for name, setting in known.items()},
            "required": [name for name, setting in known.items() if setting.required],
        }


def _setting(setting: Setting) -> Schema:
    return {**setting.schema} if setting.required else {**setting.schema, "default": setting.default}

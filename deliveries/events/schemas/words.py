"""The vocabulary in which the schemas are written: JSON Schema, 2020-12. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Schema = dict[str, Any]

DEFINITIONS = "#/$defs/"

TEXT: Schema = {"type": "string"}
UUID: Schema = {"type": "string", "format": "uuid"}
MOMENT: Schema = {"type": "string", "format": "date-time"}
DAY: Schema = {"type": "string", "format": "date"}
EMAIL: Schema = {"type": "string", "format": "email"}
COUNTRY: Schema = {"type": "string", "minLength": 2, "maxLength": 2}
"""ISO 3166-1 alpha-2."""
FLAG: Schema = {"type": "boolean"}
NUMBER: Schema = {"type": "number"}
COUNT: Schema = {"type": "integer", "minimum": 0}
NULL: Schema = {"type": "null"}
NOTHING: Schema = {"type": ["string", "null"], "const": None}
"""A member that is always null. Generators of Python clients give up at one whose type is just that."""
NONE_HERE: Schema = {"type": "array", "items": {"type": "object"}, "maxItems": 0}
"""A list that Dotfile fills and that is always empty here."""


def ref(name: str) -> Schema:
    return {"$ref": DEFINITIONS + name}


def nullable(schema: Schema) -> Schema:
    if "anyOf" in schema:
        return {**schema, "anyOf": [*schema["anyOf"], NULL]}
    if "type" not in schema:
        return {"anyOf": [schema, NULL]}
    enum = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    return {**schema, **enum, "type": [schema["type"], "null"]}


def one_of(words: Iterable[str]) -> Schema:
    return {"type": "string", "enum": [*words]}


def only(word: str) -> Schema:
    return {"type": "string", "const": word}


def listing(of: Schema) -> Schema:
    return {"type": "array", "items": of}


def mapping(of: Schema) -> Schema:
    return {"type": "object", "additionalProperties": of}


def obj(members: dict[str, Schema], optional: dict[str, Schema] | None = None) -> Schema:
    """All members are always there but the optional ones; whoever reads must not mind others, which may be added."""
    return {"type": "object", "properties": members | (optional or {}), "required": [*members]}


def same(schema: Schema, *names: str) -> dict[str, Schema]:
    """Members of one kind."""
    return dict.fromkeys(names, schema)


def told(schema: Schema, description: str) -> Schema:
    return {**schema, "description": description}

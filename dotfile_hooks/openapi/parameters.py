"""Query parameters: those of lists, and others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from deliveries.events.schemas.words import FLAG, listing
from workspaces.api.filtering import Filter
from workspaces.api.views import WorkspaceViewSet

from . import common

Json = dict[str, Any]

OPERATORS = {
    "eq": "is",
    "not_eq": "is not",
    "in": "is one of",
    "not_in": "is none of",
    "like": "contains",
    "ilike": "contains, in any case",
    "gt": "is later than",
    "gte": "is not earlier than",
    "lt": "is earlier than",
    "lte": "is not later than",
    "array_contains": "has all of",
    "array_not_contains": "has not all of",
    "array_overlap": "has any of",
}


def of_list(view: WorkspaceViewSet[Any]) -> Iterator[Json]:
    names = [f"{name}{order}" for name in view.sortable for order in ("", ".asc", ".desc")]
    by = {**listing({"type": "string", "enum": names}), "minItems": 1, "default": [view.default_sort]}
    yield {"$ref": "#/components/parameters/page"}
    yield common.limit(view.max_limit)
    yield {"$ref": "#/components/parameters/cursor"}
    yield parameter("sort", by, "Comma-separated, each with `.desc` to reverse it.", several=True)
    yield from (parameter(name, FLAG) for name in view.flags)
    for name, spec in view.filters.items():
        yield from _filter(name, spec)


def _filter(name: str, spec: Filter) -> Iterator[Json]:
    for operator in spec.operators:
        several = operator in spec.many
        schema = {**listing(spec.schema), "minItems": 1} if several else spec.schema
        yield parameter(f"{name}.{operator}", schema, f"`{name}` {OPERATORS[operator]}.", several=several)
    told = f"The same as `{name}.{spec.operators[0]}`."
    several = spec.operators[0] in spec.many
    yield parameter(name, listing(spec.schema) if several else spec.schema, told, several=several)


def parameter(name: str, schema: Mapping[str, Any], told: str = "", *, several: bool = False) -> Json:
    """`several`: in one parameter, comma-separated."""
    form: Json = {"style": "form", "explode": False} if several else {}
    return {"name": name, "in": "query", **({"description": told} if told else {}), **form, "schema": dict(schema)}

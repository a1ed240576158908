"""The catalogue for others to read: as a list, as a page, as JSON Schemas, and as webhooks in OpenAPI."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from deliveries.events import examples, schemas
from deliveries.events.catalogue import EARLY, EVENTS, FAMILIES, names_of, sent_as
from deliveries.events.families import Family

from . import page

Json = dict[str, Any]

WIDTH = 120
INDENT = 2
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def listing() -> list[Json]:
    """Every name that may be asked for, ready for JSON. The schemas refer to `schemas.DEFINITIONS` as `#/$defs/...`."""
    return [_entry(name, family) for family in FAMILIES for name in names_of(family)]


def _entry(name: str, family: Family) -> Json:
    return {
        "name": name,
        "family": family.name,
        "when": EARLY.get(name) or EVENTS[name].when,
        "arises": family.arises,
        "main_event": (EVENTS[name].main or None) if name in EVENTS else None,
        "stands_for": [event.name for event in sent_as(name) if event.name != name],
        "entity": family.entity,
        "context": ["workspace", *family.context],
        "schema": schemas.body(name) if family.arises else None,
        "example": examples.body(name) if family.arises else None,
    }


def json_schema() -> Json:
    """One schema for any body that arrives in full; `event` decides which part of it applies."""
    return {
        "$schema": DIALECT,
        "title": "The body of a webhook",
        "oneOf": [{"title": entry["name"], **entry["schema"]} for entry in listing() if entry["arises"]],
        "$defs": schemas.DEFINITIONS,
    }


def files() -> Mapping[str, str]:
    """What `manage.py catalogue` writes: text by path, from the top of the project."""
    return {
        "docs/events.md": page.markdown(listing()),
        "docs/schemas/events.json": text(json_schema()) + "\n",
    }


def text(value: Any, indent: int = 0) -> str:
    """JSON for people: what fits stays on one line."""
    flat = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or len(flat) + indent <= WIDTH:
        return flat
    deeper = indent + INDENT
    if isinstance(value, list):
        lines = [text(item, deeper) for item in value]
    else:
        lines = [f"{json.dumps(key)}: {text(item, deeper)}" for key, item in value.items()]
    first, last = "{}" if isinstance(value, dict) else "[]"
    inside = ",\n".join(" " * deeper + line for line in lines)
    return f"{first}\n{inside}\n{' ' * indent}{last}"

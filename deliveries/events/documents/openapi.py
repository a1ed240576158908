"""The webhooks section of OpenAPI 3.1: what a receiver has to accept."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.conf import settings

from checks.models import CheckType
from deliveries.events import examples, schemas
from deliveries.events.catalogue import FAMILIES
from deliveries.events.families import Family
from deliveries.events.schemas import words

Json = dict[str, Any]

ABOUT = (
    "What Dotfile Hooks sends to the URL of a webhook whose payload is full. Delivery is at least once: drop what has "
    "an `event_id` that you have handled, and order the events of a case by `context.sequence`."
)
HEADERS = {
    "webhook-id": ("The same as `context.event_id`.", words.UUID),
    "webhook-timestamp": ("The same as `context.timestamp`. Refuse what is more than five minutes away.", words.TEXT),
    "webhook-signature": (
        "Standard Webhooks: `v1,` and, in base64, the HMAC-SHA256 of id, timestamp and raw body with dots between "
        "them. Two of them, parted by a blank, while the secret is being rotated.",
        words.TEXT,
    ),
    "Dotfile-Signature": (
        "The HMAC-SHA256 of the raw body, keyed with the secret's text, in lower-case hexadecimal.",
        {"type": "string", "pattern": "^[0-9a-f]{64}$"},
    ),
    "Dotfile-Signature-Previous": (
        "The same by the previous secret, while it is being rotated.",
        {"type": "string", "pattern": "^[0-9a-f]{64}$"},
    ),
}
OPTIONAL = {"Dotfile-Signature-Previous"}
RESPONSES = {
    "2XX": {"description": "Received. Whatever else is answered, redirects included, is tried again later."},
    "410": {"description": "Never again: the webhook goes offline."},
}
ALL_TYPES = "Check.Approved"
"""The event that has an example for each type of check."""


def document(listing: Iterable[Json]) -> Json:
    """Everything that arises, by the name under which it is sent."""
    made = {
        "openapi": "3.1.0",
        "info": {"title": "Dotfile Hooks: webhooks", "version": settings.VERSION, "description": ABOUT},
        "tags": [{"name": _tag(family.name), "description": _about(family)} for family in FAMILIES if family.arises],
        "webhooks": {entry["name"]: {"post": _operation(entry)} for entry in listing if entry["arises"]},
        "components": {
            "schemas": schemas.DEFINITIONS,
            "parameters": {name: _header(name) for name in HEADERS},
        },
    }
    moved: Json = json.loads(json.dumps(made).replace(words.DEFINITIONS, "#/components/schemas/"))
    return moved


def _tag(family: str) -> str:
    """Beside the tags of requests."""
    return f"Events: {family}"


def _about(family: Family) -> str:
    return f"The body has `{family.entity}`: {family.body}."


def _operation(entry: Json) -> Json:
    return {
        "operationId": entry["name"],
        "summary": entry["when"],
        "tags": [_tag(entry["family"])],
        "parameters": [{"$ref": f"#/components/parameters/{name}"} for name in HEADERS],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": entry["schema"], **_examples(entry)}},
        },
        "responses": RESPONSES,
    }


def _examples(entry: Json) -> Json:
    """None for a sub-event: that of its main event differs in `event` and `sub_event` only."""
    if entry["main_event"]:
        return {}
    if entry["name"] == ALL_TYPES:
        return {"examples": {kind: {"value": examples.body(ALL_TYPES, kind)} for kind in CheckType.values}}
    return {"example": entry["example"]}


def _header(name: str) -> Json:
    description, schema = HEADERS[name]
    return {
        "name": name,
        "in": "header",
        "required": name not in OPTIONAL,
        "description": description,
        "schema": schema,
    }

"""The whole document: what the API takes and answers, and what it sends to webhooks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from deliveries.events import documents
from deliveries.events.documents import openapi as events
from deliveries.events.schemas import words

from . import common, fields  # noqa: F401  # fields register themselves
from .answers import DEFINITIONS
from .schema import TAGS, address

Json = dict[str, Any]

PATH = "docs/openapi.json"
ABOUT = """\
Cases, the people and companies they are about, checks on them, and webhooks that tell at once when something changes.

Send an API key in `X-DOTFILE-API-KEY`. Bodies are JSON in UTF-8. An error has `status_code`, `timestamp`, `code` and
`message`; `errors` names each field that is wrong. Lists come in pages, by number or by cursor. A `POST` with an
`Idempotency-Key` may be sent again without doing anything again.

[How to use it](/docs/integrators), and [how to receive webhooks](/docs/receivers): how to check their signature, in
seven languages, and how often they are tried."""
LICENSE = {"name": "MIT", "identifier": "MIT"}
SCHEMAS = "#/components/schemas/"
CALLBACKS = "/v1/webhooks"
URL = "{$request.body#/url}"
"""Where a webhook has its events sent, in the words of OpenAPI."""


def document() -> Json:
    """Raises jsonschema's ValidationError if what was read off the views is no OpenAPI."""
    generator = SchemaGenerator()
    paths = {address(path): operations for path, operations in generator.parse(None, public=True).items()}
    sent = events.document(documents.listing())
    for told in sent["webhooks"].values():
        told["post"] |= _unlike_requests(told["post"], sent["components"]["parameters"])
    paths[CALLBACKS]["post"]["callbacks"] = {name: {URL: {"$ref": _webhook(name)}} for name in sent["webhooks"]}
    shared, taken = common.components(), generator.registry.build({})
    made = {
        "openapi": "3.1.0",
        "info": {"title": "Dotfile Hooks", "version": settings.VERSION, "description": ABOUT, "license": LICENSE},
        "servers": [{"url": "/"}],
        "tags": [{"name": name} for name in dict.fromkeys(TAGS.values())] + sent["tags"],
        "paths": dict(sorted(paths.items())),
        "webhooks": sent["webhooks"],
        "components": {
            **shared,
            "schemas": {
                **taken["schemas"],
                **DEFINITIONS,
                **sent["components"]["schemas"],
            },
        },
    }
    moved: Json = json.loads(json.dumps(made).replace(words.DEFINITIONS, SCHEMAS))
    validate_schema(moved)
    return moved


def text() -> str:
    return documents.text(document()) + "\n"


def _unlike_requests(told: Json, headers: Mapping[str, Json]) -> Json:
    """They have no key of ours: their signature says from whom they are.

    Their headers are written out, since openapi-generator follows no references in webhooks, and gives up.
    """
    return {"security": [], "parameters": [headers[each["$ref"].rpartition("/")[2]] for each in told["parameters"]]}


def _webhook(name: str) -> str:
    return f"#/webhooks/{name}"

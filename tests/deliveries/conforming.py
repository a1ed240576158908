"""Holds bodies against the published schemas: what is missing, wrong, or not described."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from deliveries.events import schemas


def strays(name: str, body: Any) -> list[str]:
    """How a body departs from the schema of what is sent under this name; members that it does not name are one way."""
    found = []
    for error in _validator(name).iter_errors(body):
        deepest = best_match([error])
        found.append(f"{'/'.join(map(str, deepest.absolute_path))}: {deepest.message[:300]}")
    return found


@cache
def _validator(name: str) -> Draft202012Validator:
    schema = closed({**schemas.body(name), "$defs": schemas.DEFINITIONS})
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


def closed(schema: Any) -> Any:
    """The same, refusing members that are not named: receivers must not, but we want to know."""
    return json.loads(json.dumps(schema), object_hook=_close)


def _close(found: dict[str, Any]) -> dict[str, Any]:
    return found | {"additionalProperties": False} if found.keys() >= {"properties", "required"} else found

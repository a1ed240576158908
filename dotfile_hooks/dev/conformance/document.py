"""The webhooks that an OpenAPI document describes: a schema for each event, wherever in the document it stands."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

JSON = dict[str, Any]
METHODS = ("post", "put", "patch", "delete", "get")


class Unusable(Exception):
    """Nothing can be validated against this document; the text says why."""


@dataclass(frozen=True)
class Document:
    """What counts of an OpenAPI document. Schemas are as written, in the dialect of its version."""

    version: str
    """3.0.0: schemas have a dialect of their own. 3.1.0: they are JSON Schema."""
    events: Mapping[str, Any] = field(repr=False)
    """The schema of each event's body."""
    schemas: Mapping[str, Any] = field(repr=False)
    """What `#/components/schemas/...` refers to."""
    root: JSON = field(repr=False)
    """The whole."""

    @property
    def has_own_dialect(self) -> bool:
        return self.version.startswith("3.0")


def read(path: Path) -> Document:
    """The document in this file. Raises Unusable for what is no OpenAPI 3 document with webhooks."""
    try:
        root = json.loads(path.read_text())
    except OSError as error:
        raise Unusable(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise Unusable(f"{path} is not JSON: {error}.") from error
    version = str(root.get("openapi", "")) if isinstance(root, dict) else ""
    if not version.startswith("3."):
        raise Unusable(f"{path} is not an OpenAPI 3 document.")
    events: JSON = {}
    for name, schema in _described(root):
        if events.setdefault(name, schema) != schema:
            raise Unusable(f"{path} describes {name} twice, and not alike.")
    if not events:
        raise Unusable(f"{path} has neither callbacks nor webhooks with a JSON body.")
    return Document(version, events, root.get("components", {}).get("schemas", {}), root)


def _described(root: JSON) -> Iterator[tuple[str, Any]]:
    """Each event's name and schema: the callbacks of all operations, and the webhooks of OpenAPI 3.1."""
    items = [(name, item) for name, item in root.get("webhooks", {}).items()]
    for path in root.get("paths", {}).values():
        for _, operation in operations(root, path):
            for name, callback in operation.get("callbacks", {}).items():
                items += [(name, item) for item in resolved(root, callback).values()]
    for name, item in items:
        for _, operation in operations(root, item):
            if (schema := json_schema(root, operation.get("requestBody", {}))) is not None:
                yield name, schema


def operations(root: JSON, item: Any) -> Iterator[tuple[str, JSON]]:
    """Each method of a path, or of a webhook, and what is said of it."""
    found = resolved(root, item)
    return ((method, found[method]) for method in METHODS if isinstance(found.get(method), dict))


def json_schema(root: JSON, part: Any) -> Any:
    """Of a body or an answer; None: it has no JSON."""
    content = resolved(root, part).get("content", {})
    return next((media.get("schema") for kind, media in content.items() if kind.startswith("application/json")), None)


def resolved(root: JSON, part: Any) -> JSON:
    """The part, or what it refers to. Raises Unusable for a reference that leads out of the document."""
    while isinstance(part, dict) and "$ref" in part:
        reference, part = part["$ref"], root
        for step in reference.removeprefix("#/").split("/"):
            part = part.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(part, dict) else None
        if part is None:
            raise Unusable(f"The document refers to {reference}, which it does not have.")
    return part if isinstance(part, dict) else {}

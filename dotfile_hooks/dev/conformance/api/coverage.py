"""What can be sent to an operation, by name, and what was: `individuals[].gender=male`.

A field, each word of an enum, and null where it is allowed are names of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dotfile_hooks.dev.conformance.document import JSON, resolved

COMBINED = ("allOf", "anyOf", "oneOf")


def possible(root: JSON, schema: Any, path: str = "", around: tuple[str, ...] = ()) -> Iterator[str]:
    """All that a body of this schema may say; of a field that takes any name, not what it holds.

    `around` are the references that lead here: a schema may be part of itself.
    """
    reference = schema.get("$ref") if isinstance(schema, dict) else None
    if reference in around:
        return
    around = (*around, reference) if reference else around
    found = resolved(root, schema)
    if path and found.get("nullable"):
        yield f"{path}=null"
    for word in found.get("enum", ()):
        yield f"{path}={_shown(word)}"
    for each in (one for name in COMBINED for one in found.get(name, ())):
        yield from possible(root, each, path, around)
    for name, inner in found.get("properties", {}).items():
        yield f"{path}.{name}".lstrip(".")
        yield from possible(root, inner, f"{path}.{name}".lstrip("."), around)
    if "items" in found:
        yield from possible(root, found["items"], f"{path}[]", around)


def said(value: Any, path: str = "") -> Iterator[str]:
    """All that this body says."""
    if path:
        yield path
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from said(inner, f"{path}.{name}".lstrip("."))
    elif isinstance(value, list):
        for inner in value:
            yield from said(inner, f"{path}[]")
    elif value is None or isinstance(value, str):
        yield f"{path}={_shown(value)}"


def _shown(value: Any) -> str:
    return "null" if value is None else str(value)

"""Text of files: it may hold what no column, and no header, can."""

from __future__ import annotations

import json
from typing import Any


def storable(value: Any) -> Any:
    """JSON that PostgreSQL takes."""
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, dict):
        return {plain(str(key)): storable(each) for key, each in value.items()}
    return [storable(each) for each in value] if isinstance(value, (list, tuple)) else value


def as_json(value: dict[Any, Any]) -> dict[str, Any]:
    """The same, storable. Raises TypeError or ValueError for what JSON does not have, such as NaN."""
    known: dict[str, Any] = json.loads(json.dumps(storable(value), allow_nan=False))
    return known


def plain(text: str) -> str:
    """Without NUL and halves of surrogate pairs."""
    return text.replace("\0", "").encode(errors="replace").decode()


def printable(text: str) -> str:
    """On one line, without control characters."""
    return "".join(letter for letter in text if letter.isprintable())

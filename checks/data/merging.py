"""Data over data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def merged(base: Any, given: Any) -> Any:
    """`given` over `base`, object by object. What is an object or a list in `base` stays one, whatever is given."""
    if isinstance(base, dict):
        if not isinstance(given, dict):
            return base
        return base | {name: merged(base.get(name), value) for name, value in given.items()}
    return base if isinstance(base, list) and not isinstance(given, list) else given


def unknown_names(base: Any, given: Any, path: str = "") -> Iterator[str]:
    """Paths such as `information.colour` of what is given and has no place in `base`, where that is an object."""
    if isinstance(base, dict) and isinstance(given, dict):
        for name, value in given.items():
            if name in base:
                yield from unknown_names(base[name], value, f"{path}{name}.")
            else:
                yield f"{path}{name}"

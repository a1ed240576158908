"""The views behind the API's addresses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.urls import URLResolver


def views_that_take(method: str, patterns: Iterable[Any], prefix: str = "") -> list[type[Any]]:
    found: list[type[Any]] = []
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            found += views_that_take(method, pattern.url_patterns, route) if route == "v1/" else []
        elif prefix and (view := getattr(pattern.callback, "cls", None)) and _takes(pattern.callback, view, method):
            found.append(view)
    return found


def _takes(callback: Any, view: type[Any], method: str) -> bool:
    return method in getattr(callback, "actions", ()) or hasattr(view, method)


def routes_of(action: str, patterns: Iterable[Any], prefix: str = "") -> set[str]:
    """Where a GET leads to this action of a view."""
    found: set[str] = set()
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            found |= routes_of(action, pattern.url_patterns, route) if route == "v1/" else set()
        elif getattr(pattern.callback, "actions", {}).get("get") == action:
            found.add(route)
    return found

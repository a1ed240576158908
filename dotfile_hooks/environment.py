"""Reads settings from the environment; a wrong value becomes a sentence that names the variable."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")
TRUE, FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off", ""}


def text(name: str, default: str | None = None) -> str:
    """The variable, or the content of the file that NAME_FILE points to; required when there is no default."""
    value = os.environ.get(name)
    if value is None and (path := os.environ.get(f"{name}_FILE")):
        try:
            value = Path(path).read_text().strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE names a file that cannot be read: {path}.") from error
    if value is None:
        value = default
    if value is None:
        raise ImproperlyConfigured(f"Set {name} in the environment (see dotfile_hooks/settings.py for what it means).")
    return value


def parsed(name: str, default: T, parse: Callable[[str], T], expected: str) -> T:
    """The variable through `parse`; `expected` completes the sentence "NAME must be ..."."""
    value = text(name, "")
    if not value:
        return default
    try:
        return parse(value)
    except (ValueError, KeyError) as error:
        raise ImproperlyConfigured(f"{name} must be {expected}; it is {value!r}.") from error


def number(name: str, default: float, minimum: float = 0) -> float:
    def parse(value: str) -> float:
        result = float(value)
        if not minimum <= result < float("inf"):
            raise ValueError(value)
        return result

    return parsed(name, default, parse, f"a number of at least {minimum:g}")


def integer(name: str, default: int, minimum: int = 0) -> int:
    def parse(value: str) -> int:
        if (result := int(value)) < minimum:
            raise ValueError(value)
        return result

    return parsed(name, default, parse, f"a whole number of at least {minimum}")


def boolean(name: str, default: bool) -> bool:
    def parse(value: str) -> bool:
        if value.lower() in TRUE | FALSE:
            return value.lower() in TRUE
        raise ValueError(value)

    return parsed(name, default, parse, "true or false")


def strings(name: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
    """A comma-separated list, blanks around each item dropped."""
    value = text(name, "")
    return tuple(item.strip() for item in value.split(",") if item.strip()) if value else default

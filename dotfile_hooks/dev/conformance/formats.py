"""The formats of OpenAPI documents, Dotfile's own among them. JSON Schema leaves it open whether they are checked."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

from jsonschema import FormatChecker


def _like(pattern: str) -> Callable[[str], bool]:
    return lambda text: re.fullmatch(pattern, text, re.ASCII) is not None


def _is_date(text: str) -> bool:
    return _like(r"\d{4}-\d\d-\d\d")(text) and bool(date.fromisoformat(text))


def _is_moment(text: str) -> bool:
    """RFC 3339, with its offset."""
    shape = _like(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
    return shape(text) and bool(datetime.fromisoformat(text.upper()))


def _is_url(text: str) -> bool:
    parts = urlsplit(text)
    return bool(parts.scheme and parts.netloc)


TEXTS: dict[str, Callable[[str], bool]] = {
    "alpha-2": _like("[A-Z]{2}"),
    "date": _is_date,
    "date-time": _is_moment,
    "e.164": _like(r"\+[1-9]\d{1,14}"),
    "email": _like(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+"),
    "uri": _is_url,
    "url": _is_url,
    "uuid": _like("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"),
}
NUMBERS: dict[str, Callable[[float], bool]] = {
    "double": math.isfinite,
    "float": math.isfinite,
    "int32": lambda number: number == int(number) and abs(number) < 2**31,
    "int64": lambda number: number == int(number) and abs(number) < 2**63,
    "integer": lambda number: number == int(number),
}
KNOWN = TEXTS.keys() | NUMBERS.keys()


def checker() -> FormatChecker:
    """Checks the formats above, each on values of its kind only."""
    made = FormatChecker(formats=())
    for name, fits in TEXTS.items():
        made.checks(name, raises=ValueError)(_only(str, fits))
    for name, fits_number in NUMBERS.items():
        made.checks(name, raises=ValueError)(_only((int, float), fits_number))
    return made


def _only(kind: type | tuple[type, ...], fits: Callable[[Any], bool]) -> Callable[[object], bool]:
    return lambda value: not isinstance(value, kind) or isinstance(value, bool) or fits(value)


def unknown(part: Any) -> set[str]:
    """The formats named in this part of a document that nobody checks here."""
    if isinstance(part, list):
        return set().union(*map(unknown, part))
    if not isinstance(part, dict):
        return set()
    name = part.get("format")
    own = {name} - KNOWN if isinstance(name, str) else set()
    return own.union(*map(unknown, part.values()))

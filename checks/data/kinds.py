"""What a value in the data of a check must be: kinds of values, and lists and objects of them. Plain functions."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, NoReturn

from django.core.exceptions import ValidationError

NOTHING = object()
"""Where there was no value before; null is one."""


@dataclass(frozen=True)
class Kind:
    fits: Callable[[Any], bool]
    name: str
    """For people: "must be …"."""


@dataclass(frozen=True)
class ListOf:
    each: Shape
    may_be_null: bool = False
    name: str = field(default="a list", init=False)


@dataclass(frozen=True)
class Object:
    members: Mapping[str, Shape]
    is_whole: bool = False
    """All members must be there: nothing fills in what is left out."""
    may_be_null: bool = False
    name: str = field(default="an object", init=False)


Shape = Kind | ListOf | Object


def or_null(shape: Shape) -> Shape:
    if isinstance(shape, Kind):
        return Kind(lambda value: value is None or shape.fits(value), f"{shape.name}, or null")
    return replace(shape, may_be_null=True)


def word(words: Iterable[str]) -> Kind:
    known = tuple(words)
    return Kind(lambda value: isinstance(value, str) and value in known, " or ".join(known))


def is_text(value: Any) -> bool:
    return isinstance(value, str) and "\0" not in value


def is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def is_number(value: Any) -> bool:
    """Finite: JSON has no other. Integers may be longer than a float can be."""
    return isinstance(value, int | float) and not isinstance(value, bool) and -math.inf < value < math.inf


def _matches(pattern: str, read: Callable[[str], object] = str) -> Callable[[Any], bool]:
    whole = re.compile(pattern, re.ASCII)

    def fits(value: Any) -> bool:
        if not isinstance(value, str) or not whole.fullmatch(value):
            return False
        try:
            read(value)
        except ValueError:
            return False
        return True

    return fits


_DAY = r"\d{4}-\d\d-\d\d"
TEXT = Kind(is_text, "text")
FLAG = Kind(is_flag, "true or false")
NUMBER = Kind(is_number, "a number")
DAY = Kind(_matches(_DAY, date.fromisoformat), "a day such as 2030-01-31")
MOMENT = Kind(
    _matches(_DAY + r"T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", datetime.fromisoformat),
    "a date and time such as 2030-01-31T09:30:00Z",
)
COUNTRY = Kind(_matches("[A-Z]{2}"), "the two letters of ISO 3166-1, such as FR")
UUID = Kind(_matches("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"), "a UUID")
ANY_OBJECT = Kind(lambda value: isinstance(value, dict), "an object")


def refuse(shape: Shape, value: Any, before: Any = NOTHING, path: str = "data") -> None:
    """Raises ValidationError with a sentence for the first value of another kind, without that value.

    What was there before, and is as it was, is let through: it may be older than this rule.
    """
    if isinstance(shape, Kind):
        if not (shape.fits(value) or _is_same(value, before)):
            _refuse(path, shape.name)
    elif value is None and shape.may_be_null:
        return
    elif isinstance(shape, ListOf):
        _refuse_list(shape, value, before, path)
    else:
        _refuse_object(shape, value, before, path)


def _refuse_list(shape: ListOf, value: Any, before: Any, path: str) -> None:
    if not isinstance(value, list):
        return None if _is_same(value, before) else _refuse(path, shape.name)
    known = before if isinstance(before, list) else []
    for place, item in enumerate(value):
        refuse(shape.each, item, known[place] if place < len(known) else NOTHING, f"{path}[{place}]")
    return None


def _refuse_object(shape: Object, value: Any, before: Any, path: str) -> None:
    if not isinstance(value, dict):
        return None if _is_same(value, before) else _refuse(path, shape.name)
    known, members = before if isinstance(before, dict) else {}, shape.members
    for name, member in value.items():
        shape_of = members.get(name)
        if isinstance(shape_of, Kind) and shape_of.fits(member):
            continue  # most are: this is for speed
        if shape_of is not None:
            refuse(shape_of, member, known.get(name, NOTHING), f"{path}.{name}")
        elif name not in known:
            raise ValidationError(f"`{path}` has no member `{name}`; it has {', '.join(members)}.", code="unknown")
    if shape.is_whole and (missing := [name for name in members if name not in value]) and not _is_same(value, before):
        raise ValidationError(f"`{path}` lacks `{missing[0]}`.", code="missing")
    return None


def _is_same(value: Any, before: Any) -> bool:
    return type(value) is type(before) and bool(value == before)


def _refuse(path: str, name: str) -> NoReturn:
    raise ValidationError(f"`{path}` must be {name}.", code="wrong_kind")

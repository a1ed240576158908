"""Lists narrowed and ordered by the query string: `field.operator=value` and `sort=a,b.desc`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from django.db.models import Model, Q, QuerySet
from django.http import QueryDict
from rest_framework.exceptions import ValidationError

from . import moments

M = TypeVar("M", bound=Model)
# Query parameters that are no filters.
PAGING = frozenset({"page", "limit", "cursor", "sort"})


@dataclass(frozen=True)
class Filter:
    """What may be asked of one field. `column` is the model's name for it; the first operator is the default."""

    column: str
    operators: ClassVar[tuple[str, ...]]
    many: ClassVar[tuple[str, ...]] = ("in", "not_in", "array_contains", "array_not_contains", "array_overlap")
    """Operators that take several values, comma-separated."""

    @property
    def schema(self) -> dict[str, Any]:
        """A JSON Schema of one value, for the API's description."""
        return {"type": "string"}

    def condition(self, operator: str, value: str) -> Q:
        """Raises ValueError, with a sentence, for a value that does not fit."""
        raise NotImplementedError

    def _where(self, lookup: str, value: Any) -> Q:
        return Q(**{f"{self.column}__{lookup}": value})

    def _unlike(self, lookup: str, value: Any) -> Q:
        """`not_eq` and its kin also find rows that have no value, where SQL's own `<>` would lose them."""
        return ~self._where(lookup, value) | Q(**{f"{self.column}__isnull": True})


@dataclass(frozen=True)
class Exact(Filter):
    """eq and not_eq."""

    operators: ClassVar[tuple[str, ...]] = ("eq", "not_eq")

    def condition(self, operator: str, value: str) -> Q:
        if operator in ("in", "not_in"):
            values = [self.value(item) for item in value.split(",")]
            return self._where("in", values) if operator == "in" else self._unlike("in", values)
        found = self.value(value)
        return self._where("exact", found) if operator == "eq" else self._unlike("exact", found)

    def value(self, text: str) -> Any:
        return text


@dataclass(frozen=True)
class Text(Exact):
    """Also like and ilike: the text occurs somewhere in the value, with and without regard to case."""

    operators: ClassVar[tuple[str, ...]] = ("eq", "not_eq", "like", "ilike")

    def condition(self, operator: str, value: str) -> Q:
        if operator in ("like", "ilike"):
            return self._where("contains" if operator == "like" else "icontains", value)
        return super().condition(operator, value)


@dataclass(frozen=True)
class Choice(Exact):
    """One of some words."""

    choices: Collection[str]

    @property
    def schema(self) -> dict[str, Any]:
        return {"type": "string", "enum": [*self.choices]}

    def value(self, text: str) -> str:
        if text not in self.choices:
            raise ValueError(f"Use one of: {', '.join(self.choices)}.")
        return text


@dataclass(frozen=True)
class Choices(Choice):
    """Also in and not_in, comma-separated."""

    operators: ClassVar[tuple[str, ...]] = ("eq", "not_eq", "in", "not_in")


@dataclass(frozen=True)
class Id(Exact):
    @property
    def schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "uuid"}

    def value(self, text: str) -> UUID:
        try:
            return UUID(text)
        except ValueError:
            raise ValueError("This must be a UUID.") from None


@dataclass(frozen=True)
class Day(Exact):
    """A date without a time."""

    operators: ClassVar[tuple[str, ...]] = ("eq",)

    @property
    def schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "date"}

    def value(self, text: str) -> date:
        try:
            return moments.parse(text).start.date()
        except ValueError:
            raise ValueError("Use a date such as 2023-01-31.") from None


@dataclass(frozen=True)
class Time(Filter):
    operators: ClassVar[tuple[str, ...]] = ("eq", "not_eq", "gt", "gte", "lt", "lte")

    @property
    def schema(self) -> dict[str, Any]:
        return moments.SCHEMA

    def condition(self, operator: str, value: str) -> Q:
        try:
            span = moments.parse(value)
        except ValueError:
            raise ValueError("Use a date or a time such as 2023-01-31 or 2023-01-31T13:30:00.000Z.") from None
        inside = self._where("gte", span.start) & self._where("lt", span.end)
        conditions = {
            "eq": inside,
            "not_eq": ~inside,
            "gt": self._where("gte", span.end),
            "gte": self._where("gte", span.start),
            "lt": self._where("lt", span.start),
            "lte": self._where("lt", span.end),
        }
        return conditions[operator]


@dataclass(frozen=True)
class Strings(Filter):
    """A list of words; several, comma-separated: all of them (contains), not all of them, any of them (overlap)."""

    operators: ClassVar[tuple[str, ...]] = ("array_contains", "array_not_contains", "array_overlap")

    def condition(self, operator: str, value: str) -> Q:
        words = value.split(",")
        if operator == "array_overlap":
            return self._where("overlap", words)
        contains = self._where("contains", words)
        return contains if operator == "array_contains" else ~contains


def apply(
    rows: QuerySet[M], query: QueryDict, filters: Mapping[str, Filter], also: Collection[str] = ()
) -> QuerySet[M]:
    """Narrows `rows`; `also` names the view's other parameters.

    Raises ValidationError for what is unknown, said twice, or malformed.
    """
    condition, seen = Q(), set()
    for parameter in query:
        if parameter in PAGING or parameter in also:
            continue
        field, operator = _parse(parameter, filters)
        values: list[Any] = query.getlist(parameter)
        if (field, operator) in seen or len(values) > 1:
            raise ValidationError({parameter: f"`{field}.{operator}` is given twice; give it once."})
        seen.add((field, operator))
        condition &= _condition(parameter, filters[field], operator, values[0])
    return rows.filter(condition)


def _parse(parameter: str, filters: Mapping[str, Filter]) -> tuple[str, str]:
    field, _, operator = parameter.partition(".")
    if field not in filters:
        raise ValidationError({parameter: f"Unknown parameter. Filters here: {', '.join(filters) or 'none'}."})
    operators = filters[field].operators
    operator = operator if "." in parameter else operators[0]
    if operator not in operators:
        raise ValidationError({parameter: f"Unknown operator. For `{field}` use one of: {', '.join(operators)}."})
    return field, operator


def _condition(parameter: str, spec: Filter, operator: str, value: str) -> Q:
    if "\0" in value:
        raise ValidationError({parameter: "The value contains a NUL character; remove it."})
    try:
        return spec.condition(operator, value)
    except ValueError as error:
        raise ValidationError({parameter: str(error)}) from None


def sort(rows: QuerySet[M], query: QueryDict, fields: Mapping[str, str], default: str) -> QuerySet[M]:
    """Orders by `sort`, then by id, so that pages neither repeat nor skip rows. `fields`: columns by name.

    Raises ValidationError.
    """
    values = query.getlist("sort") or [default]
    if len(values) > 1:
        raise ValidationError({"sort": "`sort` is given twice; separate fields by commas."})
    parts = values[0].split(",")
    order = [_order(part, fields) for part in parts]
    if len({part.partition(".")[0] for part in parts}) < len(parts):
        raise ValidationError({"sort": "A field is named twice; name it once."})
    return rows.order_by(*order, "-id" if order[-1].startswith("-") else "id")


def _order(part: str, fields: Mapping[str, str]) -> str:
    name, _, direction = part.partition(".")
    if name not in fields or direction not in ("asc", "desc") and part != name:
        raise ValidationError({"sort": f"Use {', '.join(fields)}, each with `.desc` to reverse it."})
    return f"-{fields[name]}" if direction == "desc" else fields[name]


def flag(query: QueryDict, name: str) -> bool:
    """A query parameter that is `true` or `false` (the default). Raises ValidationError."""
    values: Sequence[str] = query.getlist(name) or ["false"]
    if len(values) > 1 or values[0] not in ("true", "false"):
        raise ValidationError({name: f"`{name}` must be true or false."})
    return values[0] == "true"

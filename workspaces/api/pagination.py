"""Pages: {data, pagination: {page, limit, count, next_cursor}}; what a cursor asked for has no `page`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import QueryDict
from rest_framework.exceptions import ValidationError

from . import cursors
from .cursors import Cursors, Position

Json = dict[str, Any]
NO_CURSORS = "Only a list that is sorted by one time, such as created_at, has cursors; use `page` here."

DEFAULT_LIMIT = 20
MAX_LIMIT = 100
# Clients work out from the first page how many there are, so this is far: 100,000 cases are counted in milliseconds.
# But there is an end to it: a million take a second, for each page that is asked for.
MAX_COUNT = 100_000
# Far beyond any table, and safely inside PostgreSQL's bigint once multiplied by the limit.
MAX_PAGE = 1_000_000_000
# Dotfile calls both numbers, so that generated clients have them as floats, and send their default 20 as 20.0; those of
# ogen (Go) as 20.0000000000.
WHOLE = re.compile(r"([0-9]{1,10})(?:\.0{1,20})?")


@dataclass(frozen=True)
class Page:
    """Which rows are asked for: `limit` of them, on the page that counts from 1, or behind the `cursor`."""

    page: int
    limit: int
    cursor: str | None = None

    @classmethod
    def parse(cls, query: QueryDict, max_limit: int = MAX_LIMIT) -> Page:
        """Raises ValidationError for anything but whole numbers in range, and for a page and a cursor at once."""
        limit = _number(query, "limit", DEFAULT_LIMIT, max_limit)
        return cls(_number(query, "page", 1, MAX_PAGE), limit, cursors.given(query))

    @property
    def rows(self) -> slice:
        return slice((self.page - 1) * self.limit, self.page * self.limit)

    def cut(self, rows: QuerySet[Any], known: Cursors) -> tuple[list[UUID], str | None]:
        """The keys of the rows, and the cursor of those behind them: None at the end. Raises ValidationError."""
        if self.cursor is not None:
            rows = known.after(rows, known.read(self.cursor))
        found = list(rows.values_list(known.column, "pk")[self.rows.start : self.rows.stop + 1])
        behind = known.write(Position(*found[self.limit - 1])) if len(found) > self.limit else None
        return [key for _, key in found[: self.limit]], behind

    def refuse_cursor(self) -> None:
        """Raises ValidationError for a cursor in a list that has none."""
        if self.cursor is not None:
            raise ValidationError({cursors.PARAMETER: NO_CURSORS})

    def envelope(self, data: list[Json], count: int, **more: str | None) -> Json:
        where = {"page": self.page} if self.cursor is None else {}
        return {"data": data, "pagination": {**where, "limit": self.limit, "count": count, **more}}


def _number(query: QueryDict, name: str, default: int, maximum: int) -> int:
    values = query.getlist(name)
    if not values:
        return default
    if len(values) == 1 and (found := WHOLE.fullmatch(values[0])) and 1 <= int(found[1]) <= maximum:
        return int(found[1])
    raise ValidationError({name: f"`{name}` must be one whole number from 1 to {maximum}."})

"""Pages: {data, pagination: {page, limit, count}}."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from rest_framework.exceptions import ValidationError

DEFAULT_LIMIT = 20
MAX_LIMIT = 100
# Far beyond any table, and safely inside PostgreSQL's bigint once multiplied by the limit.
MAX_PAGE = 1_000_000_000


@dataclass(frozen=True)
class Page:
    """Which rows are asked for: `page` counts from 1, `limit` rows each."""

    page: int
    limit: int

    @classmethod
    def parse(cls, query: QueryDict, max_limit: int = MAX_LIMIT) -> Page:
        """Raises ValidationError for anything but whole numbers in range."""
        return cls(_number(query, "page", 1, MAX_PAGE), _number(query, "limit", DEFAULT_LIMIT, max_limit))

    @property
    def rows(self) -> slice:
        return slice((self.page - 1) * self.limit, self.page * self.limit)

    def envelope(self, data: list[dict[str, Any]], count: int) -> dict[str, Any]:
        return {"data": data, "pagination": {"page": self.page, "limit": self.limit, "count": count}}


def _number(query: QueryDict, name: str, default: int, maximum: int) -> int:
    values = query.getlist(name)
    if not values:
        return default
    if len(values) == 1 and re.fullmatch(r"[0-9]{1,10}", values[0]) and 1 <= int(values[0]) <= maximum:
        return int(values[0])
    raise ValidationError({name: f"`{name}` must be one whole number from 1 to {maximum}."})

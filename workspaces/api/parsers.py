"""JSON bodies, read strictly: what PostgreSQL or Python could not carry is refused at the door."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

import orjson
from django.conf import settings
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser

# Dotfile's deepest body has 4 levels; Python's own json stops near 1,000 with a RecursionError.
MAX_DEPTH = 32
# Webhook bodies are written with 64-bit integers, and PostgreSQL's jsonb gives 1e20 back as an integer.
NUMBERS_END = 2**63


class BodyTooLarge(APIException):
    status_code = 413
    default_detail = "The body is too large."
    default_code = "too_large"


class StrictJSONParser(BaseParser):
    """Refuses broken UTF-8, NaN, NUL characters, deep nesting (400) and bodies above Django's limit (413)."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0
        raw = stream.read(limit + 1)
        if len(raw) > limit:
            raise BodyTooLarge(f"The body is larger than {limit:,} bytes; send less at a time.")
        return read(raw, "The body")


def read(raw: bytes, what: str) -> Any:
    """The value of a JSON text. Raises ParseError, with a sentence about `what`, for what cannot be read or stored."""
    try:
        data = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise ParseError(f"{what} is not valid JSON: {error.msg} at character {error.pos}.") from None
    refuse_unstorable(data, what)
    return data


def refuse_unstorable(data: Any, what: str) -> None:
    """Raises ParseError for NUL characters, which PostgreSQL cannot store, for huge numbers and deep nesting."""
    level = [data]
    for _ in range(MAX_DEPTH):
        if any(isinstance(item, str) and "\0" in item for item in level):
            raise ParseError(f"{what} contains a NUL character (\\u0000), which cannot be stored; remove it.")
        if any(isinstance(item, (int, float)) and not abs(item) < NUMBERS_END for item in level):
            raise ParseError(
                f"{what} contains a number of 2^63 or more, which cannot be kept exactly; send it as text."
            )
        level = [inner for item in level for inner in _inside(item)]
        if not level:
            return
    raise ParseError(f"{what} is nested more than {MAX_DEPTH} levels deep.")


def _inside(item: Any) -> list[Any]:
    if isinstance(item, dict):
        return [*item.keys(), *item.values()]
    return item if isinstance(item, list) else []

"""Dates and times in a query string, as the span of time that each one names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

SCHEMA: dict[str, Any] = {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}]}
"""What parse() takes, for the API's description."""
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+ -]\d{2}:\d{2})?")
# The API shows milliseconds, the database keeps microseconds: what a client read must find the row again.
_SHOWN = timedelta(milliseconds=1)


@dataclass(frozen=True)
class Span:
    """From `start` up to, not including, `end`."""

    start: datetime
    end: datetime


def parse(value: str) -> Span:
    """A date is its whole day in UTC, a time its millisecond. Raises ValueError for anything else."""
    if not value.isascii():
        raise ValueError(value)
    if _DATE.fullmatch(value):
        start = datetime.strptime(value, "%Y-%m-%d").replace(tzinfo=UTC)
        return _span(start, timedelta(days=1))
    if not _TIME.fullmatch(value):
        raise ValueError(value)
    start = datetime.fromisoformat(value.replace(" ", "+"))  # a `+` that nobody percent-encoded arrives as a space
    start = start if start.tzinfo else start.replace(tzinfo=UTC)
    return _span(start.replace(microsecond=start.microsecond // 1000 * 1000), _SHOWN)


def _span(start: datetime, length: timedelta) -> Span:
    try:
        start = start.astimezone(UTC)
        return Span(start, start + length)
    except OverflowError:
        raise ValueError(start) from None

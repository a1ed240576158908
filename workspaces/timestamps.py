"""How a moment is written in everything that leaves: ISO 8601, UTC, milliseconds, `Z`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import overload


@overload
def iso(value: datetime | str) -> str: ...
@overload
def iso(value: None) -> None: ...
@overload
def iso(value: datetime | str | None) -> str | None: ...


def iso(value: datetime | str | None) -> str | None:
    """2023-01-31T13:30:00.000Z; text (of a recorded event) may be any ISO 8601 with an offset."""
    if value is None:
        return None
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

"""Keys of rows: UUIDs that sort by the time they were made."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from uuid_utils.compat import uuid7

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
RANDOM_BITS = 80
"""Behind the milliseconds of a UUIDv7; its version and variant are among them."""


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562): new rows land at the end of an index, not all over it."""
    return uuid7()


def lowest_id(moment: datetime) -> UUID:
    """What was made at that moment or later does not sort before it; what was made earlier does."""
    return UUID(int=(moment - EPOCH) // timedelta(milliseconds=1) << RANDOM_BITS)


def made_at(key: UUID) -> datetime:
    """When a UUIDv7 was made, to the millisecond."""
    return EPOCH + timedelta(milliseconds=key.int >> RANDOM_BITS)

"""Keys of rows: UUIDs that sort by the time they were made."""

from __future__ import annotations

from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562): new rows land at the end of an index, not all over it."""
    return uuid7()

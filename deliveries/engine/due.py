"""What is due in the lanes that a courier holds, and what it says: read in bulk, bounded in number and in bytes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from .envelope import Parts
from .statements import Prepared, array

# From where the last read of the lane ended: what was sent since would otherwise be stepped over again, as entries of
# the index that vacuum has not removed yet, and a long backlog would slow down as it drains.
READ = Prepared(
    "read_due",
    """
SELECT d.id::text, d.subscription_id, d.event_id::text, d.event_name, d.sub_event, d.attempts, d.retries, d.next_type,
       CASE WHEN d.ordered THEN d.case_id END, d.payload_id::text, d.due_at
FROM unnest(%s::uuid[], %s::int[], %s::timestamptz[]) AS lane(subscription_id, most, since)
CROSS JOIN LATERAL (
    SELECT id, subscription_id, event_id, event_name, sub_event, attempts, retries, next_type, ordered, case_id,
        payload_id, due_at FROM deliveries_delivery
    WHERE subscription_id = lane.subscription_id AND state = 0
      AND due_at >= lane.since AND due_at <= statement_timestamp()
    ORDER BY due_at, id LIMIT lane.most
) d
ORDER BY d.due_at, d.id
""",
)
# As many as fit, and the first in any case; a payload that is gone is NULL.
PAYLOADS = Prepared(
    "read_payloads",
    """
SELECT id::text, context, entity FROM (
    SELECT k.id, p.context, p.entity, sum(octet_length(p.context) + octet_length(p.entity)) OVER (
        ORDER BY k.n ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS before
    FROM unnest(%s::uuid[]) WITH ORDINALITY AS k(id, n) LEFT JOIN deliveries_payload p ON p.id = k.id
) AS wanted
WHERE before IS NULL OR before < %s
""",
)
# Payloads that a process remembers at most, and their bytes; all are forgotten when one of the two is reached.
KNOWN, KNOWN_BYTES = 2_000, 16 * 2**20


class Want(NamedTuple):
    """What is to be read of one lane."""

    subscription_id: UUID
    most: int
    since: datetime | None
    """The earliest due time that is read; None: from the beginning."""


class Due(NamedTuple):
    """A delivery to be sent now: the columns of READ. Keys that are only passed on stay text."""

    id: str
    subscription_id: UUID
    event_id: str
    event_name: str
    sub_event: str
    attempts: int
    retries: int
    next_type: int
    in_order: UUID | None
    """The case within which it keeps its order (ordered mode)."""
    payload_id: str
    due_at: datetime


class Ready(NamedTuple):
    """A delivery with what it says."""

    due: Due
    parts: Parts


def read(wants: Sequence[Want]) -> list[Due]:
    """Up to `most` due deliveries of each lane, oldest first; those that are in the caller's hand are among them."""
    since = ["-infinity" if want.since is None else want.since.isoformat() for want in wants]
    columns = [array(want.subscription_id for want in wants), array(want.most for want in wants), array(since)]
    with connection.cursor() as cursor:
        READ.execute(cursor, columns)
        return list(map(Due._make, cursor.fetchall()))


class Payloads:
    """What events say. One that goes to many subscriptions is fetched once."""

    def __init__(self) -> None:
        self._known: dict[str, Parts] = {}
        self._bytes = 0

    def of(self, ids: Iterable[str], room: int) -> dict[str, Parts | None]:
        """The payloads with these keys; None for one that is gone.

        What would make it more than `room` bytes is left out, from the end; the first is always there.
        """
        wanted = dict.fromkeys(ids)
        known: dict[str, Parts | None] = {key: self._known[key] for key in wanted if key in self._known}
        unknown = [key for key in wanted if key not in known]
        return known | self._fetch(unknown, room) if unknown else known

    def _fetch(self, ids: list[str], room: int) -> dict[str, Parts | None]:
        with connection.cursor() as cursor:
            PAYLOADS.execute(cursor, [array(ids), room])
            rows: list[tuple[str, str | None, str | None]] = cursor.fetchall()
        found = {
            key: Parts(context, entity) for key, context, entity in rows if context is not None and entity is not None
        }
        self._remember(found)
        return {key: found.get(key) for key, _, _ in rows}

    def _remember(self, found: Mapping[str, Parts]) -> None:
        size = sum(parts.size for parts in found.values())
        if len(self._known) + len(found) > KNOWN or self._bytes + size > KNOWN_BYTES:
            self._known.clear()
            self._bytes = 0
        if size <= KNOWN_BYTES:
            self._known |= found
            self._bytes += size

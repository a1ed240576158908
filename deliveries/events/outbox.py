"""Events are recorded in the transaction of the change that they tell of; workers are woken when it commits."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import connections, transaction

from deliveries.engine import doorbell
from workspaces.timestamps import iso

logger = logging.getLogger(__name__)

# Events per statement: an INSERT of this size takes some 20 ms.
CHUNK = 1000

# One statement, whatever the number: it numbers the events within their cases (the counter's row lock makes the
# numbers gapless and in order of commit) and inserts them. Counters are locked in key order.
RECORD = """
WITH draft AS (
    SELECT * FROM unnest(%s::text[], %s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::jsonb[])
    WITH ORDINALITY AS d(name, workspace_id, case_id, individual_id, company_id, entity_id, fields, n)
), counted AS (
    INSERT INTO deliveries_casesequence AS s (case_id, last)
    SELECT case_id, count(*) FROM draft WHERE case_id IS NOT NULL GROUP BY case_id ORDER BY case_id
    ON CONFLICT (case_id) DO UPDATE SET last = s.last + excluded.last
    RETURNING case_id, last
)
INSERT INTO deliveries_event (id, workspace_id, name, case_id, individual_id, company_id, entity_id, sequence, fields,
                              state, build_at, builds, error, created_at)
SELECT deliveries_uuid7(), coalesce(d.workspace_id, (SELECT workspace_id FROM cases_case WHERE id = d.case_id)),
       d.name, d.case_id, d.individual_id, d.company_id, d.entity_id,
       c.last - count(*) OVER (PARTITION BY d.case_id) + row_number() OVER (PARTITION BY d.case_id ORDER BY d.n),
       d.fields, 0, clock_timestamp(), 0, '', clock_timestamp()
FROM draft d LEFT JOIN counted c ON c.case_id = d.case_id
ORDER BY d.n
"""


@dataclass(frozen=True, slots=True)
class Draft:
    """An event about to be recorded."""

    name: str
    entity_id: UUID
    fields: Mapping[str, Any] = field(repr=False)
    """The entity's own columns, by attribute name."""
    case_id: UUID | None = None
    workspace_id: UUID | None = None
    """None: the case's."""
    individual_id: UUID | None = None
    company_id: UUID | None = None


def record(drafts: Sequence[Draft], using: str) -> None:
    """Writes the events into the caller's transaction, one statement per thousand, and arranges to wake workers.

    Raises what the database raises: the caller's change must then fail too.
    """
    with connections[using].cursor() as cursor:
        for start in range(0, len(drafts), CHUNK):
            cursor.execute(RECORD, _columns(drafts[start : start + CHUNK]))
    if drafts and not _wake_is_pending(using):
        transaction.on_commit(wake, using=using, robust=True)


def wake() -> None:
    """Rings for the workers. Never raises: what is not rung for, the sweep finds within a second."""
    try:
        doorbell.ring()
    except Exception:
        logger.warning("no worker could be woken; the sweep will", exc_info=True)


def _wake_is_pending(using: str) -> bool:
    """Whether this transaction, in this savepoint, will ring already."""
    connection = connections[using]
    hooks = connection.run_on_commit
    return bool(hooks) and hooks[-1][1] is wake and hooks[-1][0] == set(connection.savepoint_ids)


def _columns(drafts: Sequence[Draft]) -> list[list[str | None]]:
    ids = ("workspace_id", "case_id", "individual_id", "company_id", "entity_id")
    columns: list[list[str | None]] = [[draft.name for draft in drafts]]
    columns += [[_text(getattr(draft, name)) for draft in drafts] for name in ids]
    return [*columns, [orjson.dumps(draft.fields, default=_plain, option=_OPTIONS).decode() for draft in drafts]]


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)


# Dates and times go through _plain, so that a recorded moment is written exactly as it will leave.
_OPTIONS = orjson.OPT_PASSTHROUGH_DATETIME


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, date):
        return value.isoformat()
    return str(value)

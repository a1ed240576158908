"""Events are recorded in the transaction of the change that they tell of; workers are woken when it commits."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model

from deliveries.engine import doorbell
from workspaces.accelerator import Resting
from workspaces.commits import savepoints
from workspaces.timestamps import iso

logger = logging.getLogger(__name__)

# What an event says of its entity is the row as the database has it, not as a copy in hand remembers it. The caller
# has written or locked the row, so that it is still so when the event gets its number.
LIVE = """
SELECT d.name, d.entity_id, to_jsonb(t) AS fields, d.n
FROM unnest(%s::text[], %s::uuid[]) WITH ORDINALITY AS d(name, entity_id, n) JOIN {table} t ON t.id = d.entity_id
"""
GIVEN = """
SELECT * FROM unnest(%s::text[], %s::uuid[], %s::jsonb[]) WITH ORDINALITY AS d(name, entity_id, fields, n)
"""
# One statement, whatever the number: it numbers the events within their cases (the counter's row lock makes the
# numbers gapless and in order of commit) and inserts them. Locks are taken in one order everywhere, lest two changes of
# one case wait for each other: the changed row, its person or company, its case, the counter; each in order of its key.
# PostgreSQL itself would lock what a new row points to only at the commit, after the counter.
RECORD = """
WITH draft AS (
    SELECT d.*, ids.* FROM ({drafts}) d,
        jsonb_to_record(d.fields || jsonb_build_object(%s::text, d.entity_id))
        AS ids(workspace_id uuid, case_id uuid, individual_id uuid, company_id uuid)
), person AS (
    SELECT id FROM cases_individual WHERE id IN (SELECT individual_id FROM draft) ORDER BY id FOR KEY SHARE
), company AS (
    SELECT id FROM cases_company WHERE id IN (SELECT company_id FROM draft) ORDER BY id FOR KEY SHARE
), parent AS (
    SELECT id, workspace_id FROM cases_case WHERE id IN (SELECT case_id FROM draft)
      AND (SELECT count(*) FROM person) + (SELECT count(*) FROM company) >= 0  -- which have to be locked first
    ORDER BY id FOR KEY SHARE
), counted AS (
    INSERT INTO deliveries_casesequence AS s (case_id, last)
    SELECT d.case_id, count(*) FROM draft d LEFT JOIN parent ON parent.id = d.case_id
    WHERE d.case_id IS NOT NULL GROUP BY d.case_id ORDER BY d.case_id
    ON CONFLICT (case_id) DO UPDATE SET last = s.last + excluded.last
    RETURNING case_id, last
)
INSERT INTO deliveries_event (id, workspace_id, name, case_id, individual_id, company_id, entity_id, sequence, fields,
                              state, build_at, builds, error, created_at)
SELECT deliveries_uuid7(), coalesce(d.workspace_id, parent.workspace_id), d.name, d.case_id, d.individual_id,
       d.company_id, d.entity_id,
       c.last - count(*) OVER (PARTITION BY d.case_id) + row_number() OVER (PARTITION BY d.case_id ORDER BY d.n),
       d.fields, 0, clock_timestamp(), 0, '', clock_timestamp()
FROM draft d LEFT JOIN counted c ON c.case_id = d.case_id LEFT JOIN parent ON parent.id = d.case_id
ORDER BY d.n
"""


@dataclass(frozen=True, slots=True)
class Draft:
    """An event about to be recorded."""

    name: str
    entity_id: UUID
    fields: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """What is told when the fields are given, `workspace_id` or `case_id` among them; else the row is read."""


class _Ring:
    """One ring for a transaction, from however many of its savepoints it is asked for."""

    def __init__(self, hooks: list[Any]) -> None:
        self.hooks = hooks
        """Django's list, by which the transaction is known; a rollback replaces it, then another ring is due."""
        self.level: frozenset[str] | None = None
        self._rung = False

    def __call__(self) -> None:
        if not self._rung:
            self._rung = True
            wake()


_rings: WeakKeyDictionary[BaseDatabaseWrapper, _Ring] = WeakKeyDictionary()


def record(model: type[Model], drafts: Sequence[Draft], using: str, *, given: bool = False) -> None:
    """Writes events about rows of this model into the caller's transaction, and arranges to wake workers.

    The rows were written or locked by the same transaction, and are read as they are in the database. With `given` the
    drafts say it all: of rows that are gone, or hold what must not be told. Raises what the database raises: the
    caller's change must then fail too.
    """
    if not drafts:
        return
    columns: list[list[str]] = [[draft.name for draft in drafts], [str(draft.entity_id) for draft in drafts]]
    if given:
        columns.append([_json(draft.fields) for draft in drafts])
    source = GIVEN if given else LIVE.replace("{table}", connections[using].ops.quote_name(model._meta.db_table))
    with connections[using].cursor() as cursor:
        cursor.execute(RECORD.replace("{drafts}", source), [*columns, f"{model._meta.model_name}_id"])
    _wake_later(using)


def wake() -> None:
    """Rings for the workers. Never raises: what is not rung for, the sweep finds within a second."""
    try:
        doorbell.ring()
    except Resting:
        pass  # told already: an outage is a line every few seconds, not one for each change
    except Exception as error:
        logger.warning("no worker could be woken (%s); the sweep will", type(error).__name__)


def _wake_later(using: str) -> None:
    connection = connections[using]
    if not connection.in_atomic_block:
        return wake()
    ring, level = _rings.get(connection), savepoints(connection)
    if ring is None or ring.hooks is not connection.run_on_commit:
        ring = _rings[connection] = _Ring(connection.run_on_commit)
    if ring.level != level:
        ring.level = level
        connection.on_commit(ring, robust=True)
    return None


def _json(fields: Mapping[str, Any]) -> str:
    return json.dumps(fields, default=_plain, ensure_ascii=False)  # not orjson: whole numbers may be of any length


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, date):
        return value.isoformat()
    return str(value)

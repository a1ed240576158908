"""The one statement that records events, whatever their number: composed for each model from what its rows point to.

It numbers the events within their cases (the counter's row lock makes the numbers gapless and in order of commit) and
inserts them. It is planned anew each time, which was most of its cost: so it names nothing that a model has no column
for, and does not number one event alone among others.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cache

from django.db.models import Model

IDS = ("workspace_id", "case_id", "individual_id", "company_id")
"""What an event keeps of the row that it tells of, beside its fields."""

# What an event says of its entity is the row as the database has it, not as a copy in hand remembers it. The caller
# has written or locked the row, so that it is still so when the event gets its number.
ONE = """
SELECT %s::text AS name, t.id AS entity_id, to_jsonb(t) AS fields, 1 AS n, {ids} FROM {table} t WHERE t.id = %s::uuid
"""
MANY = """
SELECT d.name, d.entity_id, to_jsonb(t) AS fields, d.n, {ids}
FROM unnest(%s::text[], %s::uuid[]) WITH ORDINALITY AS d(name, entity_id, n) JOIN {table} t ON t.id = d.entity_id
"""
GIVEN = """
SELECT d.*, ids.*
FROM unnest(%s::text[], %s::uuid[], %s::jsonb[]) WITH ORDINALITY AS d(name, entity_id, fields, n),
     jsonb_to_record(d.fields || jsonb_build_object('{own}', d.entity_id))
     AS ids(workspace_id uuid, case_id uuid, individual_id uuid, company_id uuid)
"""
# Locks are taken in one order everywhere, lest two changes of one case wait for each other: the changed row, its person
# or company, its case, the counter; each in order of its key. PostgreSQL itself would lock what a new row points to
# only at the commit, after the counter.
LOCK = """, above_{name} AS (
    SELECT {columns} FROM cases_{name} WHERE id IN (SELECT {name}_id FROM draft){after} ORDER BY id FOR KEY SHARE
)"""
LOCKED_FIRST = "(SELECT count(*) FROM above_{name}) >= 0"
"""Asking what another lock found lets that go first."""
ABOVE = {"individual": "id", "company": "id", "case": "id, workspace_id"}
"""What is locked, in this order, and read of it."""
RECORD = """
WITH draft AS ({drafts}){locks}, counted AS (
    INSERT INTO deliveries_casesequence AS s (case_id, last)
    SELECT d.case_id, count(*) FROM draft d {joined} WHERE d.case_id IS NOT NULL GROUP BY d.case_id ORDER BY d.case_id
    ON CONFLICT (case_id) DO UPDATE SET last = s.last + excluded.last
    RETURNING case_id, last
)
INSERT INTO deliveries_event (id, workspace_id, name, case_id, individual_id, company_id, entity_id, sequence, fields,
                              state, build_at, builds, error, created_at)
SELECT deliveries_uuid7(), {workspace}, d.name, d.case_id, d.individual_id, d.company_id, d.entity_id, {number},
       d.fields, 0, clock_timestamp(), 0, '', clock_timestamp()
FROM draft d LEFT JOIN counted c ON c.case_id = d.case_id {joined}
ORDER BY d.n
"""
NUMBER = "c.last - count(*) OVER (PARTITION BY d.case_id) + row_number() OVER (PARTITION BY d.case_id ORDER BY d.n)"


@cache
def statement(model: type[Model], *, given: bool, alone: bool) -> str:
    """The statement for events about rows of this model; its parameters are names, keys and, if given, fields.

    Each is an array, but for the name and the key of one event `alone`, whose fields are not given.
    """
    columns = {column.attname for column in model._meta.concrete_fields}
    above = [name for name in ABOVE if f"{name}_id" in columns]
    return RECORD.format(
        drafts=_drafts(model, columns, given=given, alone=alone),
        locks="".join(_lock(name, above[:number]) for number, name in enumerate(above)),
        joined="LEFT JOIN above_case ON above_case.id = d.case_id" if "case" in above else "",
        workspace="d.workspace_id" if "workspace_id" in columns else "above_case.workspace_id",
        number="c.last" if alone else NUMBER,
    )


def _drafts(model: type[Model], columns: Collection[str], *, given: bool, alone: bool) -> str:
    own = f"{model._meta.model_name}_id"
    if given:
        return GIVEN.format(own=own)
    ids = [f"t.{name}" if name in columns else "t.id" if name == own else "NULL::uuid" for name in IDS]
    named = ", ".join(f"{value} AS {name}" for value, name in zip(ids, IDS, strict=True))
    return (ONE if alone else MANY).format(table=model._meta.db_table, ids=named)


def _lock(name: str, before: Sequence[str]) -> str:
    after = "".join(f" AND {LOCKED_FIRST.format(name=other)}" for other in before)
    return LOCK.format(name=name, columns=ABOVE[name], after=after)

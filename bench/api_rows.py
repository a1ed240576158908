"""Workspaces with many cases, and one with many webhook logs, filled by SQL. Import it once Django is set up."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from cases.models import Case, Tag
from cases.services import create_case, review_case
from checks.services import start_check
from workspaces.models import ApiKey, User, Workspace

from . import backlog, world
from .results import say

CHUNK = 100_000
"""Logs of one statement, so that progress is seen."""
PEOPLE = 2
"""Of a case, beside a company; each of them has a check."""
CROWD = 20
"""People of the one case that has many, ..."""
CROWD_CHECKS = 3
"""... and the checks of each."""
WEBHOOKS = 20
EVENTS = ("Case.Created", "Case.Updated", "Individual.Created", "Company.Created", "Check.Started")
LOG_SECONDS = 0.5
"""Between two logs: 1,000,000 are of six days."""
INDIVIDUAL: dict[str, Any] = {
    "first_name": "John",
    "last_name": "CARTER",
    "email": "john@example.com",
    "birth_date": "1990-07-03",
    "birth_country": "FR",
    "nationalities": ["FR"],
    "roles": ["beneficial_owner", "shareholder"],
    "ownership_percentage": 33.33,
    "address": {"street_address": "11 Rue Poissonnerie", "postal_code": "64100", "city": "Bayonne", "country": "FR"},
    "custom_properties": {"source": "register"},
}
COMPANY: dict[str, Any] = {
    "name": "Test Inc.",
    "registration_number": "012345678",
    "registration_date": "2022-12-06",
    "status": "live",
    "legal_form": "sas",
    "country": "FR",
    "address": INDIVIDUAL["address"],
    "classifications": [{"type": "nace", "code": "123", "description": "very busy"}],
}
CASE: dict[str, Any] = {
    "name": "Dotfile",
    "metadata": {"plan": "premium", "count": "42"},
    "custom_properties": {"turnover": 120000},
}

# A row like another one for each row of the source, but for what is changed.
LIKE = """
INSERT INTO {table} SELECT made.* FROM {table} AS pattern, {source},
LATERAL jsonb_populate_record(pattern, jsonb_build_object('id', deliveries_uuid7(), {changes})) AS made
WHERE pattern.id = %(pattern)s
"""
OF_CASES = "'case_id', c.id, 'created_at', c.created_at, 'updated_at', c.created_at"
THEIRS = "cases_case c WHERE c.workspace_id = %(workspace)s"
# One in ten is approved; a minute apart, the last one now.
CASES = LIKE.format(
    table="cases_case",
    source="generate_series(1, %(count)s) AS n, LATERAL (SELECT now() - (%(count)s - n) * interval '1 min') AS t(at)",
    changes="""
    'workspace_id', %(workspace)s, 'name', 'Case ' || n, 'external_id', 'case-' || n,
    'status', CASE WHEN n %% 10 = 0 THEN 'approved' ELSE 'open' END, 'created_at', at, 'updated_at', at""",
)
PARTIES = LIKE.format(
    table="{table}",
    source=f"(SELECT c.* FROM {THEIRS}) AS c, generate_series(1, %(count)s) AS n",
    changes=f"'n', n, {OF_CASES}",  # a column of none: without it they would all get one id
)
REVIEWS = LIKE.format(
    table="cases_casereview", source=f"(SELECT c.* FROM {THEIRS} AND status = 'approved') AS c", changes=OF_CASES
)
CHECKS = LIKE.format(
    table="checks_check",
    source="(SELECT c.*, p.id AS party FROM {table} p JOIN cases_case c ON c.id = p.case_id "
    "WHERE c.workspace_id = %(workspace)s) AS c",
    changes=f"'{{column}}', c.party, {OF_CASES}",
)
TAGS = f"INSERT INTO cases_case_tags (case_id, tag_id) SELECT c.id, %(tag)s FROM {THEIRS}"
# One log in fifty failed, half of them without an answer; one in a hundred had a retry.
LOGS = """
WITH made AS (
    SELECT n, deliveries_uuid7() AS id, deliveries_uuid7() AS delivery_id, deliveries_uuid7() AS case_id,
           now() - (%(count)s - n) * %(seconds)s * interval '1 s' AS at,
           (%(events)s::text[])[1 + n %% cardinality(%(events)s::text[])] AS event_name,
           (%(webhooks)s::uuid[])[1 + n %% cardinality(%(webhooks)s::uuid[])] AS subscription_id,
           CASE WHEN n %% 50 > 0 THEN 200 WHEN n %% 100 = 0 THEN 503 END AS code
    FROM generate_series(%(first)s, %(last)s) AS n
), payload AS (
    INSERT INTO deliveries_payload (id, event_id, context, entity)
    SELECT id, id, '"workspace":{"id":"' || %(workspace)s || '","name":"logs"},"sequence":1',
           '"case":{"id":"' || case_id || '","name":"' || repeat('x', %(filler)s) || '"}'
    FROM made
), attempt AS (
    INSERT INTO deliveries_attempt (id, delivery_id, subscription_id, type, number, url, status_code, error,
        request_headers, response_headers, response_body, started_at, duration_ms, remaining, worker, late)
    SELECT deliveries_uuid7(), delivery_id, subscription_id, 0, number, 'https://example.com/', code,
           CASE WHEN code IS NULL THEN 'timeout' ELSE '' END, %(sent)s, %(received)s, 'ok', at, 5, 18, 'bench', false
    FROM made, generate_series(1, CASE WHEN n %% 100 = 0 THEN 2 ELSE 1 END) AS number
)
INSERT INTO deliveries_delivery (id, workspace_id, subscription_id, event_id, payload_id, event_name, sub_event,
    case_id, sequence, state, reason, due_at, attempts, retries, next_type, status_code, last_attempt_at, created_at)
SELECT delivery_id, %(workspace)s, subscription_id, id, id, event_name, '', case_id, 1,
       CASE WHEN code = 200 THEN 1 ELSE 2 END, '', at, 1, 0, 1, code, at, at FROM made
"""


@dataclass(frozen=True)
class Filled:
    """A workspace with its rows, and a key of the API."""

    workspace: UUID
    key: str
    names: dict[str, str]
    """What requests ask for, such as a row's id."""


def cases(name: str, count: int) -> Filled:
    """A workspace with so many cases, each with people, a company, their checks and a tag; and one with a crowd."""
    of, began = world.workspace(name), time.monotonic()
    tag = Tag.objects.create(workspace=of, label="Fast track")
    values = {"workspace": of.pk, "tag": tag.pk}
    pattern = _pattern()
    _execute(CASES, values, pattern=pattern.pk, count=count)
    for party, column, number in (
        (pattern.individuals.get(), "individual_id", PEOPLE),
        (pattern.companies.get(), "company_id", 1),
    ):
        table = party._meta.db_table
        _execute(PARTIES.format(table=table), values, pattern=party.pk, count=number)
        _execute(CHECKS.format(table=table, column=column), values, pattern=party.checks.get().pk)
    _execute(REVIEWS, values, pattern=pattern.reviews.get().pk)
    _execute(TAGS, values)
    middle = Case.objects.filter(workspace=of).order_by("created_at")[count // 2]
    names = {"case": str(middle.pk), "crowd": str(_crowd(of).pk)}
    say(f"{count:,} cases: {time.monotonic() - began:.0f} s")
    return Filled(of.pk, ApiKey.objects.issue(of, "bench")[1], names)


def _pattern() -> Case:
    """A case that others are made like, in a workspace of its own."""
    of = world.workspace("patterns")
    of.members.add(reviewer := User.objects.get_or_create(username="reviewer", first_name="Ada", last_name="King")[0])
    case = create_case(of, {**CASE, "assignee": reviewer}, individuals=[INDIVIDUAL], companies=[COMPANY])
    for party in (case.individuals.get(), case.companies.get()):
        start_check(party, "aml")
    review_case(case, "approved", reviewer_type="user", user=reviewer)
    return case


def _crowd(of: Workspace) -> Case:
    case = create_case(of, CASE, individuals=[INDIVIDUAL] * CROWD)
    for person in case.individuals.all():
        for _ in range(CROWD_CHECKS):
            start_check(person, "aml")
    return case


def logs(count: int) -> Filled:
    """A workspace with so many webhook logs, of events and webhooks in turn, and their attempts and payloads."""
    of, began = world.workspace("logs"), time.monotonic()
    webhooks = [world.subscribe(of, f"https://example.com/{number}").pk for number in range(WEBHOOKS)]
    values: dict[str, Any] = {
        "workspace": str(of.pk),
        "webhooks": [str(key) for key in webhooks],
        "events": list(EVENTS),
        "count": count,
        "seconds": LOG_SECONDS,
        "filler": world.FILLER,
        "sent": json.dumps(backlog.SENT),
        "received": json.dumps(backlog.RECEIVED),
    }
    for first in range(1, count + 1, CHUNK):
        _execute(LOGS, values, first=first, last=min(count, first + CHUNK - 1))
        say(f"logs: {first - 1:,}, {time.monotonic() - began:.0f} s")
    return Filled(of.pk, ApiKey.objects.issue(of, "bench")[1], {"webhook": str(webhooks[0])})


def settle_down() -> None:
    """What autovacuum would do within the next minutes, done before anything is measured."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")


def _execute(statement: str, values: dict[str, Any], **more: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
        cursor.execute(statement, {**values, **more})

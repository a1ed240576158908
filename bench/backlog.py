"""Databases with so many rows waiting, filled by SQL. Import it once Django is set up (site.running)."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, connections, transaction

from deliveries.engine.fanout import BATCH
from deliveries.models import Subscription

from . import world
from .results import say

SPREAD = 1_000
"""Subscriptions among which the wide part is spread."""
OTHERS = 0.1
"""Beside those that are due, so many of each other kind, and of events that are still to be built."""
PENDING, HELD = 0, 3
"""States of deliveries."""
LATER = 6
"""Hours."""
TRICKLE = 1_000
"""Deliveries due now of the subscriptions whose others are due later, or held."""
CHUNK = 100_000
"""Rows of one statement, so that progress is seen."""

DELIVERIES = """
WITH made AS (
    SELECT n, deliveries_uuid7() AS id, deliveries_uuid7() AS case_id FROM generate_series(1, %(count)s) AS n
), event AS (
    INSERT INTO deliveries_event (id, workspace_id, name, case_id, entity_id, sequence, state, build_at, builds, error,
                                  created_at)
    SELECT id, %(workspace)s, 'Case.Created', case_id, case_id, 1, 1, clock_timestamp(), 0, '', clock_timestamp()
    FROM made
), payload AS (
    INSERT INTO deliveries_payload (id, event_id, context, entity)
    SELECT id, id, '"sequence":1', '"case":{"id":"' || case_id || '","name":"waiting"}' FROM made
)
INSERT INTO deliveries_delivery (id, workspace_id, subscription_id, event_id, payload_id, event_name, sub_event,
                                 case_id, sequence, ordered, state, reason, due_at, attempts, retries, next_type,
                                 created_at)
SELECT deliveries_uuid7(), %(workspace)s, (%(subscriptions)s::uuid[])[1 + n %% cardinality(%(subscriptions)s::uuid[])],
       id, id, 'Case.Created', '', case_id, 1, %(ordered)s, %(state)s, CASE %(state)s WHEN 3 THEN 'offline' ELSE '' END,
       clock_timestamp() + %(hours)s * interval '1 hour', 0, 0, 0, clock_timestamp()
FROM made
"""
# As many events as asked for that say what an event did that was recorded, each of a case of its own.
EVENTS = """
INSERT INTO deliveries_event (id, workspace_id, name, case_id, entity_id, sequence, fields, state, build_at, builds,
                              error, created_at)
SELECT deliveries_uuid7(), workspace_id, name, made.id, made.id, 1, jsonb_set(fields, '{id}', to_jsonb(made.id)), 0,
       clock_timestamp(), 0, '', clock_timestamp()
FROM (SELECT deliveries_uuid7() AS id FROM generate_series(1, %(count)s)) AS made,
     (SELECT workspace_id, name, fields FROM deliveries_event WHERE id = %(like)s) AS event
"""
ATTEMPTS = """
INSERT INTO deliveries_attempt (id, delivery_id, subscription_id, type, number, url, status_code, error,
    request_headers, response_headers, response_body, started_at, duration_ms, remaining, worker, late)
SELECT deliveries_uuid7(), d.id, d.subscription_id, 0, n, 'http://127.0.0.1/', 503, '', %(sent)s, %(received)s, 'no',
       clock_timestamp(), 5, 18 - n, 'bench', false
FROM (SELECT id, subscription_id FROM deliveries_delivery ORDER BY id OFFSET %(offset)s LIMIT %(count)s) AS d,
     generate_series(1, %(each)s) AS n
"""
TRIES = 10
"""Attempts of one delivery."""
SENT = {
    "Content-Type": "application/json",
    "User-Agent": "Dotfile-Hooks/1.0.0",
    "Content-Length": "1500",
    "webhook-id": "019f0000-0000-7000-8000-000000000000",
    "webhook-timestamp": "1770000000",
    "webhook-signature": "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
}
RECEIVED = {"Content-Length": "2", "Content-Type": "text/plain", "Date": "Thu, 01 Jan 2026 00:00:00 GMT"}
"""Headers of an attempt."""


@dataclass(frozen=True)
class Cast:
    """Whose deliveries wait, by the kind of their backlog; the same keys in every database."""

    kinds: dict[str, list[UUID]]
    workspace: UUID
    like: UUID
    """An event that was recorded: those that wait to be built say the same."""


@dataclass
class Database:
    """One database and how much waits in it."""

    waiting: int
    name: str = field(init=False)

    def __post_init__(self) -> None:
        self.name = f"waiting_{self.waiting}"
        self._wrapper: Any = None

    def use(self) -> None:
        """The engine's statements go there from now on."""
        if self._wrapper is None:
            self._wrapper = connections["default"].copy()  # not connected yet
            self._wrapper.settings_dict["NAME"] = self.name
        connections["default"] = self._wrapper

    def url(self, of_default: str) -> str:
        return f"{of_default.rpartition('/')[0]}/{self.name}"


def cast(url: str) -> Cast:
    """Subscriptions without any deliveries yet, in the default database; all databases are copied from it."""
    with transaction.atomic():
        of = world.workspace("waiting")
        sizes = {"one": 1, "thousand": SPREAD, "ordered": 1, "later": 1, "held": 1}
        kinds = {kind: [_subscription(of, f"{url}/{kind}") for _ in range(count)] for kind, count in sizes.items()}
        asking = world.workspace("asking")
        _subscription(asking, f"{url}/fan-out")
    case, _ = world.create_case(asking)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE deliveries_event SET state = 1 RETURNING id")  # it waits no more
        return Cast(kinds, of.pk, cursor.fetchone()[0])


def _subscription(of: Any, url: str) -> UUID:
    return Subscription.objects.create(workspace=of, url=url, events=["Case.Created"]).pk


def copied(sizes: list[int]) -> list[Database]:
    """A database for each size, with what the default one holds. Nobody else may be connected to it."""
    template = settings.DATABASES["default"]["NAME"]
    made = [Database(size) for size in sizes]
    for each in made:
        _maintain(f'CREATE DATABASE "{each.name}" TEMPLATE "{template}"')
    return made


def _maintain(statement: str) -> None:
    """One statement from a database of nobody's."""
    connection.close()
    with connection._nodb_cursor() as cursor:
        cursor.execute(statement)


def fill(database: Database, cast: Cast, attempts: int = 0) -> None:
    """So many deliveries that are due, half of them of one subscription and half of a thousand; others beside them."""
    database.use()
    began, count = time.monotonic(), database.waiting
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
    _deliveries(cast, "one", count // 2)
    _deliveries(cast, "thousand", count // 2)
    others = int(count * OTHERS)
    _deliveries(cast, "ordered", others, ordered=True)
    for kind, state, hours in (("later", PENDING, LATER), ("held", HELD, 0)):
        _deliveries(cast, kind, others, state, hours)
        _deliveries(cast, kind, TRICKLE)
    add_events(cast, others)
    _attempts(attempts)
    _settle_down()
    say(f"{count:,} deliveries wait in {database.name}: {time.monotonic() - began:.1f} s")


def _deliveries(cast: Cast, kind: str, count: int, state: int = PENDING, hours: int = 0, ordered: bool = False) -> None:
    differs = {"state": state, "hours": hours, "ordered": ordered}
    values: dict[str, Any] = {"workspace": cast.workspace, "subscriptions": cast.kinds[kind], **differs}
    for start in range(0, count, CHUNK):
        with connection.cursor() as cursor:
            cursor.execute(DELIVERIES, {**values, "count": min(CHUNK, count - start)})
        if start:
            say(f"{kind}: {start:,}")


def add_events(cast: Cast, count: int = BATCH) -> None:
    """Events that wait to be built."""
    with connection.cursor() as cursor:
        cursor.execute(EVENTS, {"count": count, "like": cast.like})


def _attempts(count: int) -> None:
    """Of the oldest deliveries, ten each; there must be a tenth as many."""
    for start in range(0, count // TRIES, CHUNK):
        chunk = min(CHUNK, count // TRIES - start)
        with connection.cursor() as cursor:
            headers = {"sent": json.dumps(SENT), "received": json.dumps(RECEIVED)}
            cursor.execute(ATTEMPTS, {**headers, "offset": start, "count": chunk, "each": TRIES})
        say(f"attempts: {(start + chunk) * TRIES:,}")


def _settle_down() -> None:
    """What autovacuum would do within the next minutes, done before anything is measured."""
    with connection.cursor() as cursor:
        for table in ("event", "payload", "delivery", "lane", "attempt"):
            cursor.execute(f"VACUUM ANALYZE deliveries_{table}")
        cursor.execute("CHECKPOINT")

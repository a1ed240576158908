"""The tables become partitioned under the rows that they have, and under none."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from deliveries.engine import partitions
from deliveries.engine.partitions import TABLES
from deliveries.models import Attempt, Event, Payload
from dotfile_hooks.dev import guests

ROOT = Path(__file__).resolve().parents[2]
BEFORE = "0011"
INDEXES = {model._meta.db_table: len(model._meta.indexes) + 1 for model in (Attempt, Event, Payload)}
FILL = """
INSERT INTO deliveries_event (id, workspace_id, name, case_id, entity_id, state, build_at, builds, error, created_at)
SELECT deliveries_uuid7(), gen_random_uuid(), 'Case.Created', gen_random_uuid(), gen_random_uuid(), n % 3, now(), 0, '',
    now() FROM generate_series(1, 100) AS n;
INSERT INTO deliveries_payload (id, event_id, context, entity) SELECT id, id, '', '' FROM deliveries_event;
INSERT INTO deliveries_attempt (id, delivery_id, subscription_id, type, number, url, error, request_headers,
    response_body, started_at, duration_ms, remaining, worker, late)
SELECT deliveries_uuid7(), id, id, 0, 1, '', '', '{}', '', now(), 1, 0, '', false FROM deliveries_event;
GRANT SELECT ON deliveries_event TO PUBLIC;
"""


@pytest.fixture
def database() -> Iterator[str]:
    """The URL of an empty one."""
    with guests.postgres_database(os.environ["DATABASE_URL"]) as url:
        yield url


def manage(url: str, *arguments: str) -> None:
    command = [sys.executable, "manage.py", *arguments]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "DATABASE_URL": url}, check=True)


def query(url: str, statement: str) -> list[Any]:
    with contextlib.closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


def parts(url: str, table: str) -> list[tuple[str, int, bool]]:
    """Each partition: its name, how many of its indexes belong to the table's, whether all of them are usable."""
    rows: list[tuple[str, int, bool]] = query(
        url,
        f"""SELECT child.relname, count(owner.inhparent), bool_and(indisvalid)
        FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid JOIN pg_index ON indrelid = child.oid
        LEFT JOIN pg_inherits owner ON owner.inhrelid = indexrelid
        WHERE pg_inherits.inhparent = '{table}'::regclass GROUP BY 1 ORDER BY 1""",
    )
    return rows


def test_a_table_with_rows_becomes_the_partition_of_all_that_was(database: str) -> None:
    manage(database, "migrate", "--verbosity=0", "deliveries", BEFORE)
    query(database, FILL)
    manage(database, "migrate", "--verbosity=0")
    for table in TABLES:
        assert query(database, f"SELECT count(*) FROM {table}") == [(100,)]
        found = parts(database, table)
        assert [number for _, number, _ in found] == [INDEXES[table]] * 5, found
        assert all(usable for _, _, usable in found)
        ((holder,),) = query(database, f"SELECT DISTINCT tableoid::regclass::text FROM {table}")
        assert holder.startswith(f"{table}_before_")
        assert query(database, f"SELECT bool_and(indisvalid) FROM pg_index WHERE indrelid = '{table}'::regclass") == [
            (True,)
        ]
    assert query(database, "SELECT has_table_privilege('public', 'deliveries_event', 'SELECT')") == [(True,)]
    assert query(database, "SELECT conname FROM pg_constraint WHERE conname = 'before_partitions'") == []
    manage(database, "migrate", "--verbosity=0")  # nothing is left to do
    manage(database, "makemigrations", "--check", "--dry-run", "--verbosity=0")


def test_an_empty_table_begins_with_the_day_of_the_migration(db: None) -> None:
    for table in TABLES:
        begin = partitions.attached(table)[0].begin
        assert begin > date.min
        assert partitions.of_day(table, begin) in partitions.attached(table)

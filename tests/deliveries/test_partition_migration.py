"""The tables become partitioned under the rows that they have, and under none."""

from __future__ import annotations

import contextlib
import os
import secrets
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


def migrate(url: str, to: str = "") -> str:
    """Answers what it complained of."""
    command = [sys.executable, "manage.py", "migrate", "--verbosity=0", "deliveries", *([to] if to else [])]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "DATABASE_URL": url}, check=False, capture_output=True, text=True
    )
    assert bool(done.returncode) == bool(done.stderr.strip()), done.stderr
    return done.stderr


CHECK = "SELECT conname FROM pg_constraint WHERE conname = 'before_partitions'"
PARTITIONED = "SELECT relname FROM pg_class WHERE relkind = 'p'"


def test_a_table_that_others_depend_on_is_left_as_it_is(database: str) -> None:
    assert not migrate(database, BEFORE)
    query(
        database,
        """CREATE VIEW recent AS SELECT * FROM deliveries_event;
        CREATE MATERIALIZED VIEW copied AS SELECT id FROM deliveries_event;
        CREATE PUBLICATION feed FOR TABLE deliveries_event;
        GRANT UPDATE (error) ON deliveries_event TO PUBLIC;
        CREATE TRIGGER watch BEFORE UPDATE ON deliveries_event FOR EACH ROW
            EXECUTE FUNCTION suppress_redundant_updates_trigger()""",
    )
    said = migrate(database)
    dependents = "grant on column error, materialized view copied, publication feed, trigger watch, view recent"
    assert f"CommandError: deliveries_event cannot be partitioned: {dependents}." in said
    assert query(database, PARTITIONED) == []


def test_a_row_of_a_day_to_come_is_named_and_nothing_is_left_to_refuse_others(database: str) -> None:
    assert not migrate(database, BEFORE)
    query(database, FILL)
    late = "0fffffff-0000-7000-8000-000000000000"
    one = "(SELECT id FROM deliveries_payload LIMIT 1)"
    query(database, f"UPDATE deliveries_payload SET id = '{late}' WHERE id = {one}")
    left = f"ADD CONSTRAINT before_partitions CHECK (id < '{late}') NOT VALID"  # by a run that was killed
    query(database, f"ALTER TABLE deliveries_payload {left}")
    assert f"deliveries_payload cannot be partitioned: by its key the row {late} was made after" in migrate(database)
    assert query(database, CHECK) == query(database, PARTITIONED) == []
    query(database, f"DELETE FROM deliveries_payload WHERE id = '{late}'")
    assert not migrate(database)


def test_a_failure_after_the_check_takes_it_away(database: str) -> None:
    assert not migrate(database, BEFORE)
    query(database, FILL + "CREATE TABLE deliveries_attempt_default ()")
    assert "already exists" in migrate(database)
    assert query(database, CHECK) == query(database, PARTITIONED) == []
    query(database, "DROP TABLE deliveries_attempt_default")
    assert not migrate(database)


@pytest.mark.parametrize("filled", [False, True])
def test_the_tables_stay_their_owners_whoever_migrates(database: str, filled: bool) -> None:
    assert not migrate(database, BEFORE)
    owner, reader = f"owner_{secrets.token_hex(4)}", f"reader_{secrets.token_hex(4)}"
    query(database, f"CREATE ROLE {owner}; CREATE ROLE {reader}; GRANT CREATE, USAGE ON SCHEMA public TO {owner}")
    try:
        for table in TABLES:
            query(database, f"ALTER TABLE {table} OWNER TO {owner}")
        query(database, f"GRANT SELECT ON deliveries_event TO {reader} WITH GRANT OPTION")
        if filled:
            query(database, FILL)
        assert not migrate(database)
        owners = "SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class WHERE relkind IN ('r', 'p') AND relname ~"
        for table in TABLES:
            assert query(database, f"{owners} '^{table}(_(before_)?[0-9]+|_default)?$'") == [(owner,)]
        allowed = f"SELECT has_table_privilege('{reader}', 'deliveries_event', 'SELECT WITH GRANT OPTION')"
        assert query(database, allowed) == [(True,)]
        query(database, f"SET ROLE {owner}; SELECT count(*) FROM deliveries_attempt")
    finally:
        query(database, f"DROP OWNED BY {owner} CASCADE; DROP OWNED BY {reader}; DROP ROLE {owner}, {reader}")


@pytest.mark.parametrize("done", ["event_case_waiting", "event_of_case"])
def test_an_index_migration_that_was_cut_off_is_repeated(database: str, done: str) -> None:
    assert not migrate(database, BEFORE)
    query(database, "CREATE INDEX event_case_waiting ON deliveries_event (case_id)")
    if done == "event_of_case":  # gone, and not made anew
        query(database, "DROP INDEX event_of_case")
    assert not migrate(database)
    manage(database, "makemigrations", "--check", "--dry-run", "--verbosity=0")
    ((definition,),) = query(database, "SELECT pg_get_indexdef('event_case_waiting'::regclass)")
    assert "(case_id, sequence)" in definition


def test_an_empty_table_begins_with_the_day_of_the_migration(db: None) -> None:
    for table in TABLES:
        begin = partitions.attached(table)[0].begin
        assert begin > date.min
        assert partitions.of_day(table, begin) in partitions.attached(table)

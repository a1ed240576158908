"""Events, payloads and attempts by day: a partition for each day (UTC), made some days ahead, dropped whole when old.

Keys are UUIDv7, so a day is a range of keys. What fits into no partition goes into the default one: no save() may fail
because nobody made a partition. Who waits for a table's lock makes others wait behind, so we wait for LOCK_TIMEOUT at
most, then stand back and try again later.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import IntegrityError, OperationalError, connection, transaction
from psycopg2 import errors

from workspaces.identifiers import lowest_id, made_at

logger = logging.getLogger(__name__)

# Parameters of each partition; a partitioned table itself can have none. Events are updated once, when they are built,
# and vacuumed soon. In the others nothing is ever updated and all is dropped at once: a vacuum for their inserts would
# be work for nothing (the one against wraparound comes all the same, should they grow that old).
STORAGE = {
    "deliveries_attempt": "autovacuum_vacuum_insert_threshold = -1",
    "deliveries_payload": "autovacuum_vacuum_insert_threshold = -1",
    "deliveries_event": "autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000",
}
TABLES = tuple(STORAGE)

LOCK_TIMEOUT = "200ms"
# Tries, and seconds between them: then the next run of the chore, an hour later.
TRIES, PAUSE = 5, 0.5
# To attach a partition PostgreSQL looks through the default one, with nobody else in it, unless a CHECK proves that it
# holds none of the new one's rows. So much of that at most.
SCAN_TIMEOUT = "1s"
PROOF = "no_rows_of_a_new_partition"
IN_THE_WAY = (errors.LockNotAvailable, errors.DeadlockDetected, errors.QueryCanceled)

ATTACHED = """
SELECT child.relname, pg_get_expr(child.relpartbound, child.oid)
FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid WHERE inhparent = %s::regclass
"""
# Cut off between detaching and dropping.
DETACHED = """
SELECT relname FROM pg_class
WHERE relkind = 'r' AND NOT relispartition AND relnamespace = current_schema()::regnamespace AND relname ~ %s
"""
IS_EMPTY = "SELECT NOT EXISTS (SELECT FROM {default})"
HAS_ROWS = "SELECT EXISTS (SELECT FROM {default} WHERE id >= %s AND id < %s)"
IS_PROVEN = "SELECT EXISTS (SELECT FROM pg_constraint WHERE conrelid = %s::regclass AND conname = %s)"
# Or will in an hour: clocks differ, and to look through many rows takes a while.
IS_CURRENT = "SELECT now BETWEEN %s - interval '1 h' AND %s FROM timezone('UTC', clock_timestamp()) AS now"
SIZE = """
SELECT format('some %%s rows, %%s', greatest(0, reltuples)::bigint, pg_size_pretty(pg_total_relation_size(oid)))
FROM pg_class WHERE oid = %s::regclass
"""
BOUNDS = re.compile(r"FROM \((?:'([^']+)'|MINVALUE)\) TO \('([^']+)'\)")


class Partition(NamedTuple):
    """The rows of some days of one table, from `begin` on and before `end`."""

    table: str
    name: str
    begin: date
    end: date

    def covers(self, day: date) -> bool:
        return self.begin <= day < self.end


def of_day(table: str, day: date) -> Partition:
    """The partition that a day has, or would have."""
    return Partition(table, f"{table}_{day:%Y%m%d}", day, day + timedelta(days=1))


def default_of(table: str) -> str:
    return f"{table}_default"


def first_key(day: date) -> UUID:
    """The key at which a day (UTC) begins."""
    return lowest_id(datetime(day.year, day.month, day.day, tzinfo=UTC))


def parse(table: str, name: str, bounds: str) -> Partition | None:
    """From PostgreSQL's own words; None for the default partition."""
    found = BOUNDS.search(bounds)
    if found is None:
        return None
    begin, end = (made_at(UUID(key)).date() if key else date.min for key in found.groups())
    return Partition(table, name, begin, end)


def left_over(table: str, name: str) -> Partition | None:
    """What a table that was detached and not dropped held, by its name; None when the name is not one of ours."""
    found = re.fullmatch(rf"{table}_(before_)?([0-9]{{8}})", name)
    if found is None:
        return None
    day = datetime.strptime(found[2], "%Y%m%d").replace(tzinfo=UTC).date()
    return of_day(table, day) if not found[1] else Partition(table, name, date.min, day)


def attached(table: str) -> list[Partition]:
    """The partitions of a table, the oldest first, without the default one."""
    found = (parse(table, *row) for row in _rows(ATTACHED, table))
    return sorted((row for row in found if row), key=lambda row: row.end)


def detached(table: str) -> list[Partition]:
    """What is left of a run that died between detaching and dropping."""
    found = (left_over(table, name) for (name,) in _rows(DETACHED, f"^{table}_"))
    return [row for row in found if row]


def missing(today: date, days: int) -> list[Partition]:
    """Those that are wanted from today up to so many days ahead and are not there."""
    wanted = [today + timedelta(days=n) for n in range(days + 1)]
    found: list[Partition] = []
    for table in TABLES:
        there = attached(table)
        found += [of_day(table, day) for day in wanted if not any(row.covers(day) for row in there)]
    return found


def make(row: Partition) -> bool:
    """Makes a partition; False when somebody was in the way, or when its rows are in the default partition already.

    It is made on its own first and then attached: reading and writing pass that, but for the default partition, which
    nobody can use meanwhile. That is a moment, except for today when the default one has rows: then SCAN_TIMEOUT.
    """
    try:
        with _proof(row):
            return not _is_late(row) and patiently(lambda: _make(row), f"{row.name} was not made")
    except IntegrityError:  # one came in between
        return not _too_late(row)


def _is_late(row: Partition) -> bool:
    ((late,),) = _rows(HAS_ROWS.format(default=default_of(row.table)), first_key(row.begin), first_key(row.end))
    return bool(late) and _too_late(row)


def _too_late(row: Partition) -> bool:
    logger.warning("%s was not made: the default partition has rows of that day, and keeps them", row.name)
    return True


@contextmanager
def _proof(row: Partition) -> Iterator[None]:
    """Proves beside readers and writers that the default partition, if it has rows, has none of these.

    Not for today: its rows come at any moment, and the CHECK would refuse them. What a run that was cut off left
    behind goes first.
    """
    _forget_proof(row)
    default, begin, end = default_of(row.table), first_key(row.begin), first_key(row.end)
    ((is_empty,),) = _rows(IS_EMPTY.format(default=default))
    ((is_current,),) = _rows(IS_CURRENT, row.begin, row.end)
    if is_empty or is_current:
        yield
        return
    check = f"ALTER TABLE {default} ADD CONSTRAINT {PROOF} CHECK (id < '{begin}' OR id >= '{end}') NOT VALID"
    try:
        if patiently(lambda: execute(check), f"{default} was not looked through"):
            with transaction.atomic():
                execute(f"ALTER TABLE {default} VALIDATE CONSTRAINT {PROOF}")
        yield
    finally:
        _forget_proof(row)


def _forget_proof(row: Partition) -> None:
    default = default_of(row.table)
    ((found,),) = _rows(IS_PROVEN, default, PROOF)
    if found:
        drop_it = f"ALTER TABLE {default} DROP CONSTRAINT IF EXISTS {PROOF}"
        patiently(lambda: execute(drop_it), f"{PROOF} is still on {default}")


def _make(row: Partition) -> None:
    begin, end = first_key(row.begin), first_key(row.end)
    execute(f"CREATE TABLE {row.name} (LIKE {row.table} INCLUDING ALL) WITH ({STORAGE[row.table]})")
    with statement_timeout(SCAN_TIMEOUT):
        execute(f"ALTER TABLE {row.table} ATTACH PARTITION {row.name} FOR VALUES FROM ('{begin}') TO ('{end}')")


def drop(row: Partition, first: Callable[[], object] | None = None) -> bool:
    """Detaches a partition, after `first` in the same transaction, and drops it in another.

    False when somebody was in the way: readers and writers never wait for longer than LOCK_TIMEOUT.
    """

    def detach() -> None:
        if first:
            execute(f"LOCK TABLE {row.name} IN SHARE MODE")  # what it has looked at stays so
            first()
        with statement_timeout(LOCK_TIMEOUT):  # it takes several locks
            execute(f"ALTER TABLE {row.table} DETACH PARTITION {row.name}")

    return patiently(detach, f"{row.name} is still there") and drop_detached(row)


def drop_detached(row: Partition) -> bool:
    return patiently(lambda: execute(f"DROP TABLE IF EXISTS {row.name}"), f"{row.name} is detached and still there")


def size(row: Partition) -> str:
    """About how much it holds, for people."""
    ((told,),) = _rows(SIZE, row.name)
    return str(told)


@contextmanager
def statement_timeout(limit: str) -> Iterator[None]:
    """For the statements inside. It needs a transaction, whose rollback puts back the old limit after an error."""
    execute(f"SET LOCAL statement_timeout = '{limit}'")
    yield
    execute("SET LOCAL statement_timeout = DEFAULT")


def patiently(step: Callable[[], object], otherwise: str) -> bool:
    """Does a step in a transaction of its own, unless somebody is in its way again and again; says so, then."""
    for number in range(TRIES):
        if number:
            time.sleep(PAUSE)
        try:
            with transaction.atomic():
                execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
                step()
            return True
        except OperationalError as error:
            if not isinstance(error.__cause__, IN_THE_WAY):
                raise
    logger.warning("%s: somebody uses the table for long; the next run tries again", otherwise)
    return False


def execute(statement: str, values: Iterable[Any] = ()) -> int:
    """Answers how many rows it was about."""
    with connection.cursor() as cursor:
        cursor.execute(statement, list(values) or None)
        count: int = cursor.rowcount
    return count


def _rows(statement: str, *values: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        found: list[Any] = cursor.fetchall()
    return found

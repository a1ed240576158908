"""Events, payloads and attempts by day, so that what is old goes by DROP instead of a million deletes.

No row is moved and nobody waits for longer than a moment: the table as it is becomes the partition of everything up to
a week from now. A CHECK, validated while the table is in use, proves to PostgreSQL without a scan that it fits.
It cannot be undone: that would copy every row. It may be repeated: what was done before is left alone. If it fails, it
takes the CHECK away again; if it is killed between CHECK and swap, repeat it within the week: later rows are refused.

A view, publication, trigger or the like stays with the old table, which is then one partition of many, and would be
wrong without a word. So where there is one, nothing is changed.
"""

import time
from datetime import date, datetime, timedelta, timezone
from uuid import UUID

from django.core.management.base import CommandError
from django.db import IntegrityError, OperationalError, migrations, transaction
from psycopg2.errors import LockNotAvailable

MODELS = ("Attempt", "Payload", "Event")
# Days that the old table goes on to take new rows: time to repeat a migration that failed halfway.
ROOM = 7
# Days to begin with, today included when the table was empty. A chore adds more, day by day.
FIRST_DAYS = 3
# Others wait behind us while we wait for the table's lock: so long at a time, then they go first.
LOCK_TIMEOUT, TRIES, PAUSE = "300ms", 100, 1.0

# Events are updated once, when they are built: vacuumed soon, as before. Nothing is ever updated in the others, and a
# day of them is dropped whole: a vacuum for their inserts would be work for nothing.
STORAGE = {
    "deliveries_event": "autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000",
    "deliveries_payload": "autovacuum_vacuum_insert_threshold = -1",
    "deliveries_attempt": "autovacuum_vacuum_insert_threshold = -1",
}


def partition(apps, schema_editor):
    tables = [Partitioning(apps.get_model("deliveries", name), schema_editor) for name in MODELS]
    left = [table for table in tables if not table.is_done()]
    for table in left:
        table.look()
    for table in left:
        table.run()


class Partitioning:
    """Of one table."""

    def __init__(self, model, schema_editor):
        self.model, self.editor = model, schema_editor
        self.table = model._meta.db_table
        self.today = self.value("SELECT (clock_timestamp() AT TIME ZONE 'UTC')::date")
        self.boundary = self.today + timedelta(days=ROOM + 1)
        self.old = f"{self.table}_before_{self.boundary:%Y%m%d}"
        self.owner = self.value(OWNER, self.table)

    def is_done(self):
        return self.value("SELECT relkind = 'p' FROM pg_class WHERE oid = %s::regclass", self.table)

    def look(self):
        """Raises CommandError if it cannot be done, with nothing changed."""
        if dependents := ", ".join(name for (name,) in self.rows(DEPENDENTS, self.table)):
            self.refuse(
                f"{self.table} cannot be partitioned: {dependents}. Drop what depends on the table, migrate, and "
                "make it again."
            )
        late = self.rows(f"SELECT id FROM {self.table} WHERE id >= %s ORDER BY id DESC LIMIT 1", lowest_id(self.boundary))
        if late:
            self.refuse_late(late[0][0])

    def refuse_late(self, last):
        self.refuse(
            f"{self.table} cannot be partitioned: by its key the row {last} was made after {self.boundary}, which has "
            "not come yet. Delete the rows from then on, or give them a key of today, and migrate again."
        )

    def refuse(self, sentence):
        self.forget_check()
        raise CommandError(sentence)

    def run(self):
        try:
            if self.value(f"SELECT EXISTS (SELECT FROM {self.table})"):
                self.patiently(self.check)
                self.execute(f"ALTER TABLE {self.table} VALIDATE CONSTRAINT before_partitions")
            self.patiently(self.swap)
        except BaseException as error:
            self.forget_check()
            if isinstance(error, IntegrityError):  # a row that came since we looked
                self.look()
            raise

    def forget_check(self):
        """Or it would refuse rows, a week from now."""
        if self.rows(CHECKED, self.table):
            self.patiently(lambda: self.execute(f"ALTER TABLE {self.table} DROP CONSTRAINT IF EXISTS before_partitions"))

    def check(self):
        self.execute(
            f"ALTER TABLE {self.table} DROP CONSTRAINT IF EXISTS before_partitions, "
            f"ADD CONSTRAINT before_partitions CHECK (id < '{lowest_id(self.boundary)}') NOT VALID"
        )

    def swap(self):
        self.execute(f"LOCK TABLE {self.table} IN ACCESS EXCLUSIVE MODE")
        is_empty = not self.value(f"SELECT EXISTS (SELECT FROM {self.table})")
        self.make_parent()
        if is_empty:
            self.execute(f"DROP TABLE {self.old}")
        else:
            self.attach_old()
        self.make("default", "DEFAULT")
        begin = self.today if is_empty else self.boundary
        for day in (begin + timedelta(days=n) for n in range(FIRST_DAYS)):
            bounds = f"FOR VALUES FROM ('{lowest_id(day)}') TO ('{lowest_id(day + timedelta(days=1))}')"
            self.make(f"{day:%Y%m%d}", bounds)

    def make_parent(self):
        """With the columns, defaults, checks, rights and indexes of the old table, which takes another name."""
        self.execute(f"ALTER TABLE {self.table} RENAME TO {self.old}")
        for (index,) in self.rows(INDEXES, self.old):
            self.execute(f"ALTER INDEX {index} RENAME TO {self.old}_{index.removeprefix(f'{self.table}_')}")
        including = "INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE"
        self.execute(f"CREATE TABLE {self.table} (LIKE {self.old} {including}) PARTITION BY RANGE (id)")
        self.give_to_owner(self.table)
        self.execute(f"ALTER TABLE {self.table} DROP CONSTRAINT IF EXISTS before_partitions, ADD PRIMARY KEY (id)")
        for index in self.model._meta.indexes:
            self.editor.add_index(self.model, index)
        for (grant,) in self.rows(GRANTS, self.table, self.old):
            self.execute(grant)

    def attach_old(self):
        """Its indexes become parts of the new ones."""
        bounds = f"FROM (MINVALUE) TO ('{lowest_id(self.boundary)}')"
        self.execute(f"ALTER TABLE {self.table} ATTACH PARTITION {self.old} FOR VALUES {bounds}")
        self.execute(f"ALTER TABLE {self.old} DROP CONSTRAINT IF EXISTS before_partitions, SET ({STORAGE[self.table]})")

    def make(self, suffix, bounds):
        name = f"{self.table}_{suffix}"
        self.execute(f"CREATE TABLE {name} PARTITION OF {self.table} {bounds} WITH ({STORAGE[self.table]})")
        self.give_to_owner(name)

    def give_to_owner(self, table):
        """Somebody else may migrate: the application's account goes on to own, use and drop its tables."""
        if self.owner:
            self.execute(f"ALTER TABLE {table} OWNER TO {self.owner}")

    def patiently(self, step):
        """In a transaction that stands back when somebody uses the table for long, and tries again."""
        for _ in range(TRIES):
            try:
                with transaction.atomic(self.editor.connection.alias):
                    self.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
                    return step()
            except OperationalError as error:
                if not isinstance(error.__cause__, LockNotAvailable):
                    raise
                time.sleep(PAUSE)
        raise OperationalError(f"{self.table} is in use by a long transaction; end that and migrate again.")

    def execute(self, statement):
        with self.editor.connection.cursor() as cursor:
            cursor.execute(statement)

    def rows(self, statement, *values):
        with self.editor.connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall()

    def value(self, statement, *values):
        return self.rows(statement, *values)[0][0]


DEPENDENTS = """
WITH target AS (SELECT %s::regclass::oid AS oid)
SELECT CASE relkind WHEN 'm' THEN 'materialized view ' ELSE 'view ' END || relation.oid::regclass
FROM target, pg_depend, pg_rewrite rule JOIN pg_class relation ON relation.oid = ev_class
WHERE classid = 'pg_rewrite'::regclass AND objid = rule.oid AND refclassid = 'pg_class'::regclass
    AND refobjid = target.oid AND ev_class <> target.oid
UNION SELECT 'publication ' || pubname
FROM target, pg_publication_rel JOIN pg_publication publication ON publication.oid = prpubid WHERE prrelid = target.oid
UNION SELECT 'trigger ' || tgname FROM target, pg_trigger WHERE tgrelid = target.oid AND NOT tgisinternal
UNION SELECT 'policy ' || polname FROM target, pg_policy WHERE polrelid = target.oid
UNION SELECT 'foreign key ' || conname FROM target, pg_constraint WHERE confrelid = target.oid
UNION SELECT 'grant on column ' || attname
FROM target, pg_attribute WHERE attrelid = target.oid AND attacl IS NOT NULL AND NOT attisdropped
ORDER BY 1
"""
INDEXES = "SELECT relname FROM pg_class, pg_index WHERE oid = indexrelid AND indrelid = %s::regclass"
CHECKED = "SELECT 1 FROM pg_constraint WHERE conrelid = %s::regclass AND conname = 'before_partitions'"
# NULL when it is us.
OWNER = """
SELECT CASE WHEN pg_get_userbyid(relowner) <> current_user THEN relowner::regrole::text END
FROM pg_class WHERE oid = %s::regclass
"""
GRANTS = """
SELECT format('GRANT %%s ON %%I TO %%s', privilege_type, %s, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END)
    || CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
FROM pg_class, aclexplode(relacl) WHERE oid = %s::regclass AND grantee <> relowner
"""


def lowest_id(day: date) -> UUID:
    """No UUIDv7 of that day (UTC) or a later one sorts before it: their first 48 bits are milliseconds."""
    moment = datetime(day.year, day.month, day.day, tzinfo=timezone.utc)
    return UUID(int=int(moment.timestamp()) * 1000 << 80)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("deliveries", "0012_events_of_a_case")]
    operations = [migrations.RunPython(partition)]

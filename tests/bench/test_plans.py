"""Statements that are explained as they pass by."""

from __future__ import annotations

import pytest
from django.db import connection, transaction

from bench import plans
from bench.plans import Statement, Watch
from cases.models import Case
from deliveries.engine import fanout, lanes, statements
from deliveries.engine.statements import Prepared
from deliveries.events import recording
from workspaces.models import Workspace

WHOLE = """\
Append  (cost=0..1 rows=1 width=0) (actual time=0.1..0.2 rows=1.00 loops=1)
  ->  Seq Scan on deliveries_event_20260101 e  (cost=0..1 rows=9 width=0) (actual time=0.1..9.9 rows=1.00 loops=1)
        Filter: (state = 0)
        Rows Removed by Filter: {removed}
  ->  Index Scan using x on deliveries_delivery  (cost=0..1 rows=9 width=0) (actual time=0.1..9.9 rows=1.00 loops=1)
        Rows Removed by Filter: 50000
  ->  Seq Scan on workspaces_workspace  (cost=0..1 rows=9 width=0) (actual time=0.1..9.9 rows=5000.00 loops=1)
  ->  Seq Scan on deliveries_event_default  (cost=0..1 rows=9 width=0) (never executed)
Planning Time: 0.250 ms
Execution Time: 1.500 ms
"""


@pytest.mark.parametrize(("removed", "found"), [(999, []), (1000, ["deliveries_event_20260101"])])
def test_a_table_that_grows_and_was_read_from_end_to_end_is_named(removed: int, found: list[str]) -> None:
    assert Statement("", "", plan=WHOLE.format(removed=removed)).read_whole == found


def test_a_single_scan_of_many_rows_is_named_too() -> None:
    plan = "Seq Scan on deliveries_attempt  (cost=0..1 rows=9 width=0) (actual time=0.1..9.9 rows=600.00 loops=2)"
    assert Statement("", "", plan=plan).read_whole == ["deliveries_attempt"]


def test_the_time_of_a_statement_is_planning_and_execution() -> None:
    assert Statement("", "", plan=WHOLE).took == 1.75


@pytest.mark.parametrize(
    ("sql", "name"),
    [
        (fanout.SUBSCRIBERS.sql, "fanout.SUBSCRIBERS"),
        (recording.statement(Case, given=False, alone=True), "INSERT deliveries_event"),
        (lanes.RELEASE.sql, "lanes.RELEASE"),
        ('SELECT "cases_case"."id" FROM "cases_case" WHERE "cases_case"."id" = %s', "SELECT cases_case"),
    ],
)
def test_a_statement_is_named_by_the_constant_that_holds_it_or_by_what_it_writes(sql: str, name: str) -> None:
    assert plans.named(sql, plans.constants()) == name


@pytest.mark.django_db
def test_what_is_explained_runs_once() -> None:
    watch = Watch()
    with watch.on():
        Workspace.objects.create(name="explained")
    assert Workspace.objects.filter(name="explained").count() == 1
    (statement,) = watch.statements.values()
    assert (statement.name, statement.calls) == ("INSERT workspaces_workspace", 1)
    assert statement.plan.startswith("Insert on workspaces_workspace")


@pytest.mark.django_db
def test_settings_before_a_statement_hold_for_its_explanation() -> None:
    Workspace.objects.create(name="one")
    watch = Watch()
    with watch.on(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SELECT name FROM workspaces_workspace WHERE name = %s", ["one"])
        assert cursor.fetchall() == [("one",)]
    (statement,) = watch.statements.values()
    assert statement.sql == "SELECT name FROM workspaces_workspace WHERE name = %s"
    forbidden = "Disabled: true", "cost=10000000000"  # in the words of PostgreSQL 18, and of those before
    assert "Index" in statement.plan or any(word in statement.plan for word in forbidden)


@pytest.mark.django_db(transaction=True)
def test_a_prepared_statement_is_explained_with_its_values() -> None:
    Workspace.objects.create(name="one")
    watch, asked = Watch(), Prepared("asked", "SELECT name FROM workspaces_workspace WHERE name = %s")
    with watch.on(), connection.cursor() as cursor:
        for _ in range(3):
            asked.execute(cursor, ["one"])
            assert cursor.fetchall() == [("one",)]
    (statement,) = watch.statements.values()
    assert (statement.sql, statement.calls) == ("SELECT name FROM workspaces_workspace WHERE name = $1", 3)
    assert "Execution Time" in statement.plan


@pytest.mark.django_db(transaction=True)
def test_statements_that_are_sent_together_are_explained_one_by_one_with_their_own_values() -> None:
    renamed = Prepared("renamed", "UPDATE workspaces_workspace SET name = %s WHERE name = %s")
    asked = Prepared("asked_after", "SELECT name FROM workspaces_workspace WHERE name = %s")
    Workspace.objects.create(name="one")
    watch = Watch()
    with watch.on(), connection.cursor() as cursor:
        statements.together(cursor, ("SET LOCAL enable_seqscan = off", ()), (renamed, ["two", "one"]), (asked, ["two"]))
        assert cursor.fetchall() == [("two",)]
    assert [(seen.sql, seen.calls) for seen in watch.statements.values()] == [
        ("UPDATE workspaces_workspace SET name = $1 WHERE name = $2", 1),
        ("SELECT name FROM workspaces_workspace WHERE name = $1", 1),
    ]
    update, select = (seen.plan for seen in watch.statements.values())
    assert update.startswith("Update on workspaces_workspace")
    assert "actual" in select
    assert "rows=1" in select.splitlines()[0].partition("actual")[2]  # it sees what the one before it did


def test_each_statement_has_as_many_values_as_places() -> None:
    sql = "SET x = on; UPDATE t SET a = ';' || %s WHERE b LIKE '%%s' AND c = %s; SELECT %s;"
    assert list(plans.parts(sql, [1, 2, 3])) == [
        ("SET x = on", None),
        ("UPDATE t SET a = ';' || %s WHERE b LIKE '%%s' AND c = %s", [1, 2]),
        ("SELECT %s", [3]),
    ]
    assert list(plans.parts("SELECT 7 %% 2; SELECT %s", [1])) == [("SELECT 7 % 2", None), ("SELECT %s", [1])]
    assert list(plans.parts("SELECT 7 % 2")) == [("SELECT 7 % 2", None)]


@pytest.mark.django_db(transaction=True)
def test_explaining_leaves_the_callers_transaction_as_it_was() -> None:
    watch = Watch()
    with watch.on(), transaction.atomic():
        row = Workspace.objects.create(name="one")
        Workspace.objects.filter(pk=row.pk).update(name="two")
    assert Workspace.objects.get().name == "two"

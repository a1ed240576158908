"""Plans of statements that run all day: through an index, whatever the statistics say of a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from cases.models import Case, Individual
from deliveries import tasks
from deliveries.engine import fanout, lanes, sweep
from deliveries.engine.session import Session
from tests import factories
from workspaces.models import Workspace

from .conftest import Subscribe

WAITING = """
INSERT INTO deliveries_event (id, workspace_id, name, entity_id, state, build_at, builds, error, created_at)
SELECT deliveries_uuid7(), gen_random_uuid(), 'Case.Created', gen_random_uuid(), 0,
    clock_timestamp() - interval '1 hour', 0, '', clock_timestamp() FROM generate_series(1, 3000)
"""


def explained(statement: str, parameters: Any = None) -> str:
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN " + statement, parameters)
        return "\n".join(row[0] for row in cursor.fetchall())


@pytest.fixture
def much_waits(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(WAITING)
        cursor.execute("ANALYZE deliveries_event")


@pytest.fixture
def session(db: None) -> Iterator[Session]:
    opened = Session()
    opened.open()
    yield opened
    opened.close()


def test_the_sweep_looks_for_waiting_events_in_their_index(much_waits: None) -> None:
    plan = explained(sweep.LOOK, {"park": lanes.PARK_AFTER, "interval": settings.SWEEP_INTERVAL})
    assert "Seq Scan on deliveries_event" not in plan, plan


def test_a_plan_made_when_a_table_was_empty_still_goes_through_the_index(session: Session) -> None:
    """To read and sort an empty table costs nothing: without being told so, PostgreSQL would keep that plan."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE deliveries_event")
        cursor.execute("ANALYZE deliveries_event")
        cursor.execute("DISCARD PLANS")
    assert fanout.fan_out(tasks.DOMAIN) == 0
    plan = explained("EXECUTE take_events(200)")
    assert "Seq Scan" not in plan, plan
    assert "->  Sort" not in plan, plan


def test_what_the_domain_asks_for_is_planned_as_usual(
    workspace: Workspace, subscribe: Subscribe, session: Session
) -> None:
    """A courier forbids itself to sort: a query of the domain would read a whole table in the order it asks for."""
    subscribe("Case.Created")
    others = Case.objects.bulk_create([Case(workspace=workspace, name="other") for _ in range(1500)])
    Individual.objects.bulk_create([Individual(case=case) for case in others])
    with connection.cursor() as cursor:
        cursor.execute("UPDATE deliveries_event SET state = 1")
        cursor.execute("ANALYZE cases_individual")
    factories.case(workspace)
    plans: list[str] = []

    def explain(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if 'FROM "cases_individual"' in sql and not sql.startswith("EXPLAIN"):
            plans.append(explained(sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explain):
        fanout.fan_out(tasks.DOMAIN)
    assert len(plans) == 1
    assert "cases_individual_list" not in plans[0], plans[0]

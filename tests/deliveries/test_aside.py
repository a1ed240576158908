"""Holding what waits for subscriptions that are offline: in turns, by a chore, whatever waits."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings as project
from django.db import connection
from django.db.models.functions import Now
from redis import Redis

from cases.models import Case
from deliveries import services, tasks
from deliveries.engine import alone, aside, due, fanout, lanes, order, sweep
from deliveries.models import Delivery, Lane, Subscription
from tests import factories
from workspaces.models import Workspace

from .conftest import Subscribe
from .waiting import in_a_thread

State = Delivery.State


def build() -> None:
    while fanout.fan_out(tasks.DOMAIN):
        pass


def make_backlog(workspace: Workspace, count: int) -> None:
    Case.objects.bulk_create([Case(workspace=workspace, name=f"case {n}") for n in range(count)])
    build()


def turn(row: Subscription, *, online: bool) -> None:
    services.set_online([row.pk], online=online)


def states(row: Subscription | None = None) -> list[int]:
    rows = Delivery.objects.filter(subscription_id=row.pk) if row else Delivery.objects.all()
    return list(rows.order_by("due_at", "id").values_list("state", flat=True))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """A turn holds two deliveries, and a run has time for one turn."""
    monkeypatch.setattr(aside, "CHUNK", 2)
    settings.SWEEP_INTERVAL = 0.0


@pytest.fixture
def chores() -> Redis:
    """The broker, without messages for chores."""
    client = Redis.from_url(project.CELERY_BROKER_URL)
    client.delete("chores")
    return client


def test_the_sweep_sets_nothing_aside_itself_but_rings_until_all_is(
    workspace: Workspace, subscribe: Subscribe, chores: Redis
) -> None:
    row = subscribe("Case.Created")
    make_backlog(workspace, 1)
    turn(row, online=False)
    for messages in (1, 2):
        tasks.sweep_task()
        assert (states(), chores.llen("chores")) == ([State.PENDING], messages)
    tasks.set_aside()
    tasks.sweep_task()
    assert (states(), chores.llen("chores")) == ([State.HELD], 2)


def test_a_run_is_bounded_and_the_next_one_goes_on(workspace: Workspace, subscribe: Subscribe, small: None) -> None:
    row = subscribe("Case.Created")
    make_backlog(workspace, 5)
    turn(row, online=False)
    for held in (2, 4, 5):
        assert sweep.look().closed_lanes
        aside.run()
        assert states() == [State.HELD] * held + [State.PENDING] * (5 - held)
    assert not sweep.look().closed_lanes
    assert set(Delivery.objects.values_list("reason", flat=True)) == {"offline"}


def test_a_lane_with_a_large_backlog_does_not_keep_the_others_waiting(
    workspace: Workspace, subscribe: Subscribe, small: None
) -> None:
    large = subscribe("Case.Created")
    make_backlog(workspace, 100)
    others = [subscribe("Case.Created") for _ in range(2)]
    make_backlog(workspace, 1)
    services.set_online([large.pk, *(row.pk for row in others)], online=False)
    for _ in range(40):  # of the fifty runs that the large one needs by itself
        aside.run()
    assert [states(row) for row in others] == [[State.HELD]] * 2


def test_two_processes_do_not_do_it_at_the_same_time(
    transactional_db: None, workspace: Workspace, subscribe: Subscribe
) -> None:
    row = subscribe("Case.Created")
    make_backlog(workspace, 1)
    turn(row, online=False)
    runs: list[int] = []
    with alone.alone(aside.LOCK):
        in_a_thread(lambda: runs.append(aside.run())).join(60)
    assert (runs, states()) == ([0], [State.PENDING])
    in_a_thread(lambda: runs.append(aside.run())).join(60)
    assert (runs, states()) == ([0, 1], [State.HELD])


def test_what_comes_online_between_two_turns_is_left_alone_and_starts_over_when_it_goes_offline_again(
    workspace: Workspace, subscribe: Subscribe, small: None
) -> None:
    row = subscribe("Case.Created")
    make_backlog(workspace, 3)
    turn(row, online=False)
    turns = aside.turns(row.pk)
    next(turns)
    turn(row, online=True)
    services.retry_deliveries(Delivery.objects.filter(state=State.HELD))
    turn(row, online=False)
    assert list(turns) == []
    assert states() == [State.PENDING] * 3
    while sweep.look().closed_lanes:
        aside.run()
    assert states() == [State.HELD] * 3


def test_in_ordered_mode_what_waits_behind_another_is_held_from_the_end_of_its_case(
    workspace: Workspace, subscribe: Subscribe, small: None
) -> None:
    row = subscribe("Case.Created", "Case.Updated", ordered=True)
    for case in (factories.case(workspace), factories.case(workspace)):
        for name in ("second", "third", "fourth"):
            case.name = name
            case.save()
    build()
    Delivery.objects.exclude(sequence=1).update(state=State.BLOCKED)
    turn(row, online=False)
    while sweep.look().closed_lanes:
        aside.run()
        for case in Case.objects.all():
            held = Delivery.objects.filter(case_id=case.pk).order_by("sequence").values_list("state", flat=True)
            assert sorted(held, key=lambda state: state == State.HELD) == list(held)
    assert states() == [State.HELD] * 8


def test_a_courier_that_slept_past_its_lease_blocks_nothing_that_nobody_would_hold(
    workspace: Workspace, subscribe: Subscribe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aside, "CHUNK", 1)
    row = subscribe("Case.Created", "Case.Updated", ordered=True)
    case = factories.case(workspace)
    case.name = "second"
    case.save()
    build()
    (lease,) = lanes.lease("sleeper", 10)
    found = due.read([due.Want(row.pk, 10, None)])
    Lane.objects.update(leased_until=Now())
    turn(row, online=False)
    turns = aside.turns(row.pk)
    next(turns)
    assert order.sift(found, {row.pk: lease.token}) == []
    list(turns)
    assert states() == [State.HELD] * 2


@pytest.mark.parametrize("queue", [aside.BLOCKED, aside.PENDING], ids=["blocked", "pending"])
def test_a_turn_goes_on_in_an_index_where_the_one_before_stopped(
    workspace: Workspace, subscribe: Subscribe, queue: aside.Queue
) -> None:
    row = subscribe("Case.Created")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO deliveries_delivery (id, workspace_id, subscription_id, event_id, payload_id, event_name, "
            "sub_event, state, reason, due_at, attempts, retries, next_type, created_at, ordered, case_id, sequence) "
            "SELECT deliveries_uuid7(), %s, %s, gen_random_uuid(), gen_random_uuid(), 'Case.Created', '', "
            "n %% 2 * 4, '', now(), 0, 0, 0, now(), true, gen_random_uuid(), n FROM generate_series(1, 5000) AS n",
            [workspace.pk, row.pk],
        )
        cursor.execute("ANALYZE deliveries_delivery")
        cursor.execute("EXPLAIN " + queue.sql, [str(row.pk), *map(str, queue.first), 100])
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "Sort" not in plan
    assert "ROW(" in next(line for line in plan.splitlines() if "Index Cond" in line), plan

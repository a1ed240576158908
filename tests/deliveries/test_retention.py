"""What is old goes, and what goes undelivered is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from deliveries import services, tasks, upkeep
from deliveries.engine import lanes, partitions, retention, retry, settle
from deliveries.engine.partitions import Partition
from deliveries.models import Attempt, Delivery, Event, Expiry, Lane, Notice, Payload, Recovery, Subscription
from workspaces.identifiers import lowest_id, new_id
from workspaces.models import Workspace

from . import aged
from .aged import DAY, DAY_AFTER, LONG_AGO
from .conftest import Subscribe
from .made import outcome_of
from .waiting import a_long_transaction

State = Delivery.State
BEFORE = partitions.first_key(DAY_AFTER)
NOW = LONG_AGO + timedelta(days=settings.RETENTION_DAYS + 1)
"""When DAY is over and old."""


@pytest.fixture
def subscription(subscribe: Subscribe) -> Subscription:
    return subscribe("Case.Created")


def expire(before: UUID = BEFORE) -> list[retention.Expired]:
    return list(retention.expire_deliveries(before))


def drop(before: date) -> list[Partition]:
    """What went."""
    needed = retention.needed_from(retention.oldest_delivery())
    return [row for row in retention.droppable(before, needed) if retention.drop(row)]


def clear_defaults(before: UUID) -> int:
    needed = retention.needed_from(retention.oldest_delivery())
    return sum(retention.remove_strays(table, before, needed) for table in partitions.TABLES)


def told() -> dict[tuple[str, str], int]:
    return {(row.state, row.reason): row.number for row in Expiry.objects.all()}


# --- Deliveries -------------------------------------------------------------------------------------------------------


def test_an_old_delivery_goes_and_a_younger_one_stays(subscription: Subscription) -> None:
    aged.delivery(subscription, state=State.SUCCEEDED)
    kept = aged.delivery(subscription, LONG_AGO + timedelta(days=1), state=State.SUCCEEDED)
    assert [chunk.deliveries for chunk in expire()] == [1]
    assert list(Delivery.objects.all()) == [kept]
    assert told() == {}


def test_what_expires_undelivered_is_counted_by_its_state_and_reason(subscription: Subscription) -> None:
    first = aged.delivery(subscription, state=State.HELD, reason="offline")
    last = aged.delivery(subscription, LONG_AGO + timedelta(hours=2), state=State.HELD, reason="offline")
    aged.delivery(subscription, state=State.FAILED, reason="retries_used_up")
    aged.delivery(subscription, state=State.PENDING)
    aged.delivery(subscription, state=State.BLOCKED, reason="earlier_event")
    aged.delivery(subscription, state=State.SUCCEEDED)
    assert [(chunk.deliveries, chunk.undelivered) for chunk in expire()] == [(6, 5)]
    assert told() == {
        ("held", "offline"): 2,
        ("failed", "retries_used_up"): 1,
        ("pending", ""): 1,
        ("blocked", "earlier_event"): 1,
    }
    row = Expiry.objects.get(state="held")
    assert (row.workspace_id, row.subscription_id) == (subscription.workspace_id, subscription.pk)
    assert (row.oldest, row.newest) == (first.created_at, last.created_at)


def test_a_days_expiries_of_a_subscription_are_one_row(
    subscription: Subscription, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "CHUNK", 2)
    for hour in range(5):
        aged.delivery(subscription, LONG_AGO + timedelta(hours=hour), state=State.FAILED, reason="gone")
    assert [chunk.deliveries for chunk in expire()] == [2, 2, 1]
    row = Expiry.objects.get()
    assert row.number == 5
    assert (row.oldest, row.newest) == (LONG_AGO, LONG_AGO + timedelta(hours=4))


def test_an_expiry_outlives_its_subscription(subscription: Subscription) -> None:
    aged.delivery(subscription, state=State.FAILED, reason="gone")
    expire()
    subscription.delete()
    assert told() == {("failed", "gone"): 1}


def test_a_run_ends_when_its_time_is_over_and_the_next_goes_on(subscription: Subscription) -> None:
    aged.delivery(subscription)
    assert list(retention.expire_deliveries(BEFORE, seconds=0)) == []
    assert len(expire()) == 1


def locked(statement: str, *values: Any) -> AbstractContextManager[None]:
    """Somebody else's transaction holds these rows."""

    def lock() -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement, values)

    return a_long_transaction(lock)


@pytest.mark.django_db(transaction=True)
def test_a_row_that_somebody_has_locked_goes_the_next_time(transactional_db: None, subscription: Subscription) -> None:
    busy, free = aged.delivery(subscription), aged.delivery(subscription)
    with locked("SELECT FROM deliveries_delivery WHERE id = %s FOR UPDATE", busy.pk):
        assert [chunk.deliveries for chunk in expire()] == [1]
        assert not Delivery.objects.filter(pk=free.pk).exists()
    expire()
    assert not Delivery.objects.exists()


@pytest.mark.parametrize("ordered", [False, True])
def test_what_was_just_sent_or_is_due_since_a_moment_goes_the_next_time(
    subscribe: Subscribe, ordered: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    to = subscribe("Case.Created", ordered=ordered)
    fields: dict[str, Any] = {"ordered": ordered, "case_id": new_id()}
    retried = aged.delivery(to, state=State.FAILED, reason="gone", sequence=1, **fields)
    assert services.retry_deliveries([retried.pk])
    sent = aged.delivery(to, state=State.SUCCEEDED, last_attempt_at=upkeep.clock(), sequence=2, **fields)
    asked_to_wait = aged.delivery(to, sequence=3, **fields)
    Delivery.objects.filter(pk=asked_to_wait.pk).update(due_at=upkeep.clock() + timedelta(days=1))
    assert [chunk.deliveries for chunk in expire()] == [1]
    assert set(Delivery.objects.all()) == {retried, sent}
    monkeypatch.setattr(retention, "RECENT", timedelta(0))
    assert [chunk.deliveries for chunk in expire()] == [2]


def test_what_expires_in_flight_leaves_a_late_attempt_and_nothing_else(subscription: Subscription) -> None:
    row = aged.delivery(subscription)
    Lane.objects.update(due_at=LONG_AGO)
    (lease,) = lanes.lease("test", 1)
    expire()
    settle.settle([outcome_of(row, lease.token)], "test")
    assert Attempt.objects.get().late
    assert not Delivery.objects.exists()


# --- Ordered mode -----------------------------------------------------------------------------------------------------


@pytest.fixture
def ordered(subscribe: Subscribe) -> Subscription:
    return subscribe("Case.Created", ordered=True)


def of_case(to: Subscription, *states: tuple[datetime, int]) -> list[Delivery]:
    """The deliveries of one case, in their order."""
    case = new_id()
    return [
        aged.delivery(to, moment, state=state, ordered=True, case_id=case, sequence=n)
        for n, (moment, state) in enumerate(states, 1)
    ]


@pytest.mark.parametrize("state", [State.PENDING, State.HELD, State.BLOCKED])
def test_the_next_event_of_the_case_goes_on(ordered: Subscription, state: int) -> None:
    later = LONG_AGO + timedelta(days=1)
    _, second, third = of_case(ordered, (LONG_AGO, state), (later, State.BLOCKED), (later, State.BLOCKED))
    Lane.objects.update(due_at=None)
    assert [chunk.unblocked for chunk in expire()] == [1]
    second.refresh_from_db()
    third.refresh_from_db()
    assert (second.state, third.state) == (State.PENDING, State.BLOCKED)
    assert Lane.objects.get().due_at is not None


def test_what_was_resolved_holds_nobody_back_so_nobody_is_woken(ordered: Subscription) -> None:
    of_case(ordered, (LONG_AGO, State.SUCCEEDED), (LONG_AGO, State.FAILED))
    Lane.objects.update(due_at=None)
    assert [chunk.unblocked for chunk in expire()] == [0]
    assert Lane.objects.get().due_at is None


@pytest.mark.django_db(transaction=True)
def test_while_somebody_has_the_lane_its_ordered_deliveries_stay(transactional_db: None, ordered: Subscription) -> None:
    of_case(ordered, (LONG_AGO, State.PENDING), (LONG_AGO, State.SUCCEEDED))
    with locked("SELECT FROM deliveries_lane FOR UPDATE"):
        assert [chunk.deliveries for chunk in expire()] == [1]
    assert [chunk.deliveries for chunk in expire()] == [1]


# --- Partitions -------------------------------------------------------------------------------------------------------


def test_a_day_stays_as_long_as_a_delivery_may_need_it(
    subscription: Subscription, caplog: pytest.LogCaptureFixture
) -> None:
    with aged.partitions_of(DAY, DAY_AFTER):
        row = aged.delivery(subscription)
        assert drop(DAY_AFTER) == []
        assert "deliveries of that day are still there" in caplog.text
        row.delete()
        assert {gone.name for gone in drop(DAY_AFTER)} == {f"{table}_20200228" for table in partitions.TABLES}
        assert not Payload.objects.exists()


def test_events_that_were_never_built_are_told_of_when_their_day_goes(
    workspace: Workspace, caplog: pytest.LogCaptureFixture
) -> None:
    with aged.partitions_of(DAY):
        aged.event(workspace, state=Event.State.WAITING)
        aged.event(workspace, state=Event.State.FAILED)
        aged.event(workspace, state=Event.State.BUILT)
        drop(DAY_AFTER)
        assert told() == {("unbuilt", ""): 1, ("unbuildable", ""): 1}
        assert Expiry.objects.filter(workspace=workspace, subscription=None).count() == 2
        assert "events that were never built" in caplog.text


def test_a_partition_that_was_detached_and_left_is_dropped(db: None) -> None:
    row = partitions.of_day("deliveries_event", DAY)
    with aged.partitions_of(DAY), connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE deliveries_event DETACH PARTITION {row.name}")
        assert f"dropped {row.name}" in list(upkeep.run(NOW))
        assert partitions.detached("deliveries_event") == []


def test_old_rows_of_the_default_partitions_go_too(subscription: Subscription) -> None:
    aged.attempt(aged.delivery(subscription))
    aged.event(subscription.workspace, state=Event.State.WAITING)
    kept = aged.event(subscription.workspace, LONG_AGO + timedelta(days=1))
    assert clear_defaults(BEFORE) == 0  # a delivery needs them
    assert Payload.objects.exists()
    Delivery.objects.all().delete()
    assert clear_defaults(BEFORE) == 4
    assert list(Event.objects.all()) == [kept]
    assert not Attempt.objects.exists()
    assert not Payload.objects.exists()
    assert told() == {("unbuilt", ""): 1}


# --- The chore --------------------------------------------------------------------------------------------------------


def test_a_run_makes_room_ahead_and_removes_all_that_is_old(
    subscription: Subscription, caplog: pytest.LogCaptureFixture
) -> None:
    with aged.partitions_of(DAY):
        aged.attempt(aged.delivery(subscription, state=State.HELD, reason="offline"))
        lines = list(upkeep.run(NOW))
        assert "removed 1 deliveries, 1 of them undelivered" in lines
        assert "dropped deliveries_event_20200228" in lines
        ahead = NOW + timedelta(days=settings.PARTITIONS_AHEAD)
        assert f"made deliveries_event_{ahead:%Y%m%d}" in lines
        assert "1 deliveries expired undelivered" in caplog.text
        assert not any(model.objects.exists() for model in (Event, Payload, Delivery, Attempt))
        assert list(upkeep.run(NOW)) == []


def test_nothing_is_missed_after_days_without_a_run(subscription: Subscription) -> None:
    days = [DAY, DAY_AFTER, DAY_AFTER + timedelta(days=1)]
    with aged.partitions_of(*days):
        for number in range(3):
            aged.attempt(aged.delivery(subscription, LONG_AGO + timedelta(days=number)))
        list(upkeep.run(NOW + timedelta(days=40)))
        assert not any(model.objects.exists() for model in (Event, Payload, Delivery, Attempt))


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_goes_home(transactional_db: None) -> None:
    with locked("SELECT pg_advisory_xact_lock(%s)", upkeep.LOCK):
        with pytest.raises(upkeep.Busy):
            list(upkeep.run(NOW))
        with pytest.raises(CommandError, match="Another process is at it"):
            call_command("upkeep")
        upkeep.run_and_log()


def test_notices_that_were_sent_and_recoveries_that_ended_go_too(subscription: Subscription) -> None:
    job = {"workspace_id": subscription.workspace_id, "subscription": subscription, "rate": 1}
    job |= {"since": LONG_AGO, "until": LONG_AGO}
    Recovery.objects.create(**job, state="done", finished_at=LONG_AGO)
    running = Recovery.objects.create(**job)
    Notice.objects.create(subscription=subscription, reason="old")
    unsent = Notice.objects.create(subscription=subscription, reason="unsent")
    Notice.objects.update(created_at=LONG_AGO)
    Notice.objects.exclude(pk=unsent.pk).update(try_at=None)
    list(upkeep.run(NOW))
    assert list(Recovery.objects.all()) == [running]
    assert list(Notice.objects.all()) == [unsent]


def test_the_command_says_what_it_does_and_what_it_would_do(
    subscription: Subscription, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "clock", lambda: NOW)

    def said(*arguments: str) -> str:
        out = StringIO()
        call_command("upkeep", *arguments, stdout=out)
        return out.getvalue()

    with aged.partitions_of(DAY):
        aged.delivery(subscription, state=State.FAILED, reason="gone")
        plan = said("--dry-run")
        assert "would remove 1 deliveries" in plan
        assert "undelivered: 1 failed gone" in plan
        assert "would drop deliveries_event_20200228" in plan
        assert Delivery.objects.exists()
        assert "deliveries_event_20200228" in aged.names("deliveries_event")
        assert "dropped deliveries_event_20200228" in said()
        assert not Delivery.objects.exists()


def test_a_plan_names_all_that_would_go_and_nothing_that_stays(subscription: Subscription) -> None:
    left = partitions.of_day("deliveries_event", DAY_AFTER)
    aged.event(subscription.workspace, LONG_AGO - timedelta(days=1))
    with aged.partitions_of(DAY, DAY_AFTER), connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE deliveries_event DETACH PARTITION {left.name}")
        old = aged.delivery(subscription, state=State.FAILED, reason="gone")
        Notice.objects.create(subscription=subscription, reason="old", try_at=None)
        Notice.objects.update(created_at=LONG_AGO)
        now = NOW + timedelta(days=1)
        plan = "\n".join(upkeep.plan(now))
        assert "would remove 1 old rows from deliveries_event_default" in plan
        assert f"would drop {left.name}, " in plan
        assert "would drop deliveries_payload_20200228" in plan
        assert "would remove 1 notices and 0 recoveries" in plan
        Delivery.objects.filter(pk=old.pk).update(due_at=upkeep.clock())
        plan = "\n".join(upkeep.plan(now))
        assert "would remove 0 deliveries" in plan
        assert "deliveries_payload_20200228" not in plan


@pytest.fixture
def view(db: None) -> Iterator[None]:
    """Of somebody's, on a partition that is about to go."""
    with aged.partitions_of(DAY), connection.cursor() as cursor:
        cursor.execute("CREATE VIEW somebodys AS SELECT id FROM deliveries_attempt_20200228")
        yield
        cursor.execute("DROP VIEW somebodys")


def test_a_step_that_fails_stops_no_other_and_is_told(
    subscription: Subscription, view: None, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "clock", lambda: NOW)
    aged.event(subscription.workspace, LONG_AGO - timedelta(days=1))
    failure = "to drop deliveries_attempt_20200228 failed: DependentObjectsStillExist"
    with pytest.raises(CommandError, match=failure):
        call_command("upkeep", stdout=StringIO())
    assert {f"{table}_20200228" for table in partitions.TABLES}.isdisjoint(
        name for table in partitions.TABLES for name in aged.names(table)
    )
    assert not Event.objects.exists()
    upkeep.run_and_log()
    assert [row.getMessage() for row in caplog.records if row.levelname == "ERROR"] == [f"upkeep: {failure}"]


def test_when_a_partition_cannot_be_made_what_is_old_goes_all_the_same(
    subscription: Subscription, monkeypatch: pytest.MonkeyPatch
) -> None:
    aged.delivery(subscription)
    monkeypatch.setitem(partitions.STORAGE, "deliveries_payload", "no_such_parameter = 1")
    with pytest.raises(upkeep.Unfinished, match=r"to make deliveries_payload_2020\d+ failed: InvalidParameterValue"):
        list(upkeep.run(NOW))
    assert not Delivery.objects.exists()
    assert f"deliveries_event_{NOW:%Y%m%d}" in aged.names("deliveries_event")


def test_beat_asks_for_it_by_the_clock_among_the_chores() -> None:
    entry = settings.CELERY_BEAT_SCHEDULE["upkeep"]
    assert entry["task"] == tasks.keep_up.name
    assert tasks.keep_up.app.amqp.router.route({}, entry["task"])["queue"].name == "chores"
    assert str(entry["schedule"]).startswith("<crontab: 17 * * * *")


def test_a_delivery_is_kept_for_longer_than_it_is_retried() -> None:
    seconds = sum(retry.delay(number, retry.JITTER, None) for number in range(20))
    assert timedelta(seconds=seconds) < timedelta(days=7)


def test_keys_of_the_database_and_of_python_are_compared_alike(db: None) -> None:
    now = upkeep.clock()
    with connection.cursor() as cursor:
        cursor.execute("SELECT deliveries_uuid7()")
        key = cursor.fetchone()[0]
    assert lowest_id(now - timedelta(seconds=1)) < key < lowest_id(now + timedelta(hours=1))
    assert now.tzinfo is UTC

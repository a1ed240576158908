"""Events, payloads and attempts by day: made ahead, dropped when old, and in nobody's way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from deliveries.engine import partitions
from deliveries.engine.partitions import Partition
from deliveries.models import Attempt, Event, Subscription
from tests import factories
from workspaces.identifiers import lowest_id, made_at, new_id
from workspaces.models import Workspace

from . import aged
from .aged import DAY, DAY_AFTER
from .conftest import Deliver, Subscribe
from .receiver import Receiver
from .waiting import a_long_transaction

EVENTS = "deliveries_event"


@pytest.fixture
def subscription(subscribe: Subscribe) -> Subscription:
    return subscribe("Case.Created")


def sql(statement: str, *values: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


PROOFS = "SELECT convalidated FROM pg_constraint WHERE conrelid = %s::regclass AND conname = %s"


@pytest.fixture
def today(transactional_db: None) -> Iterator[Partition]:
    """As if nobody had made it."""
    day = sql("SELECT (clock_timestamp() AT TIME ZONE 'UTC')::date")[0][0]
    (row,) = (row for row in partitions.attached(EVENTS) if row.covers(day))
    assert partitions.drop(row)
    yield row
    Event.objects.all().delete()
    if row not in partitions.attached(EVENTS):
        assert partitions.make(row)


def keep_ahead(today: date, days: int) -> list[Partition]:
    return [row for row in partitions.missing(today, days) if partitions.make(row)]


# --- Days and names ---------------------------------------------------------------------------------------------------


def test_a_day_is_a_range_of_keys() -> None:
    begin, end = partitions.first_key(DAY), partitions.first_key(DAY_AFTER)
    assert begin < aged.key(datetime(2020, 2, 28, tzinfo=UTC))
    assert aged.key(datetime(2020, 2, 28, 23, 59, 59, 999_000, tzinfo=UTC)) < end
    assert made_at(end) == datetime(2020, 2, 29, tzinfo=UTC)


def test_a_key_says_when_it_was_made() -> None:
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    key = new_id()
    assert before <= made_at(key) <= datetime.now(UTC)
    assert lowest_id(before) < key < lowest_id(datetime.now(UTC) + timedelta(milliseconds=1))


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ("DEFAULT", None),
        (
            f"FOR VALUES FROM ('{partitions.first_key(DAY)}') TO ('{partitions.first_key(DAY_AFTER)}')",
            Partition(EVENTS, "name", DAY, DAY_AFTER),
        ),
        (
            f"FOR VALUES FROM (MINVALUE) TO ('{partitions.first_key(DAY)}')",
            Partition(EVENTS, "name", date.min, DAY),
        ),
    ],
)
def test_bounds_are_read_in_postgresqls_words(bounds: str, expected: Partition | None) -> None:
    assert partitions.parse(EVENTS, "name", bounds) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("deliveries_event_20200228", (DAY, DAY_AFTER)),
        ("deliveries_event_before_20200228", (date.min, DAY)),
        ("deliveries_event_default", None),
        ("deliveries_event_20200228_keep", None),
        ("deliveries_eventual_20200228", None),
    ],
)
def test_what_was_left_over_is_known_by_its_name(name: str, expected: tuple[date, date] | None) -> None:
    found = partitions.left_over(EVENTS, name)
    assert (found and (found.begin, found.end)) == expected


# --- Made ahead -------------------------------------------------------------------------------------------------------


def test_a_row_lands_in_the_partition_of_its_day(subscription: Subscription) -> None:
    with aged.partitions_of(DAY, DAY_AFTER):
        row = aged.attempt(aged.delivery(subscription))
        later = aged.event(subscription.workspace, aged.LONG_AGO + timedelta(days=1))
        assert aged.partition_of(row) == "deliveries_attempt_20200228"
        assert aged.partition_of(later) == "deliveries_event_20200229"


def test_a_row_outside_every_partition_is_saved_all_the_same(workspace: Workspace) -> None:
    for row in partitions.attached(EVENTS):
        partitions.drop(row)
    factories.case(workspace)
    assert aged.partition_of(Event.objects.get()) == "deliveries_event_default"


def test_missing_days_are_made_with_all_that_the_table_has(db: None) -> None:
    made = keep_ahead(DAY, 2)
    assert {row.name for row in made} == {
        f"{table}_{day}" for table in partitions.TABLES for day in ("20200228", "20200229", "20200301")
    }
    assert keep_ahead(DAY, 2) == []
    assert [row.name for row in keep_ahead(DAY, 3) if row.table == EVENTS] == ["deliveries_event_20200302"]
    indexes = "SELECT count(*) FROM pg_index JOIN pg_inherits ON inhrelid = indexrelid WHERE indrelid = %s::regclass"
    assert sql(indexes, "deliveries_event_20200229") == [(len(Event._meta.indexes) + 1,)]
    options = dict(sql("SELECT relname, reloptions FROM pg_class WHERE relname LIKE 'deliveries%%_20200229'"))
    assert "autovacuum_vacuum_scale_factor=0.02" in options["deliveries_event_20200229"]
    assert options["deliveries_attempt_20200229"] == ["autovacuum_vacuum_insert_threshold=-1"]


def test_a_day_with_rows_in_the_default_partition_keeps_them_there(
    workspace: Workspace, caplog: pytest.LogCaptureFixture
) -> None:
    row = aged.event(workspace)
    made = {row.name for row in keep_ahead(DAY, 1) if row.table == EVENTS}
    assert made == {"deliveries_event_20200229"}
    assert "deliveries_event_20200228 was not made" in caplog.text
    assert aged.partition_of(row) == "deliveries_event_default"


@contextmanager
def scans_avoided() -> Iterator[list[str]]:
    """What PostgreSQL says of those."""
    found: list[str] = []
    sql("SET client_min_messages = debug1")
    try:
        yield found
    finally:
        found += [line for line in connection.connection.notices if "is implied by existing constraints" in line]
        sql("RESET client_min_messages")


@pytest.mark.django_db(transaction=True)
def test_a_default_partition_with_rows_is_not_looked_through_behind_a_lock(
    transactional_db: None, workspace: Workspace
) -> None:
    aged.event(workspace, aged.LONG_AGO - timedelta(days=1))
    row = partitions.of_day(EVENTS, DAY)
    try:
        with scans_avoided() as avoided:
            assert partitions.make(row)
        assert avoided
        assert sql(PROOFS, f"{EVENTS}_default", partitions.PROOF) == []
    finally:
        partitions.drop(row)


@pytest.mark.django_db(transaction=True)
def test_no_check_refuses_what_comes_today(today: Partition, workspace: Workspace) -> None:
    aged.event(workspace)
    with scans_avoided() as avoided:
        assert partitions.make(today)
    assert not avoided


@pytest.mark.django_db(transaction=True)
def test_a_day_whose_rows_are_in_the_default_partition_is_not_even_tried(
    today: Partition, workspace: Workspace, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.case(workspace)
    with monkeypatch.context() as patch:
        patch.setattr(partitions, "STORAGE", {})  # to make anything would raise KeyError
        assert not partitions.make(today)
    assert f"{today.name} was not made: the default partition has rows of that day" in caplog.text


def test_what_a_run_left_behind_that_was_cut_off_refuses_no_row(workspace: Workspace) -> None:
    sql(f"ALTER TABLE {EVENTS}_default ADD CONSTRAINT {partitions.PROOF} CHECK (id < %s) NOT VALID", str(aged.key()))
    assert partitions.make(partitions.of_day(EVENTS, DAY))
    row = aged.event(workspace, aged.LONG_AGO + timedelta(days=1))
    assert aged.partition_of(row) == f"{EVENTS}_default"


def test_a_courier_with_kept_plans_goes_on_when_days_come_and_go(
    subscription: Subscription, deliver: Deliver, receiver: Receiver
) -> None:
    def send() -> None:
        factories.case(subscription.workspace)
        deliver()

    for _ in range(7):  # from the sixth time on PostgreSQL keeps one plan for all
        send()
    keep_ahead(DAY, 0)
    send()
    for table in partitions.TABLES:
        assert partitions.drop(partitions.of_day(table, DAY))
    send()
    assert len(receiver.posts) == 9


# --- Dropped ----------------------------------------------------------------------------------------------------------


def test_a_partition_goes_with_its_rows(subscription: Subscription) -> None:
    with aged.partitions_of(DAY, DAY_AFTER):
        old, new = aged.event(subscription.workspace), aged.event(subscription.workspace, aged.LONG_AGO + timedelta(1))
        assert partitions.drop(partitions.of_day(EVENTS, DAY))
        assert not Event.objects.filter(pk=old.pk).exists()
        assert Event.objects.filter(pk=new.pk).exists()
        assert "deliveries_event_20200228" not in aged.names(EVENTS)


def test_what_was_detached_and_not_dropped_is_found(db: None) -> None:
    row = partitions.of_day(EVENTS, DAY)
    with aged.partitions_of(DAY):
        sql(f"ALTER TABLE {EVENTS} DETACH PARTITION {row.name}")
        assert partitions.detached(EVENTS) == [row]
        assert partitions.drop_detached(row)
        assert partitions.detached(EVENTS) == []


@pytest.mark.django_db(transaction=True)
def test_somebody_who_reads_for_long_is_not_waited_for(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(partitions, "PAUSE", 0.01)
    row = partitions.of_day(EVENTS, DAY)
    with aged.partitions_of(DAY):
        with a_long_transaction(lambda: sql(f"SELECT count(*) FROM {EVENTS}")), monkeypatch.context() as hasty:
            hasty.setattr(partitions, "LOCK_TIMEOUT", "200ms")
            assert not partitions.drop(row)
            assert "deliveries_event_20200228 is still there: somebody uses the table" in caplog.text
            factories.case()  # writers go on beside the reader
            assert row.name in aged.names(EVENTS)
        assert partitions.drop(row)


@pytest.mark.django_db(transaction=True)
def test_a_day_is_made_beside_a_long_transaction_that_records_events(transactional_db: None) -> None:
    row = partitions.of_day(EVENTS, DAY)
    with a_long_transaction(factories.case):
        assert partitions.make(row)
    assert partitions.drop(row)


@pytest.mark.django_db(transaction=True)
def test_to_make_a_day_nobody_is_waited_for_either(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partitions, "PAUSE", 0.01)
    monkeypatch.setattr(partitions, "SCAN_TIMEOUT", "0")
    row = partitions.of_day(EVENTS, DAY)
    with a_long_transaction(lambda: sql(f"SELECT count(*) FROM {EVENTS}")), monkeypatch.context() as hasty:
        hasty.setattr(partitions, "LOCK_TIMEOUT", "200ms")
        assert not partitions.make(row)
    assert partitions.make(row)
    assert partitions.drop(row)


# --- Read -------------------------------------------------------------------------------------------------------------


def test_attempts_are_looked_for_in_the_days_since_their_delivery_only(subscription: Subscription) -> None:
    with aged.partitions_of(DAY - timedelta(days=2), DAY, DAY_AFTER):
        row = aged.delivery(subscription)
        made = aged.attempt(row)
        found = Attempt.objects.of([row.pk])
        assert list(found) == [made]
        plan = found.explain()
        assert "deliveries_attempt_20200226" not in plan
        assert "deliveries_attempt_20200229" in plan


def test_an_attempt_is_found_though_the_clock_was_set_back_a_little(subscription: Subscription) -> None:
    row = aged.delivery(subscription)
    made = aged.attempt(row, aged.LONG_AGO - timedelta(minutes=1))
    assert list(Attempt.objects.of([row.pk])) == [made]
    assert list(Attempt.objects.of([])) == []

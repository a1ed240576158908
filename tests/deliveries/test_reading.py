"""What a courier reads ahead: bounded in number and in bytes, on from where it ended, and nothing is passed over."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cases.models import Case
from deliveries import tasks
from deliveries.engine import fanout, hand
from deliveries.engine.hand import Hand
from deliveries.engine.held import HeldLane
from deliveries.models import Delivery, Event, Lane, Payload
from tests import factories
from workspaces.identifiers import lowest_id, made_at
from workspaces.models import Workspace

from .conftest import Deliver, Subscribe
from .receiver import Receiver


def make_deliveries(workspace: Workspace, count: int, **fields: Any) -> None:
    Case.objects.bulk_create([Case(workspace=workspace, name=f"case {n}", **fields) for n in range(count)])
    while fanout.fan_out(tasks.DOMAIN):
        pass


@pytest.fixture
def held(db: None) -> Hand:
    return Hand("test")


def only_lane(held: Hand) -> HeldLane:
    (lane,) = held.lanes.values()
    return lane


def sent(lane: HeldLane, count: int) -> None:
    """As if so many were started and settled."""
    ids = [lane.take_next(0.0).due.id for _ in range(count)]
    lane.in_flight -= count
    Delivery.objects.filter(pk__in=ids).update(state=Delivery.State.SUCCEEDED)


def test_a_read_goes_on_where_the_last_one_ended(
    workspace: Workspace, subscribe: Subscribe, held: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hand, "READ_AHEAD", 10)
    subscribe("Case.Created")
    make_deliveries(workspace, 25)
    held.lease(1)
    seen: list[str] = []
    while not only_lane(held).exhausted:
        held.read()
        lane = only_lane(held)
        assert len(lane.waiting) <= 10
        seen += [ready.due.id for ready in lane.waiting]
        assert lane.since is None or lane.since == lane.waiting[-1].due.due_at
        sent(lane, len(lane.waiting))
    assert seen == [str(key) for key in Delivery.objects.order_by("due_at", "id").values_list("pk", flat=True)]


@pytest.fixture
def late(workspace: Workspace, subscribe: Subscribe) -> Delivery:
    """Due before all others, and not committed yet: a transaction that takes its time."""
    subscribe("Case.Created")
    make_deliveries(workspace, 20)
    first = Delivery.objects.order_by("due_at")[0]
    Delivery.objects.filter(pk=first.pk).update(state=Delivery.State.HELD)
    return first


def test_what_is_committed_late_with_an_earlier_due_time_is_found_at_the_next_look(held: Hand, late: Delivery) -> None:
    held.lease(1)
    held.read()
    sent(only_lane(held), 18)
    Delivery.objects.filter(pk=late.pk).update(state=Delivery.State.PENDING)
    held.look_again()
    held.read()
    assert str(late.pk) in [ready.due.id for ready in only_lane(held).waiting]


def test_behind_a_backlog_it_is_found_within_a_second(
    held: Hand, late: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hand, "TEND", 0.0)
    monkeypatch.setattr(hand, "READ_AHEAD", 8)
    held.lease(1)
    held.read()
    sent(only_lane(held), 8)
    Delivery.objects.filter(pk=late.pk).update(state=Delivery.State.PENDING)
    held.tend()
    held.read()
    assert str(late.pk) in [ready.due.id for ready in only_lane(held).waiting]


def test_a_lane_that_is_leased_again_while_it_is_in_hand_loses_nothing(held: Hand, late: Delivery) -> None:
    """Its lease ended unseen, as after a stop of the process."""
    held.lease(1)
    held.read()
    Lane.objects.update(leased_until="2020-01-01T00:00Z", due_at="2020-01-01T00:00Z")
    held.lease(1)
    held.read()
    assert len(only_lane(held).waiting) == 19


def test_what_is_in_hand_is_not_read_twice_and_hides_nothing_behind_it(
    workspace: Workspace, subscribe: Subscribe, held: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hand, "READ_AHEAD", 8)
    subscribe("Case.Created")
    make_deliveries(workspace, 12)
    Delivery.objects.update(due_at=F("created_at") - timedelta(minutes=1))
    held.lease(1)
    held.read()
    lane = only_lane(held)
    flying = [lane.take_next(0.0).due.id for _ in range(7)]
    lane.since = None
    held.read()
    found = [ready.due.id for ready in lane.waiting]
    assert len(found) == 5
    assert len({*found, *flying}) == 12


def test_what_waits_in_memory_is_bounded_in_bytes(
    workspace: Workspace,
    subscribe: Subscribe,
    held: Hand,
    deliver: Deliver,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hand, "AHEAD_BYTES", 40_000)
    subscribe("Case.Created")
    make_deliveries(workspace, 20, metadata={"long": "x" * 7_500, "more": "x" * 7_500})
    held.lease(1)
    held.read()
    assert len(only_lane(held).waiting) == 3
    assert not only_lane(held).exhausted
    held.close_all()
    held.give_back(0.0)
    deliver()
    assert len(receiver.posts) == 20


def test_a_payload_larger_than_all_of_it_is_sent_all_the_same(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hand, "AHEAD_BYTES", 10)
    subscribe("Case.Created")
    make_deliveries(workspace, 3)
    deliver()
    assert len(receiver.posts) == 3


def test_an_event_for_many_is_fetched_once(workspace: Workspace, subscribe: Subscribe, held: Hand) -> None:
    for number in range(5):
        subscribe("Case.Created", path=f"/{number}")
    make_deliveries(workspace, 4)
    held.lease(10)
    with CaptureQueriesContext(connection) as captured:
        held.read()
    assert sum(len(lane.waiting) for lane in held.lanes.values()) == 20
    fetched = [query["sql"] for query in captured if "EXECUTE read_payloads" in query["sql"]]
    assert len(fetched) == 1
    assert fetched[0].count(",") == 4  # four keys, and the room


def test_a_delivery_whose_payload_is_no_longer_kept_fails_visibly(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> None:
    subscribe("Case.Created")
    make_deliveries(workspace, 2)
    gone = Delivery.objects.order_by("due_at")[0]
    Payload.objects.filter(pk=gone.payload_id).delete()
    deliver()
    assert len(receiver.posts) == 1
    gone.refresh_from_db()
    assert (gone.state, gone.reason, gone.attempts) == (Delivery.State.FAILED, "expired", 0)


def test_in_ordered_mode_the_next_of_the_case_goes_on_when_a_payload_is_no_longer_kept(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> None:
    subscribe("Case.Created", "Case.Updated", ordered=True)
    case = factories.case(workspace, name="first")
    case.name = "second"
    case.save()
    while fanout.fan_out(tasks.DOMAIN):
        pass
    Payload.objects.filter(pk=Delivery.objects.get(sequence=1).payload_id).delete()
    deliver()
    assert [post.content["context"]["sequence"] for post in receiver.posts] == [2]


def test_a_payload_is_as_old_as_its_deliveries_however_old_its_event_is(
    workspace: Workspace, subscribe: Subscribe
) -> None:
    """What is old is removed by its key: an event that was built late would lose what it says first."""
    subscribe("Case.Created")
    case = factories.case(workspace)
    long_ago = lowest_id(timezone.now() - timedelta(days=5))
    Event.objects.filter(case_id=case.pk).update(id=long_ago)
    fanout.fan_out(tasks.DOMAIN)
    delivery = Delivery.objects.get()
    assert delivery.event_id == long_ago
    assert made_at(delivery.pk) - made_at(delivery.payload_id) < timedelta(minutes=1)
    assert Payload.objects.get().pk == delivery.payload_id

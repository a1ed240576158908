"""Backlogs that programs make."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from bench import building, draining, world
from deliveries.engine.envelope import Counters, Parts, body
from deliveries.models import Delivery, Event, Payload, Subscription


@pytest.fixture
def three() -> list[Subscription]:
    of = world.workspace("bench")
    return [world.subscribe(of, f"https://example.com/{number}") for number in range(3)]


@pytest.mark.django_db
def test_a_backlog_is_spread_evenly_and_each_delivery_has_an_event_of_its_own(three: list[Subscription]) -> None:
    world.build_up(three, 7)
    assert [row.deliveries.count() for row in three] == [3, 2, 2]
    assert Event.objects.filter(state=Event.State.BUILT).count() == Payload.objects.count() == 7
    assert Delivery.objects.values("event_id", "payload_id").distinct().count() == 7


@pytest.mark.django_db
def test_a_body_of_a_backlog_is_as_long_as_is_said(three: list[Subscription]) -> None:
    world.build_up(three[:1], 1)
    row = Delivery.objects.select_related("payload").get()
    parts = Parts(row.payload.context, row.payload.entity)
    assert 1400 < len(body(row.event_name, "", str(row.event_id), Counters(0, 0, 18), parts)) < 1600


@pytest.mark.django_db
def test_clearing_leaves_subscriptions_and_nothing_that_waits(three: list[Subscription]) -> None:
    world.build_up(three, 3)
    world.make_due(*three)
    world.clear()
    assert not Delivery.objects.exists()
    assert not Event.objects.exists()
    assert Subscription.objects.filter(lane__due_at=None).count() == 3


@pytest.mark.django_db
def test_a_fan_out_that_left_something_out_is_void(three: list[Subscription]) -> None:
    world.build_up(three[:1], 2)
    assert building.problems(2, 1) == []
    Delivery.objects.latest("id").delete()
    assert building.problems(2, 1) == ["1 events with deliveries, not 2", "1 deliveries, not 2"]
    Event.objects.update(state=Event.State.FAILED)
    assert "0 built, not 2" in building.problems(2, 1)


def test_a_key_tells_when_its_row_was_written() -> None:
    key = UUID("017f22e2-79b0-7cc3-98c4-dc0c0c07398f")  # of RFC 9562
    assert draining.moment(key) == datetime(2022, 2, 22, 19, 22, 22, tzinfo=UTC).timestamp()

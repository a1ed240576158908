"""A receiver that fails for long takes its subscription offline, unless it is promoted."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from cases.models import Case
from deliveries import services
from deliveries.engine import health
from deliveries.models import Attempt, Delivery, Lane, Subscription
from tests import factories
from workspaces.models import Workspace

from .conftest import AtWork, Deliver, Subscribe
from .receiver import Answer, Receiver
from .waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def workspace(transactional_db: None) -> Workspace:
    return factories.workspace()


@pytest.fixture
def subscription(subscribe: Subscribe, receiver: Receiver, settings: Any) -> Subscription:
    """All its events fail. The breaker is not in the way: what is tested is what comes after many of its probes."""
    settings.BREAKER_FAILURES = settings.BREAKER_ATTEMPTS = 1000
    receiver.answer = lambda post: Answer(503)
    return subscribe("Case.Created", max_retries=0)


@pytest.fixture
def told() -> Any:
    """The subscriptions that were told to have gone offline."""
    rows: list[Subscription] = []

    def note(sender: object, instance: Subscription, **kwargs: object) -> None:
        rows.append(instance)

    health.went_offline.connect(note)
    yield rows
    health.went_offline.disconnect(note)


def make_cases(workspace: Workspace, count: int) -> None:
    Case.objects.bulk_create([Case(workspace=workspace, name=f"case {n}") for n in range(count)])


def test_after_fifty_failures_it_goes_offline_and_says_why(
    workspace: Workspace, subscription: Subscription, deliver: Deliver, told: list[Subscription]
) -> None:
    make_cases(workspace, 49)
    deliver()
    subscription.refresh_from_db()
    assert subscription.is_online
    make_cases(workspace, 1)
    deliver()
    subscription.refresh_from_db()
    assert (subscription.status, subscription.offline_reason) == (
        Subscription.Status.OFFLINE,
        "50 of 50 attempts in 24 hours failed.",
    )
    assert [row.pk for row in told] == [subscription.pk]


def test_as_many_successes_keep_it_online(
    workspace: Workspace, subscription: Subscription, receiver: Receiver, deliver: Deliver
) -> None:
    receiver.answer = lambda post: Answer()
    make_cases(workspace, 60)
    deliver()
    receiver.answer = lambda post: Answer(503)
    make_cases(workspace, 60)
    deliver()
    assert Subscription.objects.get().is_online


def test_a_promoted_one_stays_online_and_relies_on_its_breaker(
    workspace: Workspace, subscription: Subscription, deliver: Deliver, told: list[Subscription], settings: Any
) -> None:
    subscription.promoted = True
    subscription.save()
    make_cases(workspace, 60)
    deliver()
    assert Subscription.objects.get().is_online
    assert told == []
    settings.BREAKER_FAILURES = 10
    make_cases(workspace, 1)
    deliver()
    assert Lane.objects.get().resume_at is not None


def test_one_promoted_at_the_last_moment_stays_online(subscription: Subscription) -> None:
    subscription.promoted = True
    subscription.save()
    assert not health.go_offline(subscription.pk, "50 of 50 attempts in 24 hours failed.")
    assert health.go_offline(subscription.pk, health.GONE)


def test_what_came_meanwhile_is_held_and_coming_online_forgives(
    workspace: Workspace, subscription: Subscription, receiver: Receiver, deliver: Deliver
) -> None:
    make_cases(workspace, 50)
    deliver()
    make_cases(workspace, 5)
    deliver()
    assert Delivery.objects.filter(state=Delivery.State.HELD, reason="offline").count() == 5
    services.set_online([subscription.pk], online=True)
    assert Lane.objects.get().health == {"forgiven": 1}
    make_cases(workspace, 1)
    deliver()
    assert Subscription.objects.get().is_online  # one more failure is one, not the fifty-first


def test_failures_that_a_lease_saw_count_under_the_next(
    workspace: Workspace, subscription: Subscription, deliver: Deliver
) -> None:
    for _ in range(5):
        make_cases(workspace, 10)
        deliver()
    assert not Subscription.objects.get().is_online


def test_after_410_nothing_more_is_sent(
    workspace: Workspace, subscribe: Subscribe, receiver: Receiver, at_work: AtWork
) -> None:
    receiver.answer = lambda post: Answer(410 if len(receiver.posts) == 5 else 200)
    subscribe("Case.Created", max_in_flight=1)
    make_cases(workspace, 50)
    with at_work():
        wait_until(lambda: not Lane.objects.get().open and not Lane.objects.get().holder)
    assert len(receiver.posts) == 5


def test_failures_from_before_it_came_online_count_no_more_though_they_come_later(
    workspace: Workspace, subscription: Subscription, receiver: Receiver, at_work: AtWork, settings: Any
) -> None:
    settings.OFFLINE_AFTER_FAILURES = 5
    release = threading.Event()
    receiver.answer = lambda post: Answer(503, after=release if len(receiver.posts) == 2 else None)
    make_cases(workspace, 6)
    with at_work():
        wait_until(lambda: not Subscription.objects.get().is_online)
        services.set_online([subscription.pk], online=True)  # while one request hangs
        release.set()
        wait_until(lambda: Attempt.objects.count() == 6 and not Lane.objects.get().holder)
        assert Subscription.objects.get().is_online
        assert Lane.objects.get().health.get("in_a_row", 0) == 0

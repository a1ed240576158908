"""Ordered mode: the events of a case arrive in their order, and other cases do not wait."""

from __future__ import annotations

import threading
from collections import defaultdict
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from cases.models import Case
from deliveries import services, tasks
from deliveries.engine import aside, due, fanout, health, lanes, order, recovering, settle
from deliveries.models import Attempt, Delivery, Event, Lane, Subscription
from dotfile_hooks.dev.recording import Post
from tests import factories
from workspaces.models import Workspace

from .conftest import AtWork, Deliver, Subscribe
from .made import outcome_of, report
from .receiver import Answer, Receiver
from .waiting import in_a_thread, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

State = Delivery.State


@pytest.fixture
def workspace(transactional_db: None) -> Workspace:
    return factories.workspace()


@pytest.fixture
def subscription(subscribe: Subscribe) -> Subscription:
    return subscribe("Case.Created", "Case.Updated", ordered=True)


def rename(case: Case, *names: str) -> None:
    for name in names:
        case.name = name
        case.save()


def names_of(posts: list[Post], case: Case) -> list[str]:
    """What the case was called, POST by POST."""
    return [post.content["case"]["name"] for post in posts if post.content["case"]["id"] == str(case.pk)]


def states(case: Case) -> list[int]:
    return list(Delivery.objects.filter(case_id=case.pk).order_by("sequence").values_list("state", flat=True))


def numbered(count: int) -> list[str]:
    return [f"name {n}" for n in range(count)]


def test_events_of_a_case_arrive_in_order_and_cases_do_not_wait_for_each_other(
    workspace: Workspace, subscription: Subscription, receiver: Receiver, deliver: Deliver
) -> None:
    receiver.answer = lambda post: Answer(takes=0.002 if post.content["context"]["sequence"] % 2 else 0.0)
    cases = [factories.case(workspace, name="new") for _ in range(8)]
    for case in cases:
        rename(case, *numbered(12))
    deliver()
    for case in cases:
        assert names_of(receiver.posts, case) == ["new", *numbered(12)]


def test_one_event_of_a_case_is_in_flight_at_a_time(
    workspace: Workspace, subscription: Subscription, receiver: Receiver, at_work: AtWork
) -> None:
    release = threading.Event()
    receiver.answer = lambda post: Answer(after=release)
    case, other = factories.case(workspace, name="new"), factories.case(workspace, name="other")
    rename(case, "second")
    with at_work():
        receiver.wait_for(2)
        wait_until(lambda: states(case) == [State.PENDING, State.BLOCKED])
        assert sorted(post.content["case"]["name"] for post in receiver.posts) == ["new", "other"]
        release.set()
        receiver.wait_for(3)
    assert names_of(receiver.posts, case) == ["new", "second"]
    assert names_of(receiver.posts, other) == ["other"]


def test_an_event_that_is_retried_holds_back_its_own_case_only(
    workspace: Workspace, subscription: Subscription, receiver: Receiver, deliver: Deliver
) -> None:
    sick, well = factories.case(workspace, name="sick"), factories.case(workspace, name="well")
    receiver.answer = lambda post: Answer(500 if post.content["case"]["name"] == "sick" else 200)
    rename(sick, "better")
    rename(well, "still well")
    deliver()
    assert names_of(receiver.posts, sick) == ["sick"]
    assert names_of(receiver.posts, well) == ["well", "still well"]
    assert states(sick) == [State.PENDING, State.BLOCKED]
    assert Delivery.objects.get(state=State.BLOCKED).reason == "earlier_event"
    receiver.answer = lambda post: Answer()
    services.retry_deliveries(Delivery.objects.filter(attempts=1, state=State.PENDING))
    deliver()
    assert names_of(receiver.posts, sick) == ["sick", "sick", "better"]


def test_an_event_that_is_given_up_is_skipped_and_that_is_recorded(
    workspace: Workspace, subscribe: Subscribe, receiver: Receiver, deliver: Deliver
) -> None:
    subscribe("Case.Created", "Case.Updated", ordered=True, max_retries=0)
    receiver.answer = lambda post: Answer(500 if post.content["case"]["name"] == "sick" else 200)
    case = factories.case(workspace, name="sick")
    rename(case, "better")
    deliver()
    assert names_of(receiver.posts, case) == ["sick", "better"]
    assert states(case) == [State.FAILED, State.SUCCEEDED]
    assert Delivery.objects.get(state=State.FAILED).reason == "skipped"


def test_an_event_waits_for_an_earlier_one_that_is_still_to_be_built(
    workspace: Workspace, subscription: Subscription, receiver: Receiver, deliver: Deliver
) -> None:
    case = factories.case(workspace, name="first")
    rename(case, "second")
    first = Event.objects.filter(sequence=1)
    first.update(build_at="2100-01-01T00:00Z")  # its build failed, and it is not tried again yet
    fanout.fan_out(tasks.DOMAIN)
    began = timezone.now()
    seconds = deliver()
    assert receiver.posts == []
    assert states(case) == [State.PENDING]
    assert seconds is not None
    assert seconds <= 0.2
    assert Delivery.objects.get(case_id=case.pk).due_at > began  # it is not asked for again at once
    first.update(build_at="2020-01-01T00:00Z")
    make_due()
    deliver()
    assert names_of(receiver.posts, case) == ["first", "second"]


def make_due() -> None:
    Delivery.objects.filter(state=State.PENDING).update(due_at="2020-01-01T00:00Z")
    Lane.objects.update(due_at="2020-01-01T00:00Z")


def test_an_event_that_cannot_be_built_at_all_is_skipped(
    workspace: Workspace, subscription: Subscription, receiver: Receiver, deliver: Deliver
) -> None:
    case = factories.case(workspace, name="first")
    rename(case, "second")
    Event.objects.filter(sequence=1).update(state=Event.State.FAILED)
    deliver()
    assert names_of(receiver.posts, case) == ["second"]


def test_what_is_held_blocks_its_case_until_it_is_recovered(
    workspace: Workspace, subscription: Subscription, receiver: Receiver, deliver: Deliver
) -> None:
    case = factories.case(workspace, name="first")
    fanout.fan_out(tasks.DOMAIN)
    Delivery.objects.update(state=State.HELD, reason="offline")
    rename(case, "second")
    deliver()
    assert receiver.posts == []
    assert states(case) == [State.HELD, State.BLOCKED]
    services.retry_deliveries(Delivery.objects.filter(state=State.HELD))
    deliver()
    assert names_of(receiver.posts, case) == ["first", "second"]


def test_going_offline_holds_what_waits_behind_another_too(
    workspace: Workspace, subscription: Subscription, receiver: Receiver, deliver: Deliver
) -> None:
    receiver.answer = lambda post: Answer(500)
    case = factories.case(workspace, name="first")
    rename(case, "second")
    deliver()
    assert states(case) == [State.PENDING, State.BLOCKED]
    health.go_offline(subscription.pk, "because")
    aside.run()
    assert states(case) == [State.HELD, State.HELD]


def test_deleting_the_subscription_fails_what_waits_behind_another_too(
    workspace: Workspace, subscription: Subscription, receiver: Receiver, deliver: Deliver
) -> None:
    receiver.answer = lambda post: Answer(500)
    case = factories.case(workspace, name="first")
    rename(case, "second")
    deliver()
    subscription.delete()
    assert states(case) == [State.FAILED, State.FAILED]


def test_events_from_before_the_mode_was_changed_keep_to_the_mode_of_their_time(
    workspace: Workspace, subscription: Subscription, receiver: Receiver, deliver: Deliver
) -> None:
    receiver.answer = lambda post: Answer(500 if post.content["case"]["name"] == "first" else 200)
    case = factories.case(workspace, name="first")
    rename(case, "second")
    deliver()
    subscription.ordered = False
    subscription.save()
    rename(case, "third")
    deliver()
    assert names_of(receiver.posts, case) == ["first", "third"]
    assert states(case) == [State.PENDING, State.BLOCKED, State.SUCCEEDED]


@pytest.fixture
def asleep(workspace: Workspace, subscription: Subscription) -> tuple[Case, lanes.Lease]:
    """A courier that read the first event of a case, and lost its lane since."""
    case = factories.case(workspace, name="first")
    fanout.fan_out(tasks.DOMAIN)
    (lease,) = lanes.lease("asleep", 1)
    Lane.objects.update(leased_until="2020-01-01T00:00Z")
    return case, lease


def test_a_courier_that_lost_its_lane_neither_sends_nor_blocks(asleep: tuple[Case, lanes.Lease]) -> None:
    case, old = asleep
    rename(case, "second")
    fanout.fan_out(tasks.DOMAIN)
    lanes.lease("heir", 1)
    found = due.read([due.Want(old.subscription_id, 10, None)])
    assert len(found) == 2
    assert order.sift(found, {old.subscription_id: old.token}) == []
    assert states(case) == [State.PENDING, State.PENDING]


def test_while_an_outcome_is_written_nobody_takes_the_lane_over(asleep: tuple[Case, lanes.Lease]) -> None:
    """Else the heir could block the next event after the old courier looked for it."""
    case, old = asleep
    rename(case, "second")
    fanout.fan_out(tasks.DOMAIN)
    with transaction.atomic():
        settle.settle([outcome_of(Delivery.objects.get(sequence=1), old.token, in_order=case.pk)], "asleep")
        taken: list[Any] = []
        in_a_thread(lambda: taken.append(lanes.lease("heir", 1))).join()
        assert taken == [[]]
    assert len(lanes.lease("heir", 1)) == 1


def test_an_outcome_that_came_too_late_lets_nothing_go_on(asleep: tuple[Case, lanes.Lease]) -> None:
    case, old = asleep
    rename(case, "second")
    fanout.fan_out(tasks.DOMAIN)
    (heir,) = lanes.lease("heir", 1)
    order.sift(due.read([due.Want(heir.subscription_id, 10, None)]), {heir.subscription_id: heir.token})
    assert states(case) == [State.PENDING, State.BLOCKED]
    first = Delivery.objects.get(sequence=1)
    settle.settle([outcome_of(first, old.token, in_order=case.pk)], "asleep")
    assert Attempt.objects.get().late
    assert states(case) == [State.PENDING, State.BLOCKED]
    settle.settle([outcome_of(first, heir.token, in_order=case.pk)], "heir")
    assert states(case) == [State.SUCCEEDED, State.PENDING]
    lanes.release([report(heir, True)])
    assert lanes.seconds_until_due() is not None


def test_many_events_of_many_cases_built_by_several_couriers_keep_their_order(
    workspace: Workspace, subscription: Subscription, receiver: Receiver, at_work: AtWork
) -> None:
    cases = [factories.case(workspace, name="new") for _ in range(10)]
    with at_work(), at_work(), at_work():
        for number in range(20):
            for case in cases:
                rename(case, f"name {number}")
        receiver.wait_for(10 * 21)
    arrived = defaultdict(list)
    for post in receiver.posts:
        arrived[post.content["case"]["id"]].append(post.content["context"]["sequence"])
    assert set(map(tuple, arrived.values())) == {tuple(range(1, 22))}


def test_a_long_queue_behind_one_event_costs_no_more_than_a_short_one(
    workspace: Workspace, subscription: Subscription, receiver: Receiver, deliver: Deliver
) -> None:
    """What waits behind another has left the index of what is due."""
    receiver.answer = lambda post: Answer(500)
    case = factories.case(workspace, name="first")
    rename(case, *numbered(50))
    deliver()
    assert due.read([due.Want(subscription.pk, 100, None)]) == []
    assert states(case) == [State.PENDING, *[State.BLOCKED] * 50]


def test_what_was_built_as_its_subscription_came_online_does_not_stay_held(
    workspace: Workspace, subscribe: Subscribe, receiver: Receiver, deliver: Deliver
) -> None:
    """Nobody would recover it: the job for what is held was over by then, and the case would wait for ever."""
    row = subscribe("Case.Created", "Case.Updated", ordered=True, status="offline")
    case = factories.case(workspace, name="first")

    def come_online() -> None:
        services.set_online([row.pk], online=True)
        recovering.run()

    def build(*asked: Any) -> Any:
        in_a_thread(come_online).join()  # after the subscriptions were read
        return tasks.DOMAIN.build(*asked)

    fanout.fan_out(fanout.Domain(tasks.DOMAIN.form_for, build))
    rename(case, "second")
    deliver()
    assert names_of(receiver.posts, case) == ["first", "second"]

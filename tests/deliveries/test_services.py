"""What people do with subscriptions and deliveries."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from cases.models import Case
from deliveries import services
from deliveries.engine import lanes
from deliveries.events import outbox
from deliveries.models import Attempt, Delivery, Event, Lane, Subscription
from tests import factories
from workspaces.models import Workspace

from .conftest import Deliver, Subscribe
from .receiver import Answer, Receiver

EventState = Event.State
State = Delivery.State
URL = "https://example.com/hooks"


def fresh(row: Subscription) -> Subscription:
    return Subscription.objects.get(pk=row.pk)


def test_after_a_rotation_both_secrets_sign_until_the_grace_ends(subscribe: Subscribe) -> None:
    row = subscribe("Case.Created")
    old = row.secret
    services.rotate_secret(row, grace=60)
    now = fresh(row)
    assert now.secret != old
    assert now.signing_secrets() == [now.secret, old]
    assert now.signing_secrets(timezone.now() + timedelta(seconds=61)) == [now.secret]


def test_a_second_rotation_ends_the_first_secret_at_once(subscribe: Subscribe) -> None:
    row = subscribe("Case.Created")
    first = row.secret
    second = services.rotate_secret(row).secret
    third = services.rotate_secret(row).secret
    assert fresh(row).signing_secrets() == [third, second]
    assert first not in (second, third)


def test_a_leaked_secret_can_be_ended_at_once(subscribe: Subscribe) -> None:
    row = services.rotate_secret(subscribe("Case.Created"), grace=0)
    assert (fresh(row).previous_secret, fresh(row).previous_secret_until) == (None, None)


def test_a_rotation_keeps_what_was_changed_elsewhere_meanwhile(subscribe: Subscribe) -> None:
    stale = subscribe("Case.Created")
    services.set_online([stale.pk], online=False, reason="Paused.")
    services.rotate_secret(stale)
    assert (fresh(stale).status, fresh(stale).offline_reason) == ("offline", "Paused.")


@pytest.fixture
def refused(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> tuple[Subscription, Delivery]:
    """A delivery that failed for good."""
    receiver.answer = lambda post: Answer(500)
    subscription = subscribe("Case.Created", max_retries=0)
    factories.case(workspace)
    deliver()
    receiver.answer = lambda post: Answer(200)
    return subscription, Delivery.objects.get(state=State.FAILED)


def test_a_retry_sends_the_same_event_again_as_a_manual_one(
    refused: tuple[Subscription, Delivery], deliver: Deliver, receiver: Receiver
) -> None:
    assert services.retry_deliveries([refused[1].pk]) == [refused[1].pk]
    deliver()
    first, second = receiver.posts
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    row = Delivery.objects.get()
    assert (row.state, row.reason, row.attempts) == (State.SUCCEEDED, "", 2)
    assert [attempt.type for attempt in Attempt.objects.order_by("number")] == [0, Delivery.Next.MANUAL_RETRY]


def test_automatic_retries_come_after_a_manual_one(
    refused: tuple[Subscription, Delivery], deliver: Deliver, receiver: Receiver
) -> None:
    refused[0].max_retries = 3
    refused[0].save()
    Delivery.objects.update(retries=3)
    receiver.answer = lambda post: Answer(503)
    services.retry_deliveries([refused[1].pk])
    deliver()
    row = Delivery.objects.get()
    assert (row.state, row.retries, row.next_type) == (State.PENDING, 1, Delivery.Next.AUTOMATIC_RETRY)


@pytest.fixture
def waiting(workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver) -> Delivery:
    """A delivery that waits for its automatic retry."""
    receiver.answer = lambda post: Answer(503)
    subscribe("Case.Created")
    factories.case(workspace)
    deliver()
    receiver.answer = lambda post: Answer(200)
    return Delivery.objects.get(state=State.PENDING, attempts=1)


def test_what_waits_for_its_retry_need_not_wait(waiting: Delivery, deliver: Deliver, receiver: Receiver) -> None:
    assert services.retry_deliveries([waiting.pk]) == [waiting.pk]
    deliver()
    assert len(receiver.posts) == 2
    assert Delivery.objects.get().state == State.SUCCEEDED
    assert Attempt.objects.get(number=2).type == Delivery.Next.MANUAL_RETRY


def test_what_is_due_already_is_left_alone(waiting: Delivery) -> None:
    services.retry_deliveries([waiting.pk])
    assert services.retry_deliveries([waiting.pk], replay=True) == []


@pytest.mark.parametrize("rows", [1, 3])
def test_a_retry_of_many_is_done_in_parts(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    monkeypatch.setattr(services, "CHUNK", 2)
    subscribe("Case.Created")
    for _ in range(rows):
        factories.case(workspace)
    deliver()
    chosen = {row.pk for row in Delivery.objects.all()}
    assert set(services.retry_deliveries(chosen, replay=True)) == chosen
    assert Delivery.objects.filter(state=State.PENDING).count() == rows


def test_a_failed_event_is_built_again(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> None:
    subscribe("Case.Created")
    factories.case(workspace)
    Event.objects.update(state=EventState.FAILED, builds=8, error="ValueError", build_at="2100-01-01T00:00:00Z")
    deliver()
    assert receiver.posts == []
    assert services.build_again(Event.objects.values_list("pk", flat=True)) == [Event.objects.get().pk]
    deliver()
    assert receiver.names == ["Case.Created"]


def test_only_what_failed_is_built_again(workspace: Workspace, deliver: Deliver) -> None:
    factories.case(workspace)
    deliver()
    assert services.build_again(Event.objects.values_list("pk", flat=True)) == []
    assert Event.objects.get().state == EventState.BUILT


def test_workers_are_woken_for_what_is_built_again(
    workspace: Workspace, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    factories.case(workspace)
    Event.objects.update(state=EventState.FAILED)
    with django_capture_on_commit_callbacks() as callbacks:
        services.build_again(Event.objects.values_list("pk", flat=True))
    assert callbacks == [outbox.wake]


def test_an_update_without_a_difference_changes_nothing(subscribe: Subscribe) -> None:
    row = subscribe("Case.Created", name="CRM")
    before = row.updated_at
    services.update_subscription(row, {"name": "CRM", "secret": row.secret}, "")
    assert (fresh(row).updated_at, fresh(row).previous_secret) == (before, None)


def test_retrying_twice_is_retrying_once(refused: tuple[Subscription, Delivery]) -> None:
    chosen = Delivery.objects.all()
    assert [services.retry_deliveries(chosen), services.retry_deliveries(chosen)] == [[refused[1].pk], []]


def test_what_succeeded_is_sent_again_only_when_asked_for(
    refused: tuple[Subscription, Delivery], deliver: Deliver, receiver: Receiver
) -> None:
    services.retry_deliveries([refused[1].pk])
    deliver()
    assert not services.retry_deliveries([refused[1].pk])
    assert services.retry_deliveries([refused[1].pk], replay=True)
    deliver()
    assert len(receiver.posts) == 3


def test_a_retry_for_an_offline_subscription_is_refused_and_changes_nothing(
    refused: tuple[Subscription, Delivery],
) -> None:
    services.set_online([refused[0].pk], online=False)
    with pytest.raises(services.Refused, match="turn it online first"):
        services.retry_deliveries([refused[1].pk])
    assert Delivery.objects.get().state == State.FAILED


@pytest.mark.parametrize("as_ids", [False, True])
def test_a_retry_of_more_than_can_be_done_at_once_is_refused_and_names_the_recovery(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, monkeypatch: pytest.MonkeyPatch, as_ids: bool
) -> None:
    monkeypatch.setattr(services, "MOST_AT_ONCE", 2)
    subscribe("Case.Created")
    Case.objects.bulk_create([Case(workspace=workspace, name=f"case {n}") for n in range(3)])
    deliver()
    Delivery.objects.update(state=State.FAILED)
    chosen = list(Delivery.objects.values_list("pk", flat=True))
    with pytest.raises(services.Refused, match="recover a range of time"):
        services.retry_deliveries(chosen if as_ids else Delivery.objects.all())
    assert set(Delivery.objects.values_list("state", flat=True)) == {State.FAILED}
    assert len(services.retry_deliveries([*chosen[:2], chosen[0]])) == 2


def test_a_retry_for_a_deleted_subscription_is_refused(refused: tuple[Subscription, Delivery]) -> None:
    refused[0].delete()
    with pytest.raises(services.Refused, match="deleted"):
        services.retry_deliveries([refused[1].pk])


def test_what_was_held_is_sent_when_it_is_retried_online(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> None:
    subscription = subscribe("Case.Created", status="offline")
    factories.case(workspace)
    deliver()
    assert Delivery.objects.get().state == State.HELD
    services.set_online([subscription.pk], online=True)
    services.retry_deliveries(Delivery.objects.all())
    deliver()
    assert receiver.names == ["Case.Created"]


def test_turning_offline_says_why_and_closes_the_lane(subscribe: Subscribe) -> None:
    row = subscribe("Case.Created")
    assert services.set_online([row.pk], online=False, reason="Paused.") == [row]
    assert services.set_online([row.pk], online=False, reason="Again.") == []
    assert (fresh(row).offline_reason, Lane.objects.get().open) == ("Paused.", False)
    services.set_online([row.pk], online=True)
    assert (fresh(row).offline_reason, Lane.objects.get().open) == ("", True)


def test_a_parked_lane_is_served_again_when_it_is_unparked(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> None:
    subscribe("Case.Created")
    Lane.objects.update(takeovers=lanes.PARK_AFTER)
    factories.case(workspace)
    deliver()
    assert receiver.posts == []
    assert services.unpark(Lane.objects.get())
    assert not services.unpark(Lane.objects.get())
    deliver()
    assert receiver.names == ["Case.Created"]


def test_a_full_workspace_is_told_so(workspace: Workspace, settings: Settings) -> None:
    settings.WEBHOOKS_PER_WORKSPACE = 1
    fields = {"url": URL, "events": ["Case.Created"]}
    services.create_subscription(workspace, fields)
    with pytest.raises(ValidationError, match="Maximum items reached"):
        services.create_subscription(workspace, fields)
    services.create_subscription(factories.workspace("Other"), fields)


@pytest.mark.django_db(transaction=True)
def test_two_requests_at_once_do_not_both_take_the_last_place(settings: Settings) -> None:
    settings.WEBHOOKS_PER_WORKSPACE = 1
    workspace, refusals, start = factories.workspace(), [], threading.Barrier(4)

    def create() -> None:
        start.wait()
        try:
            services.create_subscription(workspace, {"url": URL, "events": ["Case.Created"]})
        except ValidationError as error:
            refusals.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=create) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (Subscription.objects.count(), len(refusals)) == (1, 3)

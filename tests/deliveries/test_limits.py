"""What one subscription may take: its requests at a time and a second, and the pauses of its breaker."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from cases.models import Case
from deliveries import services, tasks
from deliveries.engine import exchange, fanout, lanes, outbound, transport
from deliveries.engine.courier import Courier
from deliveries.engine.due import Ready
from deliveries.engine.held import HeldLane
from deliveries.models import Attempt, Delivery, Lane, Subscription
from dotfile_hooks.dev.recording import Post
from tests import factories
from workspaces.models import Workspace

from .conftest import AtWork, Deliver, Subscribe
from .receiver import Answer, Receiver
from .waiting import in_a_thread, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def make_cases(workspace: Workspace, count: int) -> None:
    Case.objects.bulk_create([Case(workspace=workspace, name=f"case {n}") for n in range(count)])


def let_time_pass(seconds: float) -> None:
    """For what waits in PostgreSQL: as if so much time had gone by."""
    past = timedelta(seconds=seconds)
    for row in Lane.objects.all():
        resume_at = row.resume_at and row.resume_at - past
        health = row.health | (
            {"paced_until": row.health["paced_until"] - seconds} if "paced_until" in row.health else {}
        )
        due_at = row.due_at and row.due_at - past
        Lane.objects.filter(pk=row.pk).update(due_at=due_at, resume_at=resume_at, health=health)
    for delivery in Delivery.objects.filter(state=Delivery.State.PENDING):
        Delivery.objects.filter(pk=delivery.pk).update(due_at=delivery.due_at - past)


def pause() -> float:
    """Seconds that the only lane rests from now on."""
    resume_at = Lane.objects.get().resume_at
    return (resume_at - timezone.now()).total_seconds() if resume_at else 0.0


@pytest.fixture
def workspace(transactional_db: None) -> Workspace:
    return factories.workspace()


@pytest.fixture
def release(receiver: Receiver) -> Iterator[threading.Event]:
    """The receiver answers when this is set."""
    event = threading.Event()
    receiver.answer = lambda post: Answer(after=event)
    yield event
    event.set()


@pytest.mark.parametrize(("most", "expected"), [(1, 1), (5, 5), (None, 32)])
def test_a_subscription_has_its_own_number_of_requests_at_a_time(
    workspace: Workspace,
    subscribe: Subscribe,
    receiver: Receiver,
    release: threading.Event,
    at_work: AtWork,
    most: int | None,
    expected: int,
) -> None:
    subscribe("Case.Created", max_in_flight=most)
    Lane.objects.update(proven=True)
    make_cases(workspace, 60)
    with at_work():
        receiver.wait_for(expected)
        wait_until(lambda: Delivery.objects.count() == 60)  # all are there, and the courier has looked again
        assert len(receiver.posts) == expected
        release.set()
        receiver.wait_for(60)


def test_all_subscriptions_to_one_host_share_its_slots(
    workspace: Workspace,
    subscribe: Subscribe,
    receiver: Receiver,
    release: threading.Event,
    at_work: AtWork,
    settings: Any,
) -> None:
    settings.DELIVERY_HOST_IN_FLIGHT = 10
    for number in range(9):
        subscribe("Case.Created", path=f"/{number}")
    Lane.objects.update(proven=True)
    elsewhere = subscribe("Case.Deleted", url=receiver.url("/elsewhere").replace("127.0.0.1", "127.0.0.2"))
    make_cases(workspace, 40)  # more for each than its cap, and for all more than there are slots
    with at_work():
        receiver.wait_for(10)
        wait_until(lambda: Lane.objects.exclude(holder="").count() == 9)
        Case.objects.all()[0].delete()
        # Nobody listens at 127.0.0.2, so an attempt there fails at once: if it is given a slot.
        wait_until(Attempt.objects.filter(subscription=elsewhere).exists)
        assert len(receiver.posts) == 10
        release.set()
        receiver.wait_for(360)


@pytest.fixture
def starts(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """When the courier started each request, by its own clock: on a busy machine they arrive whenever they can."""
    moments: list[float] = []
    take_next = HeldLane.take_next

    def note(lane: HeldLane, now: float) -> Ready:
        moments.append(now)
        return take_next(lane, now)

    monkeypatch.setattr(HeldLane, "take_next", note)
    return moments


def test_a_rate_spaces_requests_evenly(
    workspace: Workspace, subscribe: Subscribe, receiver: Receiver, deliver: Deliver, starts: list[float]
) -> None:
    subscribe("Case.Created", rate=50)
    make_cases(workspace, 60)
    deliver()
    assert len(receiver.posts) == len(starts) == 60
    # 60 requests take 59 / 50 s; a twentieth of a second may be saved once, so that our own ticks do not slow it down.
    assert starts[-1] - starts[0] > 59 / 50 - 0.06
    for first in starts:
        assert sum(first <= at < first + 0.2 for at in starts) <= 10 + 3 + 1


def test_a_rate_below_one_a_second_gives_the_lane_back_and_holds_across_leases(
    workspace: Workspace, subscribe: Subscribe, receiver: Receiver, deliver: Deliver
) -> None:
    subscribe("Case.Created", rate=0.01)
    make_cases(workspace, 3)
    seconds = deliver()
    assert len(receiver.posts) == 1
    assert seconds is not None
    assert 50 < seconds <= 100
    assert Lane.objects.get().holder == ""
    make_cases(workspace, 1)  # what comes meanwhile does not wake it
    deliver()
    assert len(receiver.posts) == 1
    let_time_pass(100)
    deliver()
    assert len(receiver.posts) == 2


def test_what_comes_while_a_slow_rate_rests_with_nothing_to_send_waits_too(
    workspace: Workspace, subscribe: Subscribe, receiver: Receiver, deliver: Deliver
) -> None:
    subscribe("Case.Created", rate=0.01)
    make_cases(workspace, 1)
    deliver()
    make_cases(workspace, 1)
    seconds = deliver()
    assert len(receiver.posts) == 1
    assert seconds is not None
    assert 50 < seconds <= 100


def retry(row: Subscription) -> None:
    services.retry_deliveries(Delivery.objects.filter(state=Delivery.State.SUCCEEDED), replay=True)


def rename(row: Subscription) -> None:
    row.name += "new"
    row.save()


@pytest.mark.parametrize("touch", [retry, rename])
def test_neither_an_edit_nor_a_retry_by_a_person_goes_past_a_slow_rate(
    workspace: Workspace,
    subscribe: Subscribe,
    receiver: Receiver,
    deliver: Deliver,
    touch: Callable[[Subscription], None],
) -> None:
    row = subscribe("Case.Created", rate=0.05)
    make_cases(workspace, 3)
    deliver()
    touch(row)
    deliver()
    assert len(receiver.posts) == 1


def test_after_a_takeover_the_rate_begins_anew(
    workspace: Workspace, subscribe: Subscribe, receiver: Receiver, deliver: Deliver
) -> None:
    subscribe("Case.Created", rate=0.01)
    make_cases(workspace, 1)
    fanout.fan_out(tasks.DOMAIN)
    lanes.lease("killed", 1)
    Lane.objects.update(leased_until=timezone.now())
    deliver()
    assert receiver.posts == []
    assert 50 < pause() <= 100


@pytest.fixture
def open_breaker(
    workspace: Workspace, subscribe: Subscribe, receiver: Receiver, deliver: Deliver, settings: Any
) -> Subscription:
    """A subscription whose receiver fails, after as many of a hundred deliveries as it took to open its breaker."""
    settings.BREAKER_PAUSE = 100
    row = subscribe("Case.Created")
    receiver.answer = lambda post: Answer(503)
    make_cases(workspace, 100)
    deliver()
    return row


@pytest.mark.usefixtures("open_breaker")
def test_ten_failures_in_a_row_open_the_breaker_and_the_rest_waits_unharmed(receiver: Receiver) -> None:
    assert 10 <= len(receiver.posts) < 10 + 4  # those in flight when it opened
    assert 50 < pause() <= 100
    assert Delivery.objects.filter(attempts=0).count() == 100 - len(receiver.posts)
    assert not Delivery.objects.exclude(state=Delivery.State.PENDING).exists()


@pytest.mark.usefixtures("open_breaker")
def test_a_probe_that_fails_uses_up_one_attempt_and_doubles_the_pause(receiver: Receiver, deliver: Deliver) -> None:
    for expected in (200, 400):
        before = len(receiver.posts)
        let_time_pass(pause())
        deliver()
        assert len(receiver.posts) == before + 1
        assert expected - 50 < pause() <= expected


@pytest.mark.usefixtures("open_breaker")
def test_a_probe_that_succeeds_lets_the_rest_follow_gently(receiver: Receiver, deliver: Deliver) -> None:
    failed, at_a_time = len(receiver.posts), list[tuple[int, int]]()

    def answer(post: Post) -> Answer:
        succeeded = receiver.answered - failed
        at_a_time.append((len(receiver.posts) - receiver.answered, max(1, 2 * succeeded)))
        return Answer(takes=0.05)

    receiver.answer = answer
    let_time_pass(pause())
    deliver()
    assert len(at_a_time) >= 100 - failed
    assert at_a_time[0] == (1, 1)
    assert [most for most in at_a_time if most[0] > most[1]] == []  # the second waits for the answer to the probe
    assert Lane.objects.get().resume_at is None


def test_what_was_sent_before_the_breaker_opened_is_no_probe_however_late_it_fails(
    workspace: Workspace, subscribe: Subscribe, receiver: Receiver, at_work: AtWork, settings: Any
) -> None:
    settings.BREAKER_PAUSE = 0.0  # over when the late one fails
    subscribe("Case.Created", max_in_flight=4, max_retries=0)
    release = threading.Event()
    receiver.answer = lambda post: Answer(503, after=release if len(receiver.posts) == 1 else None)
    make_cases(workspace, 1 + settings.BREAKER_FAILURES)
    with at_work():
        wait_until(lambda: Attempt.objects.count() == settings.BREAKER_FAILURES)
        release.set()
        wait_until(lambda: Attempt.objects.count() == 1 + settings.BREAKER_FAILURES)
    assert Lane.objects.get().health["trips"] == 1


@pytest.mark.usefixtures("open_breaker")
def test_a_retry_by_a_person_is_the_next_probe(receiver: Receiver, deliver: Deliver) -> None:
    receiver.answer = lambda post: Answer()
    services.retry_deliveries(Delivery.objects.filter(attempts=1)[:1])
    deliver()
    assert Delivery.objects.filter(state=Delivery.State.SUCCEEDED).count() > 1


def change_url(row: Subscription) -> None:
    row.url += "new"
    row.save()


def turn_off_and_on(row: Subscription) -> None:
    services.set_online([row.pk], online=False)
    services.set_online([row.pk], online=True)


@pytest.mark.parametrize("edit", [change_url, turn_off_and_on])
def test_an_edit_of_the_subscription_ends_the_pause(
    receiver: Receiver, deliver: Deliver, edit: Callable[[Subscription], None], open_breaker: Subscription
) -> None:
    receiver.answer = lambda post: Answer()
    edit(open_breaker)
    before = len(receiver.posts)
    deliver()
    assert len(receiver.posts) > before


def test_a_fault_of_our_own_does_not_open_the_breaker(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted(*arguments: object) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(exchange, "_Dialling", exhausted)
    subscribe("Case.Created")
    make_cases(workspace, 30)
    deliver()
    assert Attempt.objects.filter(error="own_fault").count() == 30
    assert pause() == 0


def test_the_breaker_s_memory_survives_a_lease(
    workspace: Workspace, subscribe: Subscribe, receiver: Receiver, deliver: Deliver
) -> None:
    subscribe("Case.Created")
    receiver.answer = lambda post: Answer(503)
    for expected in range(1, 10):
        make_cases(workspace, 1)
        deliver()
        assert Lane.objects.get().health["in_a_row"] == expected
        assert pause() == 0
    make_cases(workspace, 1)
    deliver()
    assert pause() > 0


def test_a_lease_that_is_renewed_writes_down_how_its_receiver_is(
    workspace: Workspace, subscribe: Subscribe, receiver: Receiver, release: threading.Event, settings: Any
) -> None:
    settings.DELIVERY_LEASE = 8
    subscribe("Case.Created")
    receiver.answer = lambda post: Answer(503) if len(receiver.posts) < 5 else Answer(after=release)
    make_cases(workspace, 8)
    window: transport.Window[Any] = transport.Window(outbound.policy(), size=8)
    thread = in_a_thread(Courier("test", window, tasks.DOMAIN).run)
    wait_until(lambda: Lane.objects.exclude(holder="").exclude(health={}).exists())
    release.set()
    thread.join()
    window.close()

"""The promises, with real workers and beats in processes of their own: killed, stopped, without Redis, without beat."""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings
from django.db import connection
from django.test import override_settings

from cases.models import Case
from deliveries.engine import doorbell, session
from deliveries.models import Attempt, Delivery, Lane, Subscription
from dotfile_hooks.dev import guests, valkey
from tests import factories
from workspaces import accelerator
from workspaces.models import Workspace

from .conftest import Subscribe
from .fleet import Fleet, fleet, kill
from .receiver import Answer, Receiver
from .waiting import in_a_thread, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def workspace(transactional_db: None) -> Workspace:
    return factories.workspace()


@pytest.fixture
def processes(transactional_db: None) -> Iterator[Fleet]:
    with fleet() as found:
        yield found


def make_cases(workspace: Workspace, count: int, name: str = "case") -> None:
    Case.objects.bulk_create([Case(workspace=workspace, name=f"{name} {n}") for n in range(count)])


@contextmanager
def answers_only(receiver: Receiver, count: int) -> Iterator[None]:
    """It answers so many, and the others at the end of the block: whoever sends is at work for as long."""
    resume = threading.Event()
    receiver.answer = lambda post: Answer(after=resume if len(receiver.posts) > count else None)
    try:
        yield
    finally:
        resume.set()


def everything_settled() -> bool:
    return not Delivery.objects.filter(state=Delivery.State.PENDING).exists()


def every_courier_sleeps() -> bool:
    """The last thing that each said to the database is good-bye. The flag says less: it also ends by itself."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) > 0 AND bool_and(state = 'idle' AND query = %s) FROM pg_stat_activity "
            "WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()",
            [session.CLOSE],
        )
        return bool(cursor.fetchone()[0])


def test_a_change_reaches_the_receiver_without_beat(
    processes: Fleet, workspace: Workspace, subscribe: Subscribe, receiver: Receiver
) -> None:
    subscribe("Case.Created")
    processes.worker()
    Case.objects.create(workspace=workspace, name="Dotfile")
    (post,) = receiver.wait_for(1)
    assert post.content["case"]["name"] == "Dotfile"
    wait_until(everything_settled)
    assert Attempt.objects.get().worker.startswith("worker@test/")


def test_without_beat_the_first_retry_still_comes(
    processes: Fleet, workspace: Workspace, subscribe: Subscribe, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscribe("Case.Created")
    receiver.answer = lambda post: Answer(503 if len(receiver.posts) == 2 else 200)
    processes.worker()
    Case.objects.create(workspace=workspace, name="to see the worker up")
    receiver.wait_for(1)
    wait_until(every_courier_sleeps)
    monkeypatch.setattr(doorbell, "EXPIRES", 3)  # the retry must outlive the message that began it
    Case.objects.create(workspace=workspace, name="Dotfile")
    _, first, second = receiver.wait_for(3)
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    sent, sent_again = (int(post.headers["webhook-timestamp"]) for post in (first, second))
    assert sent_again - sent >= 3  # four seconds, of which whole ones are told


def test_the_sweep_finds_what_nobody_was_woken_for(
    processes: Fleet, workspace: Workspace, subscribe: Subscribe, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscribe("Case.Created")
    monkeypatch.setattr(doorbell, "ring", lambda: None)
    Case.objects.create(workspace=workspace, name="Dotfile")
    processes.worker(queues="deliveries,chores", processes=2)
    processes.beat()
    receiver.wait_for(1)


def test_two_beats_do_no_harm(processes: Fleet, workspace: Workspace, subscribe: Subscribe, receiver: Receiver) -> None:
    subscribe("Case.Created")
    receiver.answer = lambda post: Answer(200 if len(receiver.posts) > 20 else 503)
    processes.worker(queues="deliveries,chores", processes=2)
    processes.beat()
    processes.beat()
    make_cases(workspace, 20)
    receiver.wait_for(40)
    wait_until(everything_settled)
    assert set(Counter(post.headers["webhook-id"] for post in receiver.posts).values()) == {2}


def test_a_worker_killed_in_the_middle_loses_nothing(
    processes: Fleet, workspace: Workspace, subscribe: Subscribe, receiver: Receiver
) -> None:
    for path in ("/a", "/b", "/c", "/d"):
        subscribe("Case.Created", path=path)
    victim = processes.worker("victim")
    with answers_only(receiver, 300):
        make_cases(workspace, 500)
        receiver.wait_for(301)
        kill(victim)
    heir = processes.worker("heir", queues="deliveries,chores", processes=2)
    processes.beat()
    wait_until(lambda: Delivery.objects.filter(state=Delivery.State.SUCCEEDED).count() == 2000)
    received = Counter((post.path, post.headers["webhook-id"]) for post in receiver.posts)
    assert len(received) == 2000
    duplicates = sum(received.values()) - 2000
    assert duplicates <= 4 * settings.DELIVERY_LANE_IN_FLIGHT + 200  # in flight, and sent but not yet settled
    wait_until(lambda: not Lane.objects.filter(takeovers__gt=0).exists())
    assert heir.poll() is None


def test_a_worker_s_child_killed_in_the_middle_loses_nothing(
    processes: Fleet, workspace: Workspace, subscribe: Subscribe, receiver: Receiver
) -> None:
    subscribe("Case.Created")
    worker = processes.worker(queues="deliveries,chores", processes=2)
    processes.beat()
    with answers_only(receiver, 50):
        make_cases(workspace, 500)
        receiver.wait_for(51)
        child = int(Lane.objects.get().holder.rpartition("/")[2])
        os.kill(child, signal.SIGKILL)
    wait_until(lambda: Delivery.objects.filter(state=Delivery.State.SUCCEEDED).count() == 500)
    assert len(receiver.event_ids) == 500
    assert worker.poll() is None


def test_redis_flushed_in_the_middle_loses_nothing(
    processes: Fleet, workspace: Workspace, subscribe: Subscribe, receiver: Receiver
) -> None:
    subscribe("Case.Created")
    processes.worker(queues="deliveries,chores", processes=2)
    processes.beat()
    for number in range(10):
        make_cases(workspace, 20, name=f"batch {number}")
        receiver.wait_for(1 + 10 * number)  # the worker is at work on this very batch
        guests.flush(doorbell.doorbell().client)
    receiver.wait_for(200)
    assert len(receiver.event_ids) == 200


def test_a_worker_stopped_past_its_lease_and_let_go_loses_nothing(
    processes: Fleet, workspace: Workspace, subscribe: Subscribe, receiver: Receiver
) -> None:
    subscribe("Case.Created")
    processes.worker("sleeper")
    with answers_only(receiver, 100):
        make_cases(workspace, 1500)
        receiver.wait_for(101)
        sleeper = Lane.objects.get().holder
        os.kill(int(sleeper.rpartition("/")[2]), signal.SIGSTOP)
    processes.worker("heir", queues="deliveries,chores", processes=2)
    processes.beat()
    wait_until(lambda: Lane.objects.exclude(holder=sleeper).exists())
    os.kill(int(sleeper.rpartition("/")[2]), signal.SIGCONT)
    wait_until(lambda: Delivery.objects.filter(state=Delivery.State.SUCCEEDED).count() == 1500)
    assert len(receiver.event_ids) == 1500
    assert len(receiver.posts) - 1500 <= settings.DELIVERY_LANE_IN_FLIGHT + 100  # what it had sent and not settled


def test_a_warm_shutdown_gives_lanes_back_and_sends_nothing_twice(
    processes: Fleet, workspace: Workspace, subscribe: Subscribe, receiver: Receiver
) -> None:
    for path in ("/a", "/b"):
        subscribe("Case.Created", path=path)
    first = processes.worker("first")
    # Some 15 s for all the others: it is told to stop long before.
    receiver.answer = lambda post: Answer(takes=0.5 if len(receiver.posts) > 200 else 0.0)
    make_cases(workspace, 1000)
    receiver.wait_for(201)
    first.send_signal(signal.SIGTERM)
    assert first.wait(60) == 0
    assert not Lane.objects.exclude(holder="").exists()
    assert len(receiver.posts) < 2000
    receiver.answer = lambda post: Answer()
    processes.worker("second")
    doorbell.publish()
    wait_until(lambda: Delivery.objects.filter(state=Delivery.State.SUCCEEDED).count() == 2000)
    assert len(receiver.posts) == 2000


def test_a_slow_receiver_does_not_delay_a_wake_up(
    workspace: Workspace, subscribe: Subscribe, receiver: Receiver
) -> None:
    """One worker with one process; its only courier waits for an answer when the next change comes."""
    slow = subscribe("Case.Created", timeout=30)
    subscribe("Case.Deleted", path="/other")
    release = threading.Event()
    receiver.answer = lambda post: Answer(after=release if post.path == "/" else None)
    with fleet(DELIVERY_LEASE="60") as processes:
        processes.worker()
        make_cases(workspace, 600)  # a backlog behind it, more than is read ahead
        count = len(receiver.wait_for(2))
        Case.objects.all()[0].delete()
        wait_until(lambda: any(post.path == "/other" for post in receiver.posts))
        assert not Attempt.objects.filter(subscription=slow).exists()  # none of its requests has ended
        release.set()
    assert count < 600


def test_a_courier_past_its_bound_hands_over_before_it_waits_for_its_last_answers(
    workspace: Workspace, subscribe: Subscribe, receiver: Receiver
) -> None:
    last = subscribe("Case.Updated", path="/slow", timeout=30, max_retries=0)
    subscribe("Case.Created")
    release = threading.Event()
    receiver.answer = lambda post: Answer(after=release if post.path == "/slow" else None)
    case = Case.objects.create(workspace=workspace, name="Dotfile")

    def a_change_is_sent_by_another() -> bool:
        """And meanwhile every change is sent, whoever does it."""
        count = len(receiver.posts)
        Case.objects.create(workspace=workspace, name="Dotfile")
        receiver.wait_for(count + 1)
        return Attempt.objects.exclude(worker=slow).exists()

    with fleet(DELIVERY_LEASE="60", DELIVERY_BOUND="1") as processes:
        processes.worker(processes=2)
        case.name = "New"
        case.save()
        receiver.wait_for(2)
        slow = Lane.objects.get(subscription__url__endswith="/slow").holder
        wait_until(a_change_is_sent_by_another)
        assert not Attempt.objects.filter(subscription=last).exists()
        release.set()
        wait_until(everything_settled)
    assert len(receiver.event_ids) == len(receiver.posts)


def count_commands(client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the client is asked for from now on."""
    asked: list[str] = []
    execute: Any = client.execute_command

    def note(*words: Any, **options: Any) -> Any:
        asked.append(words[0])
        return execute(*words, **options)

    monkeypatch.setattr(client, "execute_command", note)
    return asked


def test_without_redis_a_save_asks_for_it_once_and_its_event_arrives_later(
    tmp_path: Path, workspace: Workspace, subscribe: Subscribe, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accelerator, "BREAK", 600.0)
    subscribe("Case.Created")
    with valkey.running(tmp_path, careless=True) as url:
        pass  # a server that was there a moment ago
    with override_settings(REDIS_URL=url):
        doorbell.doorbell.cache_clear()
        asked = count_commands(doorbell.doorbell().client, monkeypatch)
        Case.objects.create(workspace=workspace, name="Dotfile")
        Case.objects.create(workspace=workspace, name="Dotfile")
        assert len(asked) == 1
    doorbell.doorbell.cache_clear()
    with fleet() as processes:
        processes.worker(queues="deliveries,chores", processes=2)
        processes.beat()
        receiver.wait_for(2)


def test_a_redis_that_hangs_holds_up_neither_a_save_nor_a_courier(
    tmp_path: Path, workspace: Workspace, subscribe: Subscribe, receiver: Receiver
) -> None:
    subscribe("Case.Created")
    with (
        valkey.running(tmp_path, careless=True) as url,
        override_settings(REDIS_URL=url, WAKE_TIMEOUT=0.25),
        fleet(REDIS_URL=url, WAKE_TIMEOUT="0.25") as own,
    ):
        doorbell.doorbell.cache_clear()
        info = doorbell.doorbell().client.info("server")
        assert isinstance(info, dict)
        redis_process = int(info["process_id"])
        own.worker(queues="deliveries,chores", processes=2)
        own.beat()  # what makes the first message: ours goes to another broker
        with answers_only(receiver, 50):
            make_cases(workspace, 1500)
            receiver.wait_for(51)
            os.kill(redis_process, signal.SIGSTOP)
        try:
            saving = in_a_thread(lambda: Case.objects.create(workspace=workspace, name="Dotfile"))
            saving.join(30)
            assert not saving.is_alive()
            receiver.wait_for(1501)
        finally:
            os.kill(redis_process, signal.SIGCONT)
            doorbell.doorbell.cache_clear()


def cut_all_connections_but_ours() -> int:
    """They are gone then, however busy the machine is."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid()"
        )
        return len(cursor.fetchall())


def test_a_worker_whose_connection_was_cut_while_it_slept_is_not_late(
    processes: Fleet, workspace: Workspace, subscribe: Subscribe, receiver: Receiver
) -> None:
    subscribe("Case.Created")
    processes.worker(level="INFO")
    for number in range(2):
        Case.objects.create(workspace=workspace, name="Dotfile")
        receiver.wait_for(number + 1)
        wait_until(every_courier_sleeps)
        assert cut_all_connections_but_ours()
    assert "Retry in" not in processes.logs()  # Celery's words


def test_a_sweep_whose_connection_was_cut_sweeps_on(
    processes: Fleet, workspace: Workspace, subscribe: Subscribe, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscribe("Case.Created")
    monkeypatch.setattr(doorbell, "ring", lambda: None)
    processes.worker()
    processes.worker("chores", queues="chores")
    processes.beat()
    for number in range(2):
        Case.objects.create(workspace=workspace, name="Dotfile")
        receiver.wait_for(number + 1)
        wait_until(everything_settled)
        assert cut_all_connections_but_ours()


def test_editing_a_subscription_takes_effect_within_two_seconds(
    workspace: Workspace, subscribe: Subscribe, receiver: Receiver
) -> None:
    rate = 50
    subscription = subscribe("Case.Created", rate=rate)
    with fleet(DELIVERY_LEASE="60") as processes:  # so that it is not by the end of a lease
        processes.worker(queues="deliveries,chores", processes=2)
        processes.beat()
        make_cases(workspace, 1000)
        receiver.wait_for(50)
        row = Subscription.objects.get(pk=subscription.pk)
        row.status = Subscription.Status.OFFLINE
        row.save()
        sent = len(receiver.posts)
        wait_until(lambda: Delivery.objects.filter(state=Delivery.State.HELD).exists())
        wait_until(everything_settled)
        assert len(receiver.posts) - sent <= 2 * rate
    held = Delivery.objects.filter(state=Delivery.State.HELD).count()
    assert held + Delivery.objects.filter(state=Delivery.State.SUCCEEDED).count() == 1000

"""What one bad receiver, row, key or server must not do to the others. Couriers in threads, real commits."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

import pytest
from django.db import NotSupportedError, connection, transaction
from django.db.models.functions import Now

from cases.models import Case
from deliveries import services, tasks
from deliveries.engine import (
    aside,
    crashpoints,
    doorbell,
    endpoints,
    fanout,
    health,
    lanes,
    lookout,
    outbound,
    session,
    settle,
    sweep,
    transport,
)
from deliveries.engine.courier import Courier
from deliveries.models import Attempt, Delivery, Lane, Subscription
from dotfile_hooks.celery import app
from dotfile_hooks.dev.recording import Post
from tests import factories
from workspaces import accelerator
from workspaces.models import Workspace

from .conftest import Deliver, Subscribe
from .made import outcome_of, report
from .receiver import Answer, Receiver
from .waiting import in_a_thread, wait_until

pytestmark = pytest.mark.django_db(transaction=True)
LONG = 600_000
"""Milliseconds: longer than any test takes."""


@pytest.fixture
def workspace(transactional_db: None) -> Workspace:
    return factories.workspace()


def make_backlog(workspace: Workspace, count: int) -> None:
    Case.objects.bulk_create([Case(workspace=workspace, name=f"case {n}") for n in range(count)])
    while fanout.fan_out(tasks.DOMAIN):
        pass


def wait_for_post(receiver: Receiver, path: str) -> None:
    """Until something arrives at the path."""
    wait_until(lambda: any(post.path == path for post in receiver.posts))


@pytest.mark.parametrize(("hanging", "backlog"), [(1, 600), (8, 100)])
def test_dead_receivers_with_a_backlog_do_not_delay_another(
    workspace: Workspace,
    subscribe: Subscribe,
    receiver: Receiver,
    at_work: Callable[[], Any],
    hanging: int,
    backlog: int,
) -> None:
    release = threading.Event()
    receiver.answer = lambda post: Answer(after=release if "hang" in post.path else None)
    dead = [subscribe("Case.Created", path=f"/hang{number}", timeout=30) for number in range(hanging)]
    make_backlog(workspace, backlog)
    with at_work():
        receiver.wait_for(hanging * 2)
        subscribe("Case.Deleted", path="/well")
        Case.objects.all()[0].delete()
        wait_for_post(receiver, "/well")
        assert not Attempt.objects.filter(subscription__in=dead).exists()  # it waited for the end of none of them
        release.set()


def test_a_slot_that_comes_free_goes_to_who_has_the_fewest(
    workspace: Workspace, subscribe: Subscribe, receiver: Receiver, settings: Any
) -> None:
    settings.DELIVERY_IN_FLIGHT = 8
    settings.BREAKER_FAILURES = settings.BREAKER_ATTEMPTS = 1000
    rounds: dict[int, threading.Event] = defaultdict(threading.Event)

    def answer(post: Post) -> Answer:
        """Together with the others of its four, so that no receiver is quicker than another."""
        count = len(receiver.posts)
        if count % 4 == 0:
            rounds[(count - 1) // 4].set()
        return Answer(500, after=rounds[(count - 1) // 4])

    receiver.answer = answer
    for number in range(4):
        subscribe("Case.Created", path=f"/{number}")
    make_backlog(workspace, 30)
    narrow: transport.Window[Any] = transport.Window(outbound.policy(), size=4)
    stop = threading.Event()
    thread = in_a_thread(Courier("test", narrow, tasks.DOMAIN, stop.is_set).run)
    posts = receiver.wait_for(60)[:60]
    stop.set()
    thread.join(60)
    assert Counter(post.path for post in posts) == {f"/{number}": 15 for number in range(4)}


def test_a_courier_that_was_stopped_while_it_sent_leaves_the_rest_to_its_heir(
    workspace: Workspace, subscribe: Subscribe, receiver: Receiver, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both would send the same at the same time: all that it had been about to send would come twice."""
    settings.DELIVERY_LEASE, settings.DELIVERY_TIMEOUT = 3, 0.5
    subscribe("Case.Created")
    make_backlog(workspace, 12)
    stopped = threading.Event()

    def work_to_the_end() -> None:
        with contextlib.closing(transport.Window[Any](outbound.policy(), size=64)) as window:
            Courier("test", window, tasks.DOMAIN).run()

    def stop(point: str) -> None:
        if point == "sent" and not stopped.is_set():
            stopped.set()
            wait_until(lambda: Lane.objects.filter(leased_until__lt=Now()).exists())
            heir = in_a_thread(work_to_the_end)
            heir.join(60)
            assert not heir.is_alive()

    monkeypatch.setattr(crashpoints, "hook", stop)
    work_to_the_end()
    came = Counter(post.headers["webhook-id"] for post in receiver.posts)
    assert sorted(came.values()) == [1] * 11 + [2]


def test_a_secret_that_cannot_be_decrypted_fails_alone(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> None:
    bad = subscribe("Case.Created", path="/bad")
    subscribe("Case.Created", path="/well")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE deliveries_subscription SET secret = 'garbage' WHERE id = %s", [bad.pk])
    Case.objects.create(workspace=workspace, name="Dotfile")
    deliver()
    assert [post.path for post in receiver.posts] == ["/well"]
    assert Attempt.objects.get(subscription_id=bad.pk).error == "invalid_url"


def meanwhile(work: Callable[[], Any]) -> fanout.Domain:
    """The domain, but that something happens between the look at subscriptions and the insert of deliveries."""

    def build(*asked: Any) -> Any:
        thread = in_a_thread(work)
        thread.join(60)
        assert not thread.is_alive()
        return tasks.DOMAIN.build(*asked)

    return fanout.Domain(tasks.DOMAIN.form_for, build)


def test_a_subscription_deleted_during_fan_out_leaves_nothing_waiting(
    workspace: Workspace, subscribe: Subscribe
) -> None:
    key = subscribe("Case.Created").pk
    Case.objects.create(workspace=workspace, name="Dotfile")
    fanout.fan_out(meanwhile(lambda: Subscription.objects.get(pk=key).delete()))
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.reason) == (Delivery.State.FAILED, "subscription_deleted")


def test_a_subscription_that_goes_offline_during_fan_out_holds_what_came(
    workspace: Workspace, subscribe: Subscribe
) -> None:
    key = subscribe("Case.Created").pk
    Case.objects.create(workspace=workspace, name="Dotfile")
    fanout.fan_out(meanwhile(lambda: (health.go_offline(key, "because"), aside.run())))
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.reason) == (Delivery.State.HELD, "offline")


def test_an_event_that_comes_while_its_lane_is_given_back_is_not_forgotten(
    workspace: Workspace, subscribe: Subscribe
) -> None:
    """Fan-out has locked the lane; whoever gives it back must wait, and see the new delivery."""
    subscribe("Case.Created")
    make_backlog(workspace, 1)
    (lease,) = lanes.lease("courier", 10)
    Delivery.objects.update(state=Delivery.State.SUCCEEDED)
    Case.objects.create(workspace=workspace, name="Dotfile")
    with transaction.atomic():
        fanout.fan_out(tasks.DOMAIN)
        thread = in_a_thread(lambda: lanes.release([report(lease, True)]))
        wait_until(lambda: waiting_for_locks() == 1)
    thread.join(60)
    assert Lane.objects.get().due_at is not None
    assert sweep.look().deliveries


def test_the_lock_of_one_lane_does_not_stop_other_workspaces(
    workspace: Workspace, subscribe: Subscribe, receiver: Receiver, at_work: Callable[[], Any]
) -> None:
    locked = subscribe("Case.Created", path="/locked")
    other = factories.workspace("Other")
    subscribe("Case.Created", path="/well", workspace=other)
    held, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            Lane.objects.select_for_update().get(pk=locked.pk)
            held.set()
            let_go.wait(90)

    thread = in_a_thread(hold)
    assert held.wait(60)
    Case.objects.create(workspace=workspace, name="Dotfile")
    Case.objects.create(workspace=other, name="Dotfile")
    with at_work():
        wait_for_post(receiver, "/well")  # while the lock is held
        let_go.set()
        wait_for_post(receiver, "/locked")
    thread.join(60)


def cut_our_connection() -> None:
    """Behind our back, as a server does that goes down."""
    assert connection.connection
    key = connection.connection.info.backend_pid

    def cut() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 10000)", [key])

    in_a_thread(cut).join(30)


def test_a_lane_that_was_leased_as_the_connection_was_cut_is_served_by_who_leased_it(
    workspace: Workspace,
    subscribe: Subscribe,
    receiver: Receiver,
    deliver: Deliver,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Even if it would end now."""
    monkeypatch.setattr(session, "RECONNECT", 0.0)
    settings.DELIVERY_BOUND = 0
    subscribe("Case.Created")
    make_backlog(workspace, 1)
    at, cuts = endpoints.at, iter([cut_our_connection])

    def cut_once(versions: Any) -> Any:
        for cut in cuts:
            cut()
        return at(versions)

    monkeypatch.setattr(endpoints, "at", cut_once)
    deliver()
    assert len(receiver.posts) == 1
    lane = Lane.objects.get()
    assert (lane.holder, lane.takeovers, next(cuts, None)) == ("", 0, None)


def no_broker(*arguments: Any, **options: Any) -> None:
    raise ConnectionError("The broker is away.")


def test_without_a_broker_a_deleted_subscription_leaves_nothing_waiting(
    workspace: Workspace, subscribe: Subscribe, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscription = subscribe("Case.Created")
    make_backlog(workspace, 1)
    monkeypatch.setattr(app, "send_task", no_broker)
    subscription.delete()
    assert Delivery.objects.get().reason == "subscription_deleted"


def test_without_a_broker_410_still_takes_a_subscription_offline_and_the_sweep_sets_aside(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscription = subscribe("Case.Created")
    receiver.answer = lambda post: Answer(410 if len(receiver.posts) == 1 else 503)
    monkeypatch.setattr(app, "send_task", no_broker)
    make_backlog(workspace, 3)
    deliver()
    subscription.refresh_from_db()
    assert not subscription.is_online
    assert sweep.look().closed_lanes
    monkeypatch.undo()
    tasks.set_aside()
    assert not sweep.look().closed_lanes
    assert set(Delivery.objects.values_list("reason", flat=True)) == {"gone", "offline"}


def test_what_came_online_again_is_not_held(workspace: Workspace, subscribe: Subscribe) -> None:
    subscription = subscribe("Case.Created")
    make_backlog(workspace, 1)
    health.go_offline(subscription.pk, "because")
    subscription.refresh_from_db()
    subscription.status = Subscription.Status.ONLINE
    subscription.save()
    aside.run()
    assert Delivery.objects.get().state == Delivery.State.PENDING
    assert len(lanes.lease("courier", 10)) == 1


def test_an_answer_that_cannot_be_stored_does_not_take_the_others_with_it(
    workspace: Workspace, subscribe: Subscribe
) -> None:
    subscribe("Case.Created")
    make_backlog(workspace, 2)
    (lease,) = lanes.lease("courier", 10)
    first, second = Delivery.objects.order_by("id")
    bad = outcome_of(first, lease.token, response_headers={"X": "\0"}, response_body="kept from nobody")
    settle.settle([bad, outcome_of(second, lease.token, attempts=100_000)], "courier")
    assert set(Delivery.objects.values_list("state", flat=True)) == {Delivery.State.SUCCEEDED}
    assert set(Attempt.objects.values_list("number", flat=True)) == {1, 100_000}


def test_a_lane_that_succeeds_is_not_parked_for_the_crashes_of_its_couriers(
    workspace: Workspace, subscribe: Subscribe
) -> None:
    subscribe("Case.Created")
    make_backlog(workspace, 1)
    for number in range(2 * lanes.PARK_AFTER):
        (lease,) = lanes.lease(f"courier {number}", 10)
        lanes.renew([report(lease, True)])
        Lane.objects.update(leased_until=Now())
    for _ in range(lanes.PARK_AFTER):
        (lease,) = lanes.lease("courier", 10)
        lanes.renew([report(lease, False)])
        Lane.objects.update(leased_until=Now())
    assert lanes.lease("courier", 10) == []


def test_subscriptions_are_written_one_by_one(workspace: Workspace, subscribe: Subscribe) -> None:
    subscribe("Case.Created")
    with pytest.raises(NotSupportedError, match="one by one"):
        Subscription.objects.update(status="offline")
    with pytest.raises(NotSupportedError, match="one by one"):
        Subscription.objects.bulk_create([Subscription(workspace=workspace, url="https://example.com/", events=[])])


def test_credentials_in_a_url_become_no_header(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> None:
    subscribe("Case.Created", url=f"http://bob:canary@127.0.0.1:{receiver.port}/")
    Case.objects.create(workspace=workspace, name="Dotfile")
    deliver()
    attempt = Attempt.objects.get()
    assert (attempt.error, attempt.request_headers) == ("invalid_url", {})


# The doorbell


def test_rings_do_not_hold_back_the_next_message_for_longer_than_the_first(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doorbell, "RUNG", 200)
    bell = doorbell.doorbell()
    assert bell.ring()
    wait_until(bell.ring)


def test_a_ring_that_is_repeated_since_its_answer_was_lost_still_asks_for_a_message(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    monkeypatch.setattr(doorbell, "RUNG", LONG)
    settings.WAKE_TIMEOUT = 0.25
    bell = doorbell.Doorbell(accelerator.client())
    pool: Any = bell.client.connection_pool
    spoken = pool.get_connection()
    spoken.send_command("CLIENT REPLY OFF")
    pool.release(spoken)
    assert bell.ring()
    assert not bell.ring()


def test_while_redis_is_away_a_courier_stays_awake(
    workspace: Workspace,
    subscribe: Subscribe,
    receiver: Receiver,
    window: transport.Window[Any],
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody could wake it again."""
    monkeypatch.setattr(lookout, "LINGER", 0.0)
    subscribe("Case.Created")
    there, settings.REDIS_URL, settings.DELIVERY_BOUND = settings.REDIS_URL, "redis://127.0.0.1:1/0", 0.2
    doorbell.doorbell.cache_clear()
    try:
        courier = in_a_thread(Courier("test", window, tasks.DOMAIN).run)
        for number in range(3):
            wait_until(lambda: Lane.objects.get().holder == "")
            make_case(workspace)
            receiver.wait_for(number + 1)
        assert courier.is_alive()
    finally:
        settings.REDIS_URL = there
        doorbell.doorbell.cache_clear()
    courier.join(60)
    assert not courier.is_alive()


def test_a_courier_past_its_bound_takes_work_until_another_is_awake(
    workspace: Workspace,
    subscribe: Subscribe,
    receiver: Receiver,
    at_work: Callable[[], Any],
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.DELIVERY_BOUND = 0.1
    monkeypatch.setattr(lookout, "HARD_BOUND", 10_000)
    called, release = threading.Event(), threading.Event()
    monkeypatch.setattr(doorbell, "publish", called.set)
    receiver.answer = lambda post: Answer(after=release if post.path == "/slow" else None)
    subscribe("Case.Created", path="/slow", timeout=30)
    subscribe("Case.Deleted", path="/well")
    case = make_case(workspace)
    with at_work():
        wait_for_post(receiver, "/slow")
        called.clear()
        assert called.wait(30)  # a successor, which does not come
        case.delete()
        wait_for_post(receiver, "/well")
        release.set()


def make_case(workspace: Workspace) -> Case:
    return Case.objects.create(workspace=workspace, name="Dotfile")


def test_a_courier_that_watches_is_not_rung_for_by_message(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doorbell, "RUNG", LONG)
    monkeypatch.setattr(doorbell, "WATCHED", LONG)
    bell = doorbell.doorbell()
    assert bell.watch("one") == (False, False)
    assert not bell.ring()
    assert bell.watch("one") == (True, False)
    assert bell.watch("two") == (False, True)
    assert not bell.leave()
    assert bell.ring()


def test_an_earlier_retry_replaces_a_later_one(transactional_db: None) -> None:
    bell = doorbell.doorbell()
    assert bell.claim_retry(50)
    assert not bell.claim_retry(55)
    assert bell.claim_retry(5)
    assert not bell.claim_retry(20)


def waiting_for_locks() -> int:
    """Connections to this database that wait for another one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # else a transaction sees what it saw first
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return int(cursor.fetchone()[0])


def test_a_retry_for_several_subscriptions_and_a_build_do_not_wait_for_each_other_in_a_circle(
    workspace: Workspace, subscribe: Subscribe
) -> None:
    for ordered in (False, True):
        subscribe("Case.Created", ordered=ordered)
    factories.case(workspace)
    fanout.fan_out(tasks.DOMAIN)
    Delivery.objects.update(state=Delivery.State.FAILED)
    failed = list(Delivery.objects.values_list("pk", flat=True))
    factories.case(workspace)
    done: list[object] = []
    with transaction.atomic():
        list(Delivery.objects.select_for_update().filter(pk__in=failed))  # the retry stops half-way
        retry = in_a_thread(lambda: done.append(len(services.retry_deliveries(failed))))
        wait_until(lambda: waiting_for_locks() == 1)
        build = in_a_thread(lambda: done.append(fanout.fan_out(tasks.DOMAIN)))
        wait_until(lambda: waiting_for_locks() == 2)
    retry.join(60)
    build.join(60)
    assert sorted(map(str, done)) == ["1", "2"]

"""Recovering a range: what failed or was held, oldest first, at a rate, behind live traffic."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from cases.models import Case
from deliveries import recovery, services, tasks
from deliveries.engine import doorbell, fanout, recovering, sweep
from deliveries.models import Attempt, Delivery, Lane, Recovery, Subscription
from tests import factories
from tests.workspaces.crowd import meanwhile
from workspaces.models import Workspace

from .conftest import Deliver, Subscribe
from .receiver import Answer, Receiver

State = Delivery.State
Hold = Callable[..., Subscription]
HOUR = timedelta(hours=1)


@pytest.fixture
def hold(workspace: Workspace, subscribe: Subscribe, deliver: Deliver) -> Hold:
    """A subscription that was offline while so many cases were created, and is online again."""

    def make(count: int, **fields: object) -> Subscription:
        row = subscribe("Case.Created", status="offline", **fields)
        Case.objects.bulk_create([Case(workspace=workspace, name=f"case {n}") for n in range(count)])
        deliver()
        services.set_online([row.pk], online=True)
        Lane.objects.update(due_at=None)  # as a courier leaves it that finds nothing
        return Subscription.objects.get(pk=row.pk)

    return make


def start(row: Subscription, rate: float = 20.0) -> Recovery:
    return recovery.start_recovery(row, timezone.now() - HOUR, timezone.now() + HOUR, rate)


def fresh(job: Recovery) -> Recovery:
    return Recovery.objects.get(pk=job.pk)


def states() -> list[int]:
    """Of all deliveries, in the order of their events."""
    return list(Delivery.objects.order_by("created_at", "id").values_list("state", flat=True))


def pass_by(seconds: float) -> None:
    """As if so much time had passed."""
    for table, columns in (
        ("deliveries_recovery", ("tick_at",)),
        ("deliveries_delivery", ("due_at",)),
        ("deliveries_lane", ("due_at",)),
    ):
        with connection.cursor() as cursor:
            for column in columns:
                cursor.execute(f"UPDATE {table} SET {column} = {column} - %s * interval '1 s'", [seconds])


def test_what_is_held_is_made_due_oldest_first_evenly_spaced(hold: Hold) -> None:
    job = start(hold(50), rate=10)
    assert recovering.run() == 20  # of two sweeps
    assert states() == [State.PENDING] * 20 + [State.HELD] * 30
    due = list(Delivery.objects.filter(state=State.PENDING).order_by("due_at").values_list("due_at", flat=True))
    assert {round((later - earlier).total_seconds(), 3) for earlier, later in zip(due, due[1:], strict=False)} == {0.1}
    assert due[0] >= job.created_at
    row = Delivery.objects.order_by("created_at", "id")[0]
    assert (row.reason, row.retries, row.next_type) == ("", 0, Delivery.Next.MANUAL_RETRY)
    assert Lane.objects.get().due_at == due[0]


@pytest.fixture
def slowly(settings: Settings) -> None:
    """A sweep now and then, so that what the test itself takes is next to nothing."""
    settings.SWEEP_INTERVAL = 100.0


@pytest.mark.usefixtures("slowly")
def test_the_rate_holds_from_tick_to_tick(hold: Hold) -> None:
    start(hold(80), rate=0.1)
    made = [recovering.run()]
    for _ in range(3):
        made.append(recovering.run())  # it is ahead: nothing
        Delivery.objects.filter(state=State.PENDING).update(state=State.SUCCEEDED)
        pass_by(110)
        made.append(recovering.run())
    assert made[1::2] == [0, 0, 0]
    assert made[0] == 20
    assert 53 <= sum(made) <= 58  # 330 seconds, and the little that the test itself took


@pytest.mark.usefixtures("slowly")
def test_a_late_tick_does_not_make_up_for_what_it_missed(hold: Hold) -> None:
    start(hold(50), rate=0.1)
    recovering.run()
    Delivery.objects.filter(state=State.PENDING).update(state=State.SUCCEEDED)
    pass_by(60_000)
    assert recovering.run() == 20
    assert Delivery.objects.filter(state=State.PENDING, due_at__gt=timezone.now()).count() >= 18


def test_a_rate_below_one_a_sweep_makes_one_due_at_a_time(hold: Hold) -> None:
    start(hold(3), rate=0.1)
    assert [recovering.run(), recovering.run()] == [1, 0]
    Delivery.objects.filter(state=State.PENDING).update(state=State.SUCCEEDED)
    pass_by(3)
    assert recovering.run() == 0
    pass_by(7)
    assert recovering.run() == 1


def test_a_job_is_counted_told_and_done(hold: Hold, deliver: Deliver, receiver: Receiver) -> None:
    job = start(hold(5))
    assert (fresh(job).total, recovery.share(job)) == (None, 0.0)
    assert recovering.run() == 5
    job = fresh(job)
    assert (job.state, job.total, job.recovered, recovery.share(job)) == (Recovery.State.DONE, 5, 5, 1.0)
    assert job.finished_at
    assert job.reached_at == Delivery.objects.order_by("-created_at")[0].created_at
    pass_by(1)
    deliver()
    assert len(receiver.posts) == 5
    assert set(Attempt.objects.values_list("type", flat=True)) == {Delivery.Next.MANUAL_RETRY}
    assert recovering.run() == 0


def test_what_failed_keeps_its_events_id_and_gets_automatic_retries_again(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> None:
    receiver.answer = lambda post: Answer(503)
    row = subscribe("Case.Created", max_retries=0)
    factories.case(workspace)
    deliver()
    Delivery.objects.update(retries=2)
    row.max_retries = 2
    row.save()
    start(row)
    assert recovering.run() == 1
    deliver()
    first, second = receiver.posts
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    again = Delivery.objects.get()
    assert (again.state, again.next_type, again.retries) == (State.PENDING, Delivery.Next.AUTOMATIC_RETRY, 1)


def test_the_range_has_its_beginning_and_not_its_end(hold: Hold) -> None:
    row = hold(3)
    moments = [timezone.now() - timedelta(minutes=minutes) for minutes in (3, 2, 1)]
    for key, moment in zip(Delivery.objects.order_by("id").values_list("pk", flat=True), moments, strict=True):
        Delivery.objects.filter(pk=key).update(created_at=moment)
    assert recovery.found(row, moments[0], moments[2]) == 2
    recovery.start_recovery(row, moments[0], moments[2])
    recovering.run()
    assert states() == [State.PENDING, State.PENDING, State.HELD]


def test_what_waits_or_succeeded_is_left_alone(hold: Hold) -> None:
    row = hold(4)
    keys = list(Delivery.objects.values_list("pk", flat=True))
    for key, state in zip(keys, (State.PENDING, State.SUCCEEDED, State.BLOCKED), strict=False):
        Delivery.objects.filter(pk=key).update(state=state, next_type=0)
    start(row)
    assert recovering.run() == 1
    assert Delivery.objects.filter(next_type=Delivery.Next.MANUAL_RETRY).get().pk == keys[3]


def test_another_subscriptions_deliveries_are_left_alone(hold: Hold) -> None:
    other, row = hold(1), hold(1)  # the second case is of both, online by then for the first
    start(row)
    assert recovering.run() == 1
    assert Delivery.objects.get(state=State.HELD).subscription_id == other.pk


def test_what_fails_again_is_not_recovered_twice(hold: Hold, deliver: Deliver, receiver: Receiver) -> None:
    receiver.answer = lambda post: Answer(500)
    row = hold(3, max_retries=0)
    job = start(row, rate=1)
    recovering.run()  # two of them
    pass_by(2)
    deliver()
    assert sorted(states()) == [State.FAILED, State.FAILED, State.HELD]
    recovering.on_turned_online(Subscription, row)  # starts over
    recovering.run()
    assert (fresh(job).recovered, fresh(job).total, fresh(job).state) == (3, 3, Recovery.State.DONE)


# --- Starting -------------------------------------------------------------------------------------------------------


def test_the_same_range_again_is_the_same_job(hold: Hold) -> None:
    row, since = hold(1), timezone.now() - HOUR
    until = timezone.now()
    first = recovery.start_recovery(row, since, until, requested_by="ann")
    assert recovery.start_recovery(row, since, until, requested_by="bob").pk == first.pk
    assert recovery.start_recovery(row, since).pk == first.pk
    assert (Recovery.objects.get().requested_by, Recovery.objects.get().rate) == ("ann", 20)


def test_the_same_range_at_another_rate_is_refused_rather_than_ignored(hold: Hold) -> None:
    row, since, until = hold(1), timezone.now() - HOUR, timezone.now()
    recovery.start_recovery(row, since, until)
    with pytest.raises(services.Refused, match="another range or rate"):
        recovery.start_recovery(row, since, until, rate=5)


def test_another_range_is_refused_until_the_first_has_ended(hold: Hold) -> None:
    row = hold(1)
    first = start(row)
    with pytest.raises(services.Refused, match=str(first.pk)):
        recovery.start_recovery(row, timezone.now() - 2 * HOUR)
    assert recovery.cancel(first)
    assert recovery.start_recovery(row, timezone.now() - 2 * HOUR).pk != first.pk


def test_an_offline_subscription_is_refused(hold: Hold) -> None:
    row = hold(1)
    services.set_online([row.pk], online=False)
    with pytest.raises(services.Refused, match="turn it online first"):
        start(row)
    assert not Recovery.objects.exists()


def test_a_deleted_subscription_is_refused(subscribe: Subscribe) -> None:
    row = subscribe("Case.Created")
    Subscription.objects.get().delete()
    with pytest.raises(services.Refused, match="deleted"):
        start(row)


NOW = timezone.now()


@pytest.mark.parametrize(
    ("since", "until", "rate", "field"),
    [
        (NOW, NOW, 20.0, "until"),
        (NOW, NOW - HOUR, 20.0, "until"),
        (NOW - timedelta(days=31, seconds=1), NOW, 20.0, "since"),
        (NOW - HOUR, NOW, 0.09, "rate"),
        (NOW - HOUR, NOW, 1001.0, "rate"),
        (NOW - HOUR, NOW, float("nan"), "rate"),
    ],
)
def test_a_range_or_rate_that_cannot_be_is_named(
    subscribe: Subscribe, since: datetime, until: datetime, rate: float, field: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        recovery.start_recovery(subscribe("Case.Created"), since, until, rate)
    assert list(caught.value.error_dict) == [field]


def test_31_days_are_not_too_many(subscribe: Subscribe) -> None:
    assert recovery.start_recovery(subscribe("Case.Created"), NOW - timedelta(days=31), NOW, 1000.0).rate == 1000


@pytest.mark.django_db(transaction=True)
def test_two_people_at_once_start_one_job(transactional_db: None) -> None:
    row = Subscription.objects.create(workspace=factories.workspace(), url="https://a.b/", events=["Case.Created"])
    since, until = NOW - HOUR, NOW
    first = meanwhile(
        lambda: recovery.start_recovery(row, since, until), lambda: recovery.start_recovery(row, since, until)
    )
    assert Recovery.objects.get().pk == first.pk


# --- Standing back, cancelling, waiting -----------------------------------------------------------------------------


def overdue(row: Subscription, count: int = 1) -> None:
    """So many live deliveries that have waited for longer than a second."""
    keys = Delivery.objects.order_by("-created_at", "-id").values_list("pk", flat=True)[:count]
    Delivery.objects.filter(pk__in=list(keys)).update(state=State.PENDING, due_at=timezone.now() - timedelta(seconds=2))


def waits(job: Recovery) -> str:
    return recovery.waits_for([fresh(job)])[job.pk]


def test_it_stands_back_while_live_traffic_waits(hold: Hold) -> None:
    row = hold(3)
    job = start(row)
    overdue(row)
    assert recovering.run() == 0
    assert waits(job) == "live_traffic"
    Delivery.objects.filter(state=State.PENDING).update(state=State.SUCCEEDED)
    assert waits(job) == ""
    assert recovering.run() == 2


def test_what_is_in_flight_at_a_slow_receiver_does_not_hold_it_back(hold: Hold) -> None:
    row = hold(6, max_in_flight=3)
    job = start(row)
    Lane.objects.update(leased_until=timezone.now() + HOUR)
    overdue(row, 4)
    assert (recovering.run(), waits(job)) == (0, "live_traffic")
    Delivery.objects.filter(pk=Delivery.objects.filter(state=State.PENDING)[0].pk).update(state=State.SUCCEEDED)
    assert recovering.run() == 2


def test_it_waits_while_the_receiver_is_paused(hold: Hold) -> None:
    job = start(hold(1))
    Lane.objects.update(resume_at=timezone.now() + HOUR)
    assert (recovering.run(), waits(job)) == (0, "pause")
    Lane.objects.update(resume_at=timezone.now() - HOUR)
    assert recovering.run() == 1


def test_jobs_that_wait_do_not_keep_the_others_from_their_turn(hold: Hold, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovering, "MOST_JOBS", 2)
    paused = [start(hold(0)), start(hold(0))]
    start(hold(1))
    Lane.objects.filter(subscription__recoveries__in=paused).update(resume_at=timezone.now() + HOUR)
    assert [recovering.run(), recovering.run()] == [0, 1]


def test_it_waits_while_the_subscription_is_offline_and_starts_over_then(hold: Hold, deliver: Deliver) -> None:
    row = hold(30)
    job = start(row, rate=10)
    assert recovering.run() == 20
    services.set_online([row.pk], online=False)
    tasks.set_aside()  # what it had made due
    assert states() == [State.HELD] * 30
    pass_by(5)
    assert (recovering.run(), waits(job)) == (0, "online")
    assert not sweep.look().recoveries
    services.set_online([row.pk], online=True)
    assert recovering.run() == 20
    assert (fresh(job).total, fresh(job).recovered) == (50, 40)  # twenty of them twice
    assert states() == [State.PENDING] * 20 + [State.HELD] * 10


def test_a_cancelled_job_stops_and_what_is_due_stays_due(hold: Hold) -> None:
    job = start(hold(30), rate=10)
    recovering.run()
    assert recovery.cancel(job)
    assert not recovery.cancel(job)
    pass_by(5)
    assert recovering.run() == 0
    assert states() == [State.PENDING] * 20 + [State.HELD] * 10
    assert (fresh(job).state, fresh(job).recovered) == (Recovery.State.CANCELLED, 20)


def test_a_job_that_fails_does_so_alone(hold: Hold, monkeypatch: pytest.MonkeyPatch) -> None:
    bad, good = start(hold(1)), start(hold(1))
    tick = recovering.tick

    def broken(job: object) -> int:
        if job == bad.pk:
            raise ValueError("personal")
        return tick(good.pk)

    monkeypatch.setattr(recovering, "tick", broken)
    assert recovering.run() == 1


# --- Two processes, crashes, cost -----------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_tick_that_another_process_is_at_does_nothing(transactional_db: None, hold: Hold) -> None:
    job = start(hold(5))
    assert meanwhile(lambda: recovering.tick(job.pk), lambda: recovering.tick(job.pk)) == 0
    assert fresh(job).recovered == 5


@pytest.mark.django_db(transaction=True)
def test_a_tick_does_not_wait_for_whoever_has_the_lane(transactional_db: None, hold: Hold) -> None:
    row = hold(5)
    job = start(row)
    assert meanwhile(lambda: list(Lane.objects.select_for_update()), lambda: recovering.tick(job.pk)) == 0
    assert recovering.tick(job.pk) == 5


@pytest.mark.django_db(transaction=True)
def test_a_tick_that_dies_before_its_end_has_done_nothing(transactional_db: None, hold: Hold) -> None:
    job = start(hold(5))
    with contextlib.suppress(KeyboardInterrupt), transaction.atomic():
        assert recovering.tick(job.pk) == 5
        raise KeyboardInterrupt
    assert (states(), fresh(job).recovered) == ([State.HELD] * 5, 0)
    assert recovering.tick(job.pk) == 5


def test_a_tick_takes_few_statements_whatever_its_rows(hold: Hold) -> None:
    for count in (2, 30):
        job = start(hold(count), rate=1000)
        recovering._count_once(job.pk)
        with CaptureQueriesContext(connection) as captured:
            assert recovering.tick(job.pk) == count
        statements = [query["sql"].split()[0] for query in captured if "SAVEPOINT" not in query["sql"]]
        assert len(statements) == 7  # is it counted; take, recover, note, wake; the end, is it ordered
        Recovery.objects.all().delete()
        Subscription.objects.get().delete()
        Delivery.objects.all().delete()


# --- Ordered mode ---------------------------------------------------------------------------------------------------


def test_an_ordered_subscription_recovers_what_is_held_by_itself(hold: Hold) -> None:
    row = hold(3, ordered=True)
    job = Recovery.objects.get()
    assert (job.subscription_id, job.held_only, job.requested_by) == (row.pk, True, recovering.BY_ITSELF)
    assert recovering.run() == 3
    assert fresh(job).state == Recovery.State.DONE


def test_others_wait_to_be_asked(hold: Hold) -> None:
    hold(3)
    assert not Recovery.objects.exists()


def test_by_itself_it_leaves_alone_what_was_skipped(hold: Hold) -> None:
    row = hold(0, ordered=True)
    Recovery.objects.all().delete()
    services.set_online([row.pk], online=False)
    factories.case(row.workspace)
    factories.case(row.workspace)
    fanout.fan_out(tasks.DOMAIN)
    skipped = Delivery.objects.order_by("-created_at")[0]
    Delivery.objects.filter(pk=skipped.pk).update(state=State.FAILED, reason="skipped")
    services.set_online([row.pk], online=True)
    assert recovering.run() == 1
    assert states() == [State.PENDING, State.FAILED]


def test_what_was_held_while_a_job_ran_gets_the_next_one(hold: Hold) -> None:
    row = hold(2, ordered=True)
    job = Recovery.objects.get()
    late = Delivery.objects.order_by("-created_at", "-id")[0]
    Delivery.objects.filter(pk=late.pk).update(created_at=job.until)
    assert recovering.run() == 1
    assert Recovery.objects.get(state=Recovery.State.RUNNING).since == job.until
    assert recovering.run() == 1
    assert not Recovery.objects.filter(state=Recovery.State.RUNNING).exists()
    assert row.ordered


# --- The sweep ------------------------------------------------------------------------------------------------------


def test_the_sweep_asks_once_a_second_in_one_statement(hold: Hold, settings: Settings) -> None:
    job = start(hold(30), rate=10)
    with CaptureQueriesContext(connection) as captured:
        found = sweep.look()
    assert (len(captured), found) == (1, sweep.Found(False, False, True, False))
    recovering.run()
    assert not sweep.look().recoveries  # it is ahead
    settings.SWEEP_INTERVAL = 5
    assert sweep.look().recoveries
    recovery.cancel(job)
    assert not sweep.look().recoveries


def test_the_chore_wakes_couriers(hold: Hold, deliver: Deliver) -> None:
    start(hold(1))
    doorbell.doorbell().client.delete(doorbell.FLAG)
    tasks.recover()
    assert doorbell.doorbell().leave()

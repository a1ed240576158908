"""From a recorded event to a signed POST: fan-out, lanes, sending, settling, retrying. One courier, real sockets."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cases.models import Case, Individual
from deliveries import tasks
from deliveries.engine import aside, courier, due, fanout, hand, health, lanes, lookout, settle, sweep, transport
from deliveries.engine.courier import Courier
from deliveries.engine.envelope import Parts, Shape
from deliveries.models import Attempt, Delivery, Event, Lane, Payload, Subscription
from dotfile_hooks.dev.recording import hmac_holds, library_accepts
from tests import factories
from workspaces.models import Workspace

from .conftest import Deliver, Subscribe
from .made import outcome_of, report
from .receiver import Answer, Receiver


def make_due() -> None:
    """Lets the time of every waiting retry come."""
    Delivery.objects.filter(state=Delivery.State.PENDING).update(due_at=Now())
    Lane.objects.update(due_at=Now())


def states() -> list[tuple[int, str]]:
    return list(Delivery.objects.order_by("id").values_list("state", "reason"))


# Who is sent what


def test_an_approved_case_arrives_signed(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> None:
    subscription = subscribe("Case.StatusUpdated")
    case = Case.objects.create(workspace=workspace, name="Dotfile")
    case.status = "approved"
    case.save()
    began = int(timezone.now().timestamp())
    deliver()
    (post,) = receiver.posts
    event = Event.objects.get(name="Case.StatusUpdated")
    assert post.content["event"] == "Case.StatusUpdated"
    assert "sub_event" not in post.content
    assert post.content["case"]["status"] == "approved"
    assert post.context["event_id"] == post.headers["webhook-id"] == str(event.pk)
    assert post.context["workspace"] == {"id": str(workspace.pk), "name": "Demo"}
    assert (post.context["retry_count"], post.context["remaining_retry_count"]) == (0, 18)
    assert began <= post.context["timestamp"] <= timezone.now().timestamp()
    assert post.headers["webhook-timestamp"] == str(post.context["timestamp"])
    assert post.headers["content-type"] == "application/json"
    assert post.headers["user-agent"].startswith("Dotfile-Hooks/")
    assert library_accepts(post, subscription.secret)
    assert hmac_holds(post, subscription.secret)
    assert states() == [(Delivery.State.SUCCEEDED, "")]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (["Case.Updated"], ["Case.Updated / Case.StatusUpdated"]),
        (["Case.StatusUpdated"], ["Case.StatusUpdated"]),
        (["Case.StatusUpdated", "Case.Updated"], ["Case.Updated / Case.StatusUpdated"]),
        (["Case.StatusUpdated", "Case.*", "Case.Created", "*"], ["Case.Created", "Case.Updated / Case.StatusUpdated"]),
        (["Case.InfoUpdated"], []),
        (["CaseReport.*", "Check.*"], []),
    ],
)
def test_a_sub_event_arrives_once_under_the_name_that_was_asked_for(
    workspace: Workspace,
    subscribe: Subscribe,
    deliver: Deliver,
    receiver: Receiver,
    asked: list[str],
    expected: list[str],
) -> None:
    subscribe(*asked)
    case = Case.objects.create(workspace=workspace, name="Dotfile")
    case.status = "approved"
    case.save()
    deliver()
    assert sorted(receiver.names) == expected  # two requests at a time arrive in any order


def test_another_workspace_is_told_nothing(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> None:
    subscribe("Case.Created", workspace=factories.workspace("Other"))
    Case.objects.create(workspace=workspace, name="Dotfile")
    deliver()
    assert receiver.posts == []
    assert Payload.objects.count() == 0  # nobody asked, so nothing was built


def test_an_event_that_is_older_than_the_subscription_is_not_sent(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> None:
    Case.objects.create(workspace=workspace, name="before")
    subscribe("Case.Created")
    Case.objects.create(workspace=workspace, name="after")
    deliver()
    assert [post.content["case"]["name"] for post in receiver.posts] == ["after"]


def test_what_happens_while_offline_is_held_with_its_reason(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> None:
    subscribe("Case.Created", status="offline")
    Case.objects.create(workspace=workspace, name="Dotfile")
    deliver()
    assert receiver.posts == []
    assert states() == [(Delivery.State.HELD, "offline")]


def test_an_update_and_a_delete_in_one_transaction_both_arrive_complete(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> None:
    subscribe("Case.Updated", "Case.Deleted")
    case = Case.objects.create(workspace=workspace, name="Dotfile", external_id="e-1")
    case_id = str(case.pk)
    case.status = "closed"
    case.save()
    case.delete()
    deliver()
    updated, deleted = sorted(receiver.posts, key=lambda post: post.context["sequence"])
    assert (updated.content["case"]["id"], updated.content["case"]["status"]) == (case_id, "closed")
    assert updated.content["case"]["individuals"] == []
    assert deleted.content["case"] == {"id": case_id, "name": "Dotfile", "external_id": "e-1"}


def test_an_event_about_a_person_still_names_the_case_when_that_is_gone(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> None:
    subscribe("Individual.Created")
    case = Case.objects.create(workspace=workspace, name="Dotfile")
    Individual.objects.create(case=case, first_name="John", last_name="CARTER")
    case_id = str(case.pk)
    case.delete()
    deliver()
    (post,) = receiver.posts
    assert post.context["case"]["id"] == case_id
    assert post.content["individual"]["last_name"] == "CARTER"


def test_a_payload_is_kept_and_a_retry_does_not_rebuild_it(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> None:
    subscribe("Case.Created")
    case = Case.objects.create(workspace=workspace, name="as it was")
    receiver.answer = lambda post: Answer(500)
    deliver()
    case.name = "as it is"
    case.save()
    make_due()
    deliver()
    first, second = (post.content for post in receiver.posts)
    assert first["case"] == second["case"]
    counters = {"timestamp", "retry_count", "remaining_retry_count"}
    assert {k: v for k, v in first["context"].items() if k not in counters} == {
        k: v for k, v in second["context"].items() if k not in counters
    }


def test_an_event_that_cannot_be_built_fails_alone(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> None:
    subscribe("Case.Created")
    for name in ("before", "poison", "after"):
        Case.objects.create(workspace=workspace, name=name)
    poison = Event.objects.get(fields__name="poison")
    Event.objects.filter(pk=poison.pk).update(fields={"name": "poison"})
    deliver()
    assert {post.content["case"]["name"] for post in receiver.posts} == {"before", "after"}
    poison.refresh_from_db()
    assert (poison.state, poison.builds) == (Event.State.WAITING, 1)
    assert poison.error.startswith("KeyError")
    Event.objects.filter(pk=poison.pk).update(builds=fanout.MAX_BUILDS - 1, build_at=Now())
    deliver()
    poison.refresh_from_db()
    assert poison.state == Event.State.FAILED


def test_an_event_that_the_database_refuses_fails_alone(
    workspace: Workspace, deliver: Deliver, subscribe: Subscribe, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscribe("Case.Created")
    for name in ("before", "poison", "after"):
        Case.objects.create(workspace=workspace, name=name)
    poison = Event.objects.get(fields__name="poison").pk

    def build(*asked: Any) -> Any:
        built = tasks.DOMAIN.build(*asked)
        return {key: {Shape(): Parts("\0", "\0")} if key == poison else told for key, told in built.items()}

    domain = fanout.Domain(tasks.DOMAIN.form_for, build)
    assert fanout.fan_out(domain) == 3
    deliver()
    assert {post.content["case"]["name"] for post in receiver.posts} == {"before", "after"}


# Answers


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_2xx_is_success(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver, status: int
) -> None:
    subscribe("Case.Created")
    receiver.answer = lambda post: Answer(status, body=b"")
    Case.objects.create(workspace=workspace, name="Dotfile")
    assert deliver() is None
    assert states() == [(Delivery.State.SUCCEEDED, "")]
    attempt = Attempt.objects.get()
    assert (attempt.status_code, attempt.number, attempt.late, attempt.worker) == (status, 1, False, "test")


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 404, 500, 503])
def test_any_other_answer_is_retried_five_seconds_later(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver, status: int
) -> None:
    subscribe("Case.Created")
    receiver.answer = lambda post: Answer(status, {"Location": receiver.url("/elsewhere")})
    Case.objects.create(workspace=workspace, name="Dotfile")
    seconds = deliver()
    assert seconds is not None
    assert seconds <= 6
    row = Delivery.objects.get()
    assert row.last_attempt_at is not None
    assert row.due_at - row.last_attempt_at >= timedelta(seconds=4)
    assert len(receiver.posts) == 1
    assert states() == [(Delivery.State.PENDING, "")]


def test_a_retry_carries_the_same_id_and_new_counters(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> None:
    subscription = subscribe("Case.Created", max_retries=2)
    receiver.answer = lambda post: Answer(500, body="nö\0".encode())
    Case.objects.create(workspace=workspace, name="Dotfile")
    for _ in range(4):
        deliver()
        make_due()
    assert len({post.headers["webhook-id"] for post in receiver.posts}) == 1
    counters = [(post.context["retry_count"], post.context["remaining_retry_count"]) for post in receiver.posts]
    assert counters == [(0, 2), (1, 1), (2, 0)]
    assert states() == [(Delivery.State.FAILED, "retries_used_up")]
    assert all(library_accepts(post, subscription.secret) for post in receiver.posts)
    kinds = Attempt.objects.order_by("number").values_list("number", "type", "response_body")
    assert list(kinds) == [(1, 0, "nö␀"), (2, 1, "nö␀"), (3, 1, "nö␀")]


def test_retry_after_is_honoured(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> None:
    subscribe("Case.Created")
    receiver.answer = lambda post: Answer(503, {"Retry-After": "3600"})
    Case.objects.create(workspace=workspace, name="Dotfile")
    seconds = deliver()
    assert seconds is not None
    assert 3590 < seconds <= 3600


def test_410_takes_the_subscription_offline_with_its_reason(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> None:
    subscription = subscribe("Case.Created")
    receiver.answer = lambda post: Answer(410)
    Case.objects.create(workspace=workspace, name="Dotfile")
    deliver()
    subscription.refresh_from_db()
    assert (subscription.status, subscription.offline_reason) == ("offline", health.GONE)
    assert states() == [(Delivery.State.FAILED, "gone")]
    Case.objects.create(workspace=workspace, name="later")
    deliver()
    assert len(receiver.posts) == 1


def test_a_receiver_that_is_not_there_is_an_attempt_without_status(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver
) -> None:
    subscribe("Case.Created", url="http://127.0.0.1:1/")
    Case.objects.create(workspace=workspace, name="Dotfile")
    assert deliver() is not None
    attempt = Attempt.objects.get()
    assert (attempt.status_code, attempt.error) == (None, "connection_failed")


def test_an_address_that_is_not_public_is_not_called(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver
) -> None:
    subscribe("Case.Created", url="https://10.0.0.1/")
    Case.objects.create(workspace=workspace, name="Dotfile")
    deliver()
    assert Attempt.objects.get().error == "refused_address"


@pytest.mark.parametrize("broken", [{"url": "no url"}, {"headers": {"X-Key": "line\nbreak"}}])
def test_a_subscription_that_cannot_be_sent_to_fails_visibly_and_alone(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver, broken: dict[str, Any]
) -> None:
    subscribe("Case.Created", **broken)
    subscribe("Case.Created", path="/well")
    Case.objects.create(workspace=workspace, name="Dotfile")
    deliver()
    assert [post.path for post in receiver.posts] == ["/well"]
    assert sorted(Attempt.objects.values_list("error", flat=True)) == ["", "invalid_url"]


def test_custom_headers_are_sent_and_hidden_in_the_history(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> None:
    subscribe("Case.Created", headers={"X-Api-Key": "canary"})
    Case.objects.create(workspace=workspace, name="Dotfile")
    deliver()
    assert receiver.posts[0].headers["x-api-key"] == "canary"
    shown = Attempt.objects.get().request_headers
    assert shown["X-Api-Key"] == "(hidden)"
    assert "canary" not in json.dumps(shown)


def test_during_a_rotation_both_secrets_sign(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> None:
    subscription = subscribe("Case.Created")
    old = subscription.secret
    subscription.previous_secret, subscription.secret = old, "whsec_" + "bmV3" * 8
    subscription.previous_secret_until = timezone.now() + timedelta(minutes=5)
    subscription.save()
    Case.objects.create(workspace=workspace, name="Dotfile")
    deliver()
    (post,) = receiver.posts
    assert library_accepts(post, old)
    assert library_accepts(post, subscription.secret)
    assert hmac_holds(post, subscription.secret)
    assert "dotfile-signature-previous" in post.headers


# Lanes


def test_a_lane_goes_back_when_it_is_drained(workspace: Workspace, subscribe: Subscribe, deliver: Deliver) -> None:
    subscribe("Case.Created")
    Case.objects.create(workspace=workspace, name="Dotfile")
    deliver()
    lane = Lane.objects.get()
    assert (lane.holder, lane.token, lane.due_at, lane.proven, lane.takeovers) == ("", None, None, True, 0)


def test_a_lane_that_another_courier_holds_is_left_alone(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> None:
    subscribe("Case.Created")
    Case.objects.create(workspace=workspace, name="Dotfile")
    fanout.fan_out(tasks.DOMAIN)
    (lease,) = lanes.lease("another", 10)
    deliver()
    assert receiver.posts == []
    lanes.release([report(lease, False)])
    deliver()
    assert len(receiver.posts) == 1


def test_the_lane_of_a_dead_courier_is_taken_over_and_counted(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> None:
    subscribe("Case.Created")
    Case.objects.create(workspace=workspace, name="Dotfile")
    fanout.fan_out(tasks.DOMAIN)
    lanes.lease("dead", 10)
    Lane.objects.update(leased_until=Now() - timedelta(seconds=1))
    (lease,) = lanes.lease("heir", 10)
    assert lease.taken_over
    assert Lane.objects.get().takeovers == 1
    Lane.objects.update(leased_until=Now() - timedelta(seconds=1), takeovers=lanes.PARK_AFTER)
    assert lanes.lease("third", 10) == []
    assert not sweep.look().deliveries


def test_a_courier_that_slept_past_its_lease_overwrites_nothing(workspace: Workspace, subscribe: Subscribe) -> None:
    subscribe("Case.Created")
    Case.objects.create(workspace=workspace, name="Dotfile")
    fanout.fan_out(tasks.DOMAIN)
    lanes.lease("sleeper", 10)
    outcome = outcome_of(Delivery.objects.get(), token=uuid.uuid4())
    settle.settle([outcome], "sleeper")
    assert states() == [(Delivery.State.PENDING, "")]
    assert Attempt.objects.get().late


def test_an_event_that_comes_while_a_lane_is_held_makes_it_due_again(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> None:
    subscribe("Case.Created")
    Case.objects.create(workspace=workspace, name="first")
    made: list[Case] = []

    def and_another(post: Any) -> Answer:
        return Answer()

    receiver.answer = and_another
    fanout.fan_out(tasks.DOMAIN)
    (lease,) = lanes.lease("slow", 10)
    made.append(Case.objects.create(workspace=workspace, name="second"))
    fanout.fan_out(tasks.DOMAIN)
    lanes.release([report(lease, True)])
    assert lanes.seconds_until_due() is not None
    deliver()
    assert len(receiver.posts) == 2


def test_deliveries_of_a_deleted_subscription_fail_visibly(workspace: Workspace, subscribe: Subscribe) -> None:
    subscription = subscribe("Case.Created")
    Case.objects.create(workspace=workspace, name="Dotfile")
    fanout.fan_out(tasks.DOMAIN)
    subscription.delete()
    aside.run()
    assert states() == [(Delivery.State.FAILED, "subscription_deleted")]


def test_going_offline_holds_what_waits_once_the_courier_has_let_go(workspace: Workspace, subscribe: Subscribe) -> None:
    subscription = subscribe("Case.Created")
    Case.objects.create(workspace=workspace, name="Dotfile")
    fanout.fan_out(tasks.DOMAIN)
    (lease,) = lanes.lease("courier", 10)
    assert health.go_offline(subscription.pk, "because")
    aside.run()
    assert states() == [(Delivery.State.PENDING, "")]
    assert not sweep.look().closed_lanes
    lanes.release([report(lease, False)])
    assert sweep.look().closed_lanes
    aside.run()
    assert states() == [(Delivery.State.HELD, "offline")]
    assert Subscription.objects.get().offline_since is not None


# Statements


def count_statements(events: int, workspace: Workspace, window: transport.Window[Any]) -> int:
    Case.objects.bulk_create([Case(workspace=workspace, name=f"case {n}") for n in range(events)])
    with CaptureQueriesContext(connection) as captured:
        assert fanout.fan_out(tasks.DOMAIN) == events
    return len(captured)


def test_building_takes_the_same_number_of_statements_for_one_event_and_for_many(
    workspace: Workspace, subscribe: Subscribe, window: transport.Window[Any]
) -> None:
    subscribe("Case.Created")
    one = count_statements(1, workspace, window)
    for _ in range(10):
        subscribe("Case.Created")
    assert count_statements(150, workspace, window) == one


def test_sending_many_takes_few_statements(
    workspace: Workspace, subscribe: Subscribe, window: transport.Window[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookout, "LINGER", 0.0)
    for module, name in ((lookout, "LOOK"), (courier, "SETTLE_AFTER"), (hand, "TEND")):
        monkeypatch.setattr(module, name, 60.0)  # what is done every so often depends on how busy the machine is
    for _ in range(4):
        subscribe("Case.Created")
    Case.objects.bulk_create([Case(workspace=workspace, name=f"case {n}") for n in range(150)])
    fanout.fan_out(tasks.DOMAIN)
    with CaptureQueriesContext(connection) as captured:
        Courier("test", window, tasks.DOMAIN).run()
    assert Delivery.objects.filter(state=Delivery.State.SUCCEEDED).count() == 600
    assert len(captured) < 150


def test_retries_that_wait_for_later_do_not_slow_down_what_is_due(workspace: Workspace, subscribe: Subscribe) -> None:
    """What is due is a condition of the index, not a filter over all that waits."""
    subscription = subscribe("Case.Created")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO deliveries_delivery (id, workspace_id, subscription_id, event_id, payload_id, event_name, "
            "sub_event, state, reason, due_at, attempts, retries, next_type, created_at) "
            "SELECT deliveries_uuid7(), %s, %s, gen_random_uuid(), gen_random_uuid(), 'Case.Created', '', 0, '', "
            "now() + interval '1 hour', 1, 1, 1, now() FROM generate_series(1, 5000)",
            [workspace.pk, subscription.pk],
        )
        cursor.execute("ANALYZE deliveries_delivery")
        due.read([due.Want(subscription.pk, 100, None)])  # which makes PostgreSQL plan the statement
        cursor.execute("EXPLAIN EXECUTE read_due(%s, %s, %s)", [f"{{{subscription.pk}}}", "{100}", "{-infinity}"])
        plan = "\n".join(row[0] for row in cursor.fetchall())
    conditions = [line for line in plan.splitlines() if "Index Cond" in line]
    assert any("due_at <= statement_timestamp()" in line for line in conditions), plan

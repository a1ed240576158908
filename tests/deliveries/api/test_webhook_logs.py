"""The webhook logs of the API: what was delivered, to the byte."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from cases.models import Case
from deliveries import services
from deliveries.models import Delivery, Lane, Payload
from tests import factories
from tests.deliveries.conftest import Deliver, Subscribe
from tests.deliveries.receiver import Answer, Receiver
from workspaces.models import Workspace

LOG = {"id", "event", "status_code", "endpoint", "retry_count", "case_id", "individual_id", "company_id"} | {
    *("webhook_id", "created_at", "last_attempt_at", "payload", "next_retry_at", "attempts", "state", "reason")
}
# Deliveries of a workspace, all tried, to 20 webhooks, with one answer; one in 100 failed without any.
MANY = """
INSERT INTO deliveries_delivery (id, workspace_id, subscription_id, event_id, payload_id, event_name, sub_event,
    case_id, individual_id, company_id, state, reason, due_at, attempts, retries, next_type, status_code,
    last_attempt_at, created_at)
SELECT deliveries_uuid7(), %s, md5((n %% 20)::text)::uuid, gen_random_uuid(), gen_random_uuid(), 'Case.Created', '',
    gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), CASE WHEN n %% 100 = 0 THEN 2 ELSE 1 END, '', now(), 1, 0,
    0, CASE WHEN n %% 100 = 0 THEN NULL ELSE %s END, now(), now() - n * interval '1 s'
FROM generate_series(1, 5000) n
"""
STUCK = "delivery_log_stuck|delivery_recoverable|delivery_stuck"
"""Each holds what failed or is held, and little else."""
INDEX = re.compile(r"Scan (?:Backward )?(?:using|on) (delivery_\w+)")
BUSY = uuid.UUID(hashlib.md5(b"1").hexdigest())  # noqa: S324  no secret
"""A subscription of many of these."""
ATTEMPT = {"type", "endpoint", "status_code", "request_headers", "response_headers", "response_body", "attempted_at"}
OURS = {"worker", "error", "duration_ms"}


@pytest.fixture
def client(workspace: Workspace) -> APIClient:
    return factories.api_client(workspace)


def logs(client: APIClient, query: str = "") -> list[dict[str, Any]]:
    response = client.get(f"/v1/webhook-logs?{query}")
    assert response.status_code == 200, response.json()
    found: list[dict[str, Any]] = response.json()["data"]
    return found


def retry(deliver: Deliver) -> None:
    """What waits for its retry is tried now."""
    Delivery.objects.filter(state=Delivery.State.PENDING).update(due_at=timezone.now())
    Lane.objects.update(due_at=timezone.now())
    deliver()


def test_a_delivery_is_told_with_its_attempt(
    client: APIClient, workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> None:
    receiver.answer = lambda post: Answer(200, {"X-Seen": "yes"}, b"thanks")
    subscription = subscribe("Case.Created", headers={"X-Api-Key": "hush"})
    case = factories.case(workspace)
    deliver()
    (log,) = logs(client)
    assert set(log) == LOG
    assert (log["event"], log["status_code"], log["retry_count"]) == ("Case.Created", 200, 0)
    assert (log["case_id"], log["individual_id"]) == (str(case.pk), None)
    assert (log["webhook_id"], log["endpoint"]) == (str(subscription.pk), subscription.url)
    assert log["next_retry_at"] is None
    (attempt,) = log["attempts"]
    assert set(attempt) == ATTEMPT | OURS
    assert (attempt["type"], attempt["status_code"], attempt["response_body"]) == ("first_call", 200, "thanks")
    assert attempt["response_headers"]["X-Seen"] == "yes"
    assert attempt["request_headers"]["Dotfile-Signature"] == receiver.posts[0].headers["dotfile-signature"]
    assert "hush" not in json.dumps(log)


def test_the_payload_is_the_body_of_the_latest_attempt(
    client: APIClient, workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> None:
    receiver.answer = lambda post: Answer(503)
    row = subscribe("Case.Created", max_retries=5)
    factories.case(workspace, name="Zoë & “Söhne”")
    deliver()
    retry(deliver)
    row.max_retries = 9
    row.save()
    (log,) = logs(client)
    assert log["payload"] == json.loads(receiver.posts[1].body)
    context = log["payload"]["context"]
    assert (context["retry_count"], context["remaining_retry_count"]) == (1, 4)


def test_attempts_come_newest_first_and_say_what_kind_they_were(
    client: APIClient, workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> None:
    receiver.answer = lambda post: Answer(503)
    subscribe("Case.Created", max_retries=1)
    factories.case(workspace)
    deliver()
    retry(deliver)
    services.retry_deliveries(Delivery.objects.all())
    deliver()
    (log,) = logs(client)
    assert [attempt["type"] for attempt in log["attempts"]] == ["manual_retry", "automatic_retry", "first_call"]
    assert (log["status_code"], log["retry_count"]) == (503, 2)
    assert log["next_retry_at"] > log["last_attempt_at"]


def test_no_answer_is_status_0_with_the_class_of_error(
    client: APIClient, workspace: Workspace, subscribe: Subscribe, deliver: Deliver
) -> None:
    subscribe("Case.Created", url="http://127.0.0.1:9/")
    factories.case(workspace)
    deliver()
    (log,) = logs(client)
    attempt = log["attempts"][0]
    assert (log["status_code"], attempt["status_code"], attempt["error"]) == (0, 0, "connection_failed")
    assert (attempt["response_headers"], attempt["response_body"]) == (None, None)


def test_what_was_not_tried_yet_is_no_log(
    client: APIClient, workspace: Workspace, subscribe: Subscribe, deliver: Deliver
) -> None:
    subscribe("Case.Created", status="offline")
    factories.case(workspace)
    deliver()
    assert Delivery.objects.count() == 1
    assert logs(client) == []


def test_a_payload_that_is_no_longer_kept_is_empty(
    client: APIClient, workspace: Workspace, subscribe: Subscribe, deliver: Deliver
) -> None:
    subscribe("Case.Created")
    factories.case(workspace)
    deliver()
    Payload.objects.all().delete()
    assert logs(client)[0]["payload"] == {}


def test_the_logs_of_a_deleted_webhook_stay(
    client: APIClient, workspace: Workspace, subscribe: Subscribe, deliver: Deliver
) -> None:
    row = subscribe("Case.Created")
    factories.case(workspace)
    deliver()
    key = str(row.pk)
    row.delete()
    assert [log["webhook_id"] for log in logs(client)] == [key]


def test_another_workspace_sees_no_logs(workspace: Workspace, subscribe: Subscribe, deliver: Deliver) -> None:
    subscribe("Case.Created")
    factories.case(workspace)
    deliver()
    assert logs(factories.api_client(factories.workspace("Other"))) == []


def test_logs_are_filtered_and_come_newest_first(
    client: APIClient, workspace: Workspace, subscribe: Subscribe, deliver: Deliver
) -> None:
    first = subscribe("Case.Created")
    subscribe("Individual.Created", path="/people")
    case = factories.case(workspace)
    person = factories.individual(factories.case(workspace))
    deliver()
    assert [log["event"] for log in logs(client)] == ["Individual.Created", "Case.Created", "Case.Created"]
    assert len(logs(client, "sort=created_at&limit=1")) == 1
    assert len(logs(client, "event=Case.Created")) == 2
    assert len(logs(client, "event.in=Case.Created,Individual.Created")) == 3
    assert len(logs(client, f"case_id={case.pk}")) == 1
    assert len(logs(client, f"individual_id={person.pk}")) == 1
    assert len(logs(client, f"individual_id.not_eq={person.pk}")) == 2
    assert len(logs(client, f"company_id={person.pk}")) == 0
    assert len(logs(client, f"webhook_id={first.pk}")) == 2
    assert len(logs(client, "created_at.gte=2100-01-01")) == 0


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("status_code=200", [200]),
        ("status_code=0", [0]),
        ("status_code.not_eq=200", [0, 503]),
        ("status_code.not_eq=0", [200, 503]),
        ("status_code.in=0,503", [0, 503]),
        ("status_code.not_in=0,503", [200]),
        ("status_code.not_in=200,503", [0]),
        ("status_code.not_in=0,201", [200, 503]),
        ("status_code.not_in=199,201,502,504", [0, 200, 503]),
        ("status_code.not_in=0,200,503", []),
        ("status_code.gte=500", [503]),
        ("status_code.lte=200", [200]),
        ("status_code=404", []),
    ],
)
def test_logs_are_filtered_by_the_status_they_show(
    client: APIClient, workspace: Workspace, subscribe: Subscribe, deliver: Deliver, query: str, expected: list[int]
) -> None:
    subscribe("Case.Created")
    for status in (200, 503, None):
        factories.case(workspace)
        deliver()
        Delivery.objects.filter(pk=Delivery.objects.latest("created_at").pk).update(status_code=status)
    assert sorted(log["status_code"] for log in logs(client, query)) == expected


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("", "delivery_log"),
        ("webhook_id={id}", "delivery_log_webhook"),
        ("event=Company.Deleted", "delivery_log_event"),
        ("individual_id={id}", "delivery_log_individual"),
        ("company_id={id}", "delivery_log_company"),
        ("case_id={id}", "delivery_case"),
        ("state=failed", STUCK),
        ("state.in=failed,held", STUCK),
        ("state.in=pending,blocked", "delivery_due"),
        ("state.not_eq=succeeded", STUCK),
        ("state.not_in=succeeded,failed", "delivery_due"),
        ("event.not_eq=Case.Created", "delivery_log_event"),
        ("event.not_in=Case.Created,Case.Updated", "delivery_log_event"),
        ("status_code=503", "delivery_log_answer"),
        ("status_code=201", "delivery_log_answer"),
        ("status_code=0", "delivery_log_answer"),
        ("status_code.in=201,204", "delivery_log_answer"),
        ("status_code.not_eq=200", "delivery_log_answer"),
        ("status_code.not_in=0,200,204", "delivery_log_answer"),
        ("status_code.gte=201", "delivery_log_answer"),
        ("status_code.lte=199", "delivery_log_answer"),
        (f"webhook_id={BUSY}&status_code=201", "delivery_log_answer"),
        ("webhook_id={id}&state=failed", "delivery_recoverable"),
        ("webhook_id={id}&state=succeeded", "delivery_log_webhook"),
    ],
)
def test_a_filtered_log_of_many_is_read_by_an_index(
    client: APIClient, workspace: Workspace, query: str, index: str
) -> None:
    fill((workspace, 200))
    used = {match[1] for match in INDEX.finditer(plan_of(client, query.format(id=uuid.uuid4())))}
    assert used & set(index.split("|")), used
    assert query == "" or "delivery_log" not in used  # which is all of it


def test_a_status_that_only_others_are_answered_with_is_not_looked_for_in_the_whole_log(
    client: APIClient, workspace: Workspace
) -> None:
    fill((workspace, 200), (factories.workspace("Other"), 204))
    plan = plan_of(client, "status_code.in=201,204")
    assert "delivery_log " not in plan, plan


def fill(*answers: tuple[Workspace, int]) -> None:
    with connection.cursor() as cursor:
        for workspace, status in answers:
            cursor.execute(MANY, [workspace.pk, status])
        cursor.execute("ANALYZE deliveries_delivery")


def plan_of(client: APIClient, query: str) -> str:
    with CaptureQueriesContext(connection) as queries:
        logs(client, query)
    found = next(query["sql"] for query in queries.captured_queries if "LIMIT 21" in query["sql"])
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {found}")
        return "\n".join(row[0] for row in cursor.fetchall())


def test_the_log_is_paged_by_cursors(
    client: APIClient, workspace: Workspace, subscribe: Subscribe, deliver: Deliver
) -> None:
    subscribe("Case.Created")
    for _ in range(5):
        factories.case(workspace)
    deliver()
    found, query = [], "limit=2"
    for _ in range(3):
        answer = client.get(f"/v1/webhook-logs?{query}").json()
        found += answer["data"]
        query = f"limit=2&cursor={answer['pagination']['next_cursor']}"
    assert (found, answer["pagination"]["next_cursor"]) == (logs(client), None)


@pytest.mark.parametrize(
    "query",
    [
        "limit=51",
        "sort=event",
        "event=Nonsense",
        "case_id=1",
        "status_code=2xx",
        "status_code=99",
        "status_code.in=200,",
        "status_code.like=2",
    ],
)
def test_a_query_that_is_not_understood_is_400(client: APIClient, query: str) -> None:
    assert client.get(f"/v1/webhook-logs?{query}").status_code == 400


def test_the_list_takes_the_same_queries_for_one_row_and_for_many(
    client: APIClient,
    workspace: Workspace,
    subscribe: Subscribe,
    deliver: Deliver,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    subscribe("Case.Created")
    client.get("/v1/webhook-logs")
    for expected in (1, 6):
        while Case.objects.count() < expected:
            factories.case(workspace)
        deliver()
        with django_assert_num_queries(6):  # key, keys and rows of the page, their attempts and payloads, count
            assert len(logs(client)) == expected


# --- By state: the dead letters among them --------------------------------------------------------------------------


def test_a_log_tells_its_state_and_why(
    client: APIClient, workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> None:
    receiver.answer = lambda post: Answer(500)
    subscribe("Case.Created", max_retries=0)
    factories.case(workspace)
    deliver()
    (log,) = logs(client, "state=failed")
    assert (log["state"], log["reason"], log["next_retry_at"]) == ("failed", "retries_used_up", None)
    assert logs(client, "state=succeeded") == []
    assert len(logs(client, "state.in=failed,held")) == 1
    assert logs(client, "state.not_eq=failed") == []


def test_what_is_held_is_listed_by_its_state_with_what_it_will_say(
    client: APIClient, workspace: Workspace, subscribe: Subscribe, deliver: Deliver
) -> None:
    subscribe("Case.Created", status="offline")
    factories.case(workspace, name="Zoë")
    deliver()
    assert logs(client) == []  # nothing was tried yet
    (log,) = logs(client, "state=held")
    assert (log["state"], log["reason"], log["attempts"], log["last_attempt_at"]) == ("held", "offline", [], None)
    assert log["payload"]["case"]["name"] == "Zoë"
    assert "retry_count" not in log["payload"]["context"]
    assert client.get(f"/v1/webhook-logs/{log['id']}").json() == log


def test_a_blocked_one_says_that_it_waits_for_an_earlier_event(
    client: APIClient, workspace: Workspace, subscribe: Subscribe, deliver: Deliver
) -> None:
    subscribe("Case.Created")
    factories.case(workspace)
    deliver()
    Delivery.objects.update(ordered=True, state=Delivery.State.BLOCKED, reason="earlier_event")
    (log,) = logs(client, "state=blocked")
    assert (log["state"], log["reason"], log["next_retry_at"]) == ("blocked", "earlier_event", None)


def test_an_unknown_state_is_named(client: APIClient) -> None:
    response = client.get("/v1/webhook-logs?state=dead")
    assert (response.status_code, "pending" in response.json()["errors"][0]["message"]) == (400, True)


def test_one_log_has_all_its_attempts(
    client: APIClient, workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> None:
    receiver.answer = lambda post: Answer(503)
    subscribe("Case.Created")
    factories.case(workspace)
    deliver()
    retry(deliver)
    (log,) = logs(client)
    one = client.get(f"/v1/webhook-logs/{log['id']}").json()
    assert one == log
    assert len(one["attempts"]) == 2


# --- Retries --------------------------------------------------------------------------------------------------------


@pytest.fixture
def failed(workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver) -> Delivery:
    receiver.answer = lambda post: Answer(500)
    subscribe("Case.Created", max_retries=0)
    factories.case(workspace)
    deliver()
    receiver.answer = lambda post: Answer(200)
    return Delivery.objects.get()


def test_one_is_retried_under_the_id_of_its_event(
    client: APIClient, failed: Delivery, deliver: Deliver, receiver: Receiver
) -> None:
    for expected in (2, 3):  # once because it failed, once more because somebody wants it again
        response = client.post(f"/v1/webhook-logs/{failed.pk}/retry")
        assert (response.status_code, response.json()["state"]) == (202, "pending")
        deliver()
        assert len(receiver.posts) == expected
    assert len({post.headers["webhook-id"] for post in receiver.posts}) == 1
    assert logs(client)[0]["attempts"][0]["type"] == "manual_retry"


def test_a_retry_twice_is_one(client: APIClient, failed: Delivery, deliver: Deliver, receiver: Receiver) -> None:
    first, second = (client.post(f"/v1/webhook-logs/{failed.pk}/retry") for _ in range(2))
    assert (first.status_code, first.json()) == (second.status_code, second.json())
    deliver()
    assert len(receiver.posts) == 2


def test_a_retry_while_the_webhook_is_offline_is_409_and_says_what_to_do(client: APIClient, failed: Delivery) -> None:
    services.set_online([failed.subscription_id], online=False)
    for path, body in ((f"{failed.pk}/retry", None), ("retry", {"ids": [str(failed.pk)]})):
        response = client.post(f"/v1/webhook-logs/{path}", body)
        assert (response.status_code, "turn it online first" in response.json()["message"]) == (409, True)
    assert Delivery.objects.get().state == Delivery.State.FAILED


def test_a_selection_is_retried_and_the_rest_left_alone(
    client: APIClient, workspace: Workspace, failed: Delivery, deliver: Deliver, receiver: Receiver
) -> None:
    factories.case(workspace)
    deliver()
    succeeded = Delivery.objects.get(state=Delivery.State.SUCCEEDED)
    ids = [str(succeeded.pk), str(failed.pk), str(failed.pk)]
    response = client.post("/v1/webhook-logs/retry", {"ids": ids})
    assert response.status_code == 202
    assert response.json() == {"retried": [str(failed.pk)], "left_alone": [str(succeeded.pk)]}
    deliver()
    assert len(receiver.posts) == 3
    assert client.post("/v1/webhook-logs/retry", {"ids": ids}).json()["retried"] == []


@pytest.mark.parametrize(
    ("ids", "field"),
    [([], "ids"), (None, "ids"), (["x"], "ids.0"), ([str(uuid.uuid4())] * 1001, "ids"), ([str(uuid.uuid4())], "ids.0")],
)
def test_a_selection_that_cannot_be_is_named(client: APIClient, ids: Any, field: str) -> None:
    response = client.post("/v1/webhook-logs/retry", {"ids": ids})
    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, field)


def test_a_selection_with_anothers_log_changes_nothing(failed: Delivery, subscribe: Subscribe) -> None:
    stranger = factories.api_client(factories.workspace("Other"))
    assert stranger.post("/v1/webhook-logs/retry", {"ids": [str(failed.pk)]}).status_code == 400
    assert Delivery.objects.get().state == Delivery.State.FAILED

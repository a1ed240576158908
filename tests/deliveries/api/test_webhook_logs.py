"""The webhook logs of the API: what was delivered, to the byte."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from cases.models import Case
from deliveries import services
from deliveries.api.logs import WebhookLogViewSet
from deliveries.models import Delivery, Lane, Payload
from tests import factories
from tests.deliveries.conftest import Deliver, Subscribe
from tests.deliveries.receiver import Answer, Receiver
from workspaces.models import Workspace

LOG = {"id", "event", "status_code", "endpoint", "retry_count", "case_id", "individual_id", "company_id"} | {
    *("webhook_id", "created_at", "last_attempt_at", "payload", "next_retry_at", "attempts")
}
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


@pytest.mark.parametrize("query", ["limit=51", "sort=event", "event=Nonsense", "case_id=1", "status_code=200"])
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
        with django_assert_num_queries(5):  # the key, the page, its attempts, its payloads, the count
            assert len(logs(client)) == expected


def test_logs_are_counted_to_a_bound(
    client: APIClient, workspace: Workspace, subscribe: Subscribe, deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(WebhookLogViewSet, "max_count", 2)
    subscribe("Case.Created")
    for _ in range(3):
        factories.case(workspace)
    deliver()
    answer = client.get("/v1/webhook-logs?limit=1&page=3").json()
    assert (len(answer["data"]), answer["pagination"]["count"]) == (1, 2)

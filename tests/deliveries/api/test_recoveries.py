"""Recoveries through the API: started, watched, cancelled."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from deliveries import recovery, services
from deliveries.engine import recovering
from deliveries.models import Delivery, Lane, Recovery, Subscription
from tests import factories
from tests.deliveries.conftest import Deliver, Subscribe
from tests.deliveries.receiver import Receiver
from workspaces.models import Workspace
from workspaces.timestamps import iso

JOB = {"id", "webhook_id", "state", "waits_for", "since", "until", "rate", "total", "recovered", "reached_at"} | {
    *("requested_by", "created_at", "finished_at")
}
SINCE = "2026-01-01T00:00:00.000Z"


@pytest.fixture
def client(workspace: Workspace) -> APIClient:
    return factories.api_client(workspace)


@pytest.fixture
def held(workspace: Workspace, subscribe: Subscribe, deliver: Deliver) -> Subscription:
    """A webhook with three deliveries held."""
    row = subscribe("Case.Created", status="offline")
    for _ in range(3):
        factories.case(workspace)
    deliver()
    services.set_online([row.pk], online=True)
    return Subscription.objects.get(pk=row.pk)


def an_hour() -> dict[str, Any]:
    return {"since": iso(timezone.now() - timedelta(hours=1))}


def recover(client: APIClient, row: Subscription, **fields: Any) -> dict[str, Any]:
    response = client.post(f"/v1/webhooks/{row.pk}/recover", an_hour() | fields)
    assert response.status_code == 202, response.json()
    job: dict[str, Any] = response.json()
    return job


def test_a_range_is_recovered(client: APIClient, held: Subscription, deliver: Deliver, receiver: Receiver) -> None:
    job = recover(client, held)
    assert set(job) == JOB
    assert (job["state"], job["webhook_id"], job["rate"]) == ("running", str(held.pk), 20.0)
    assert (job["total"], job["recovered"], job["requested_by"]) == (None, 0, "API key tests")
    recovering.run()
    address = f"/v1/webhooks/{held.pk}/recoveries"
    done = client.get(f"{address}/{job['id']}").json()
    assert (done["state"], done["total"], done["recovered"]) == ("done", 3, 3)
    assert done["finished_at"] is not None
    assert client.get(address).json()["data"] == [done]
    assert client.get(f"{address}?state=running").json()["data"] == []


def test_asking_again_is_answered_with_the_same_job(client: APIClient, held: Subscription) -> None:
    asked = {**an_hour(), "until": iso(timezone.now()), "rate": 5}
    assert recover(client, held, **asked)["id"] == recover(client, held, **asked)["id"]
    assert Recovery.objects.count() == 1


def test_another_range_meanwhile_is_409(client: APIClient, held: Subscription) -> None:
    recover(client, held)
    response = client.post(f"/v1/webhooks/{held.pk}/recover", {"since": iso(timezone.now() - timedelta(days=2))})
    assert (response.status_code, "another range or rate is running" in response.json()["message"]) == (409, True)


def test_an_offline_webhook_is_409(client: APIClient, held: Subscription) -> None:
    services.set_online([held.pk], online=False)
    response = client.post(f"/v1/webhooks/{held.pk}/recover", an_hour())
    assert (response.status_code, "turn it online first" in response.json()["message"]) == (409, True)


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({}, "since", "required"),
        ({"since": None}, "since", "null"),
        ({"since": "yesterday"}, "since", "Use a date or a time"),
        ({"since": 5}, "since", "Use a date or a time"),
        ({"since": "9998-12-31"}, "until", "later"),
        ({"since": "2026-01-02", "until": "2026-01-01"}, "until", "later"),
        ({"since": "2026-01-01", "until": "2026-03-01"}, "since", "31 days"),
        ({"since": "0001-01-01"}, "since", "31 days"),
        ({"since": "2026-01-01", "until": "2026-01-02", "rate": 0}, "rate", "0.1 to 1,000"),
        ({"since": "2026-01-01", "until": "2026-01-02", "rate": "5"}, "rate", "number"),
        ({"since": "2026-01-01", "till": "2026-01-02"}, "till", "Did you mean until?"),
    ],
)
def test_a_wrong_value_is_named_with_what_would_be_right(
    client: APIClient, held: Subscription, fields: dict[str, Any], field: str, words: str
) -> None:
    response = client.post(f"/v1/webhooks/{held.pk}/recover", fields)
    errors = {error["field"]: error["message"] for error in response.json()["errors"]}
    assert (response.status_code, words in errors[field]) == (400, True), errors
    assert not Recovery.objects.exists()


def test_a_job_says_what_it_waits_for(client: APIClient, held: Subscription) -> None:
    address = f"/v1/webhooks/{held.pk}/recoveries/{recover(client, held)['id']}"
    assert client.get(address).json()["waits_for"] is None
    Lane.objects.update(resume_at=timezone.now() + timedelta(minutes=1))
    assert client.get(address).json()["waits_for"] == "pause"
    services.set_online([held.pk], online=False)
    assert client.get(address).json()["waits_for"] == "online"


def test_a_job_is_cancelled_once_and_for_all(client: APIClient, held: Subscription) -> None:
    address = f"/v1/webhooks/{held.pk}/recoveries/{recover(client, held)['id']}"
    first, second = (client.post(f"{address}/cancel") for _ in range(2))
    assert (first.status_code, first.json()["state"]) == (200, "cancelled")
    assert (second.status_code, second.json()) == (200, first.json())
    recovering.run()
    assert not Delivery.objects.filter(state=Delivery.State.PENDING).exists()


def test_what_is_done_cannot_be_cancelled(client: APIClient, held: Subscription) -> None:
    address = f"/v1/webhooks/{held.pk}/recoveries/{recover(client, held)['id']}"
    recovering.run()
    response = client.post(f"{address}/cancel")
    assert (response.status_code, "done" in response.json()["message"]) == (409, True)


def test_a_job_is_found_under_its_own_webhook_only(client: APIClient, held: Subscription, subscribe: Subscribe) -> None:
    job, other = recover(client, held), subscribe("Case.Created")
    for path in (f"{other.pk}/recoveries/{job['id']}", f"{uuid.uuid4()}/recoveries/{job['id']}"):
        assert client.get(f"/v1/webhooks/{path}").status_code == 404
        assert client.post(f"/v1/webhooks/{path}/cancel").status_code == 404
    assert client.get(f"/v1/webhooks/{other.pk}/recoveries").json()["data"] == []
    assert client.get(f"/v1/webhooks/{uuid.uuid4()}/recoveries").status_code == 404
    assert Recovery.objects.get().state == Recovery.State.RUNNING


@pytest.mark.parametrize("path", ["x/recoveries", "{id}/recoveries/x"])
def test_what_is_no_uuid_is_400(client: APIClient, held: Subscription, path: str) -> None:
    assert client.get(f"/v1/webhooks/{path.format(id=held.pk)}").status_code == 400


def test_the_list_takes_the_same_queries_for_one_row_and_for_many(
    client: APIClient, held: Subscription, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client.get("/v1/webhooks")
    for expected in (1, 2):
        recover(client, held)
        with django_assert_num_queries(
            6
        ):  # key, webhook, keys and rows of the page, what the running one waits for, count
            jobs = client.get(f"/v1/webhooks/{held.pk}/recoveries").json()["data"]
        assert len(jobs) == expected
        recovery.cancel(Recovery.objects.get(state="running"))

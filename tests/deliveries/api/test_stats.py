"""How a webhook fares, through the API."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from deliveries import stats
from deliveries.models import Delivery, Subscription
from tests import factories
from tests.deliveries import aged
from tests.deliveries.conftest import Deliver, Subscribe
from tests.deliveries.receiver import Answer, Receiver
from workspaces.models import Workspace
from workspaces.timestamps import iso

State = Delivery.State
NONE = {"pending": 0, "succeeded": 0, "failed": 0, "held": 0, "blocked": 0}


@pytest.fixture
def client(workspace: Workspace) -> APIClient:
    return factories.api_client(workspace)


@pytest.fixture
def now() -> datetime:
    return timezone.now()


def looked(client: APIClient, row: Subscription, **query: Any) -> dict[str, Any]:
    response = client.get(f"/v1/webhooks/{row.pk}/stats", query)
    assert response.status_code == 200, response.json()
    found: dict[str, Any] = response.json()
    return found


def tried(to: Subscription, at: datetime, *attempts: tuple[int | None, int], **fields: Any) -> Delivery:
    """A delivery with attempts: the status and the milliseconds of each."""
    row = aged.delivery(to, at, **{"state": State.SUCCEEDED, "last_attempt_at": at} | fields)
    for status, took in attempts:
        error = "" if status else "timeout"
        aged.attempt(row, at, status_code=status, duration_ms=took, error=error)
    return row


def test_what_was_delivered_is_counted(
    client: APIClient, workspace: Workspace, subscribe: Subscribe, receiver: Receiver, deliver: Deliver
) -> None:
    receiver.answer = lambda post: Answer(200 if len(receiver.posts) > 1 else 500)
    row = subscribe("Case.Created", max_in_flight=1)
    for _ in range(4):
        factories.case(workspace)
    deliver()
    told = looked(client, row)
    assert told["webhook_id"] == str(row.pk)
    assert told["deliveries"] == NONE | {"succeeded": 3, "pending": 1}
    assert (told["attempts"]["count"], told["attempts"]["succeeded"], told["attempts"]["success_rate"]) == (4, 3, 0.75)
    assert told["attempts"]["latency_ms"]["p50"] is not None
    assert told["complete"]


def test_percentiles_are_of_the_attempts_that_were_answered(
    client: APIClient, subscribe: Subscribe, now: datetime
) -> None:
    row = subscribe("Case.Created")
    for took in range(1, 101):
        tried(row, now - timedelta(hours=1), (200, took))
    tried(row, now - timedelta(hours=1), (None, 30_000), (500, 100), state=State.FAILED)
    told = looked(client, row)
    assert told["attempts"]["latency_ms"] == {"p50": 51, "p95": 96}
    assert (told["attempts"]["count"], told["attempts"]["success_rate"]) == (102, round(100 / 102, 4))


def test_our_own_faults_are_no_failures_of_the_receiver(client: APIClient, subscribe: Subscribe, now: datetime) -> None:
    row = subscribe("Case.Created")
    made = tried(row, now - timedelta(hours=1), (200, 5))
    aged.attempt(made, now - timedelta(hours=1), status_code=None, error="own_fault")
    attempts = looked(client, row)["attempts"]
    assert (attempts["count"], attempts["success_rate"]) == (2, 1.0)


def test_only_what_was_recorded_in_the_range_is_counted(client: APIClient, subscribe: Subscribe, now: datetime) -> None:
    row, since, until = subscribe("Case.Created"), now - timedelta(hours=5), now - timedelta(hours=3)
    for hours in (6, 4, 2):
        tried(row, now - timedelta(hours=hours), (200, hours))
        for state in (State.PENDING, State.FAILED, State.HELD):
            aged.delivery(row, now - timedelta(hours=hours), state=state)
        aged.delivery(row, now - timedelta(hours=hours), state=State.BLOCKED, ordered=True)
    told = looked(client, row, since=iso(since), until=iso(until))
    assert told["deliveries"] == dict.fromkeys(NONE, 1)
    assert told["attempts"]["latency_ms"] == {"p50": 4, "p95": 4}
    assert (told["since"], told["until"]) == (iso(since), iso(until))
    assert looked(client, row)["deliveries"] == dict.fromkeys(NONE, 3)


def test_what_was_tried_and_waits_is_counted_once(client: APIClient, subscribe: Subscribe, now: datetime) -> None:
    row = subscribe("Case.Created")
    for state in (State.PENDING, State.FAILED, State.HELD, State.BLOCKED):
        tried(row, now - timedelta(hours=1), (500, 1), state=state, ordered=True)
    assert looked(client, row)["deliveries"] == dict.fromkeys(NONE, 1) | {"succeeded": 0}


def test_another_webhooks_deliveries_do_not_count(client: APIClient, subscribe: Subscribe, now: datetime) -> None:
    row, other = subscribe("Case.Created"), subscribe("Case.Created")
    tried(other, now - timedelta(hours=1), (200, 1))
    told = looked(client, row)
    assert told["deliveries"] == NONE
    attempts = {"count": 0, "succeeded": 0, "success_rate": None, "latency_ms": {"p50": None, "p95": None}}
    assert (told["attempts"], told["complete"], told["reaches_back_to"]) == (attempts, True, None)


@pytest.mark.parametrize("fields", [{"last_attempt_at": aged.LONG_AGO}, {"state": State.PENDING}])
def test_a_cap_is_said_and_the_newest_are_looked_at(
    client: APIClient, subscribe: Subscribe, now: datetime, monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any]
) -> None:
    monkeypatch.setattr(stats, "MOST", 2)
    row = subscribe("Case.Created")
    aged.delivery(row, now - timedelta(hours=4), **fields)
    assert looked(client, row)["complete"]
    for hours in (3, 2):
        aged.delivery(row, now - timedelta(hours=hours), **fields)
    told = looked(client, row)
    assert (told["complete"], sum(told["deliveries"].values())) == (False, 2)
    assert told["reaches_back_to"] == (iso(now - timedelta(hours=3)) if "last_attempt_at" in fields else None)


def test_the_number_of_queries_does_not_grow(
    client: APIClient, subscribe: Subscribe, now: datetime, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """The key, the webhook, and three of ours in a transaction."""
    row = subscribe("Case.Created")
    looked(client, row)  # writes down when the key was first used
    for _ in range(2):
        with django_assert_num_queries(7):
            looked(client, row)
        for _ in range(30):
            tried(row, now - timedelta(hours=1), (500, 1), (200, 1))


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("since=yesterday", "since"),
        ("until=2026-13-01", "until"),
        ("since=2026-01-02&until=2026-01-01", "until"),
        ("since=2026-01-01&until=2026-02-02", "since"),
        ("since=2026-01-01&since=2026-01-02", "since"),
        ("from=2026-01-01", "from"),
        ("until=0001-01-01", "until"),
        ("since=0001-01-01&until=9999-12-30", "since"),
        ("since=9999-12-30", "until"),
        ("since=", "since"),
    ],
)
def test_a_wrong_range_is_named(client: APIClient, subscribe: Subscribe, query: str, field: str) -> None:
    response = client.get(f"/v1/webhooks/{subscribe('Case.Created').pk}/stats?{query}")
    assert (response.status_code, [error["field"] for error in response.json()["errors"]]) == (400, [field])


@pytest.mark.parametrize(("since", "until"), [("0001-01-01", "0001-01-02"), ("9999-12-29", "9999-12-30")])
def test_a_range_in_which_nothing_can_be_is_empty(
    client: APIClient, subscribe: Subscribe, since: str, until: str
) -> None:
    assert looked(client, subscribe("Case.Created"), since=since, until=until)["deliveries"] == NONE

"""What may be kept of the API's answers: nothing, unless it is the same for everybody.

Of what is described, every test's client looks at it (tests/described.py).
"""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from cases import services
from deliveries.models import Subscription
from tests import factories
from workspaces.models import Workspace

pytestmark = pytest.mark.django_db

NOBODY = "no-store"
KEY = {"Idempotency-Key": "5b1c"}


@pytest.fixture
def client(workspace: Workspace) -> APIClient:
    return factories.api_client(workspace)


@pytest.fixture
def workspace() -> Workspace:
    return factories.workspace()


def test_nobody_keeps_the_secrets_of_webhooks(client: APIClient, workspace: Workspace) -> None:
    row = Subscription.objects.create(workspace=workspace, url="https://a.b/", events=["Case.Created"])
    for path in ("webhooks", f"webhooks/{row.pk}"):
        response = client.get(f"/v1/{path}")
        assert row.secret in response.content.decode()
        assert response["Cache-Control"] == NOBODY


def test_nobody_keeps_an_answer_that_is_given_again(client: APIClient) -> None:
    first, second = (client.post("/v1/cases", {"name": "A"}, headers=KEY) for _ in range(2))
    assert second["Idempotent-Replayed"] == "true"
    assert [first["Cache-Control"], second["Cache-Control"]] == [NOBODY, NOBODY]


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/cases", {}, 401),
        ("/no-such-address", {}, 404),
        ("", {}, 404),
        ("/ping", {"host": "evil.example"}, 400),
        ("/openapi.json", {"if-match": '"another"'}, 412),
    ],
)
def test_nobody_keeps_what_was_refused_on_the_way(path: str, headers: dict[str, str], status: int) -> None:
    response = Client(headers=headers).get(f"/v1{path}")
    assert (response.status_code, response.get("Cache-Control")) == (status, NOBODY)


def test_nobody_keeps_a_mistake_of_ours(client: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise KeyError

    monkeypatch.setattr(services, "create_case", fail)
    client.raise_request_exception = False
    response = client.post("/v1/cases", {"name": "A"})
    assert (response.status_code, response["Cache-Control"]) == (500, NOBODY)


@pytest.mark.parametrize(
    ("path", "kept"), [("openapi.json", "max-age=300, public"), ("webhook-events", "max-age=3600, private")]
)
def test_what_is_the_same_for_all_may_be_kept(client: APIClient, path: str, kept: str) -> None:
    first = client.get(f"/v1/{path}")
    again = client.get(f"/v1/{path}", headers={"If-None-Match": first["ETag"]})
    assert again.status_code == 304
    for response in (first, again):
        response.close()
        assert ", ".join(sorted(response["Cache-Control"].split(", "))) == kept


def test_pages_for_people_are_not_the_apis_business(client: APIClient) -> None:
    assert "Cache-Control" not in client.get("/docs/")

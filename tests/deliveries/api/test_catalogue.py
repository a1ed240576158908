"""The catalogue of events through the API."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator
from rest_framework.test import APIClient

from deliveries.events.catalogue import NAMES
from tests import factories
from workspaces.keys import Scope
from workspaces.models import ApiKey, Workspace

LIST = "/v1/webhook-events"


@pytest.fixture
def client(workspace: Workspace) -> APIClient:
    return factories.api_client(workspace)


def all_events(client: APIClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"{LIST}?limit=100").json()
    return found


def test_every_name_that_may_be_asked_for_is_told_once(client: APIClient) -> None:
    told = all_events(client)
    names = [row["name"] for row in told["data"]]
    assert sorted(names) == sorted(NAMES)
    assert told["pagination"] == {"page": 1, "limit": 100, "count": len(NAMES)}


def test_it_has_pages_as_other_lists(client: APIClient) -> None:
    everything = all_events(client)["data"]
    second = client.get(f"{LIST}?page=2&limit=7").json()
    assert second["data"] == everything[7:14]
    assert second["pagination"] == {"page": 2, "limit": 7, "count": len(NAMES)}


def test_every_example_fits_its_schema_by_the_definitions_of_the_answer(client: APIClient) -> None:
    told = all_events(client)
    arising = [row for row in told["data"] if row["arises"]]
    assert len(arising) > 40
    for row in arising:
        Draft202012Validator({**row["schema"], "$defs": told["$defs"]}).validate(row["example"])


def test_a_page_defines_no_more_than_its_schemas_need(client: APIClient) -> None:
    needed = client.get(f"{LIST}?limit=1").json()["$defs"]
    assert "Case" in needed
    assert "AmlHit" not in needed


def test_one_event_has_a_schema_that_stands_for_itself(client: APIClient) -> None:
    row = client.get(f"{LIST}/Check.Approved").json()
    assert (row["name"], row["family"], row["entity"]) == ("Check.Approved", "Check", "check")
    assert row["when"] == "The status became `approved`."
    Draft202012Validator.check_schema(row["schema"])
    Draft202012Validator(row["schema"]).validate(row["example"])
    assert not Draft202012Validator(row["schema"]).is_valid({**row["example"], "check": {"id": 1}})


def test_what_never_arises_has_neither_example_nor_schema(client: APIClient) -> None:
    row = client.get(f"{LIST}/CaseReport.Generated").json()
    assert (row["arises"], row["example"], row["schema"]) == (False, None, None)


@pytest.mark.parametrize(
    ("name", "words"), [("Case.Craeted", "Did you mean Case.Created?"), ("Case.*", "A family is no event"), ("x", "x")]
)
def test_a_name_that_is_none_is_404_with_the_nearest(client: APIClient, name: str, words: str) -> None:
    response = client.get(f"{LIST}/{name}")
    assert (response.status_code, words in response.json()["message"]) == (404, True)


@pytest.mark.parametrize(
    ("path", "field"), [("?famly=Case", "famly"), ("?limit=0", "limit"), ("/Case.Created?a=1", "a")]
)
def test_what_is_not_understood_is_named(client: APIClient, path: str, field: str) -> None:
    response = client.get(f"{LIST}{path}")
    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, field)


@pytest.mark.parametrize("path", ["", "/Check.Approved"])
def test_who_has_an_answer_already_gets_none(client: APIClient, path: str) -> None:
    first = client.get(f"{LIST}{path}")
    assert "private" in first["Cache-Control"]
    again = client.get(f"{LIST}{path}", headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    assert client.get(f"{LIST}{path}", headers={"If-None-Match": '"older"'}).status_code == 200


def test_it_needs_a_key_for_webhooks(workspace: Workspace) -> None:
    reader = APIClient()
    assert reader.get(LIST).status_code == 401
    _, text = ApiKey.objects.issue(workspace, "reader", scopes=[Scope.READ])
    reader.credentials(HTTP_X_DOTFILE_API_KEY=text)
    assert reader.get(LIST).status_code == 403

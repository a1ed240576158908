"""`field.operator=value`, `sort`, `page` and `limit`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from cases.models import Case
from tests import factories
from workspaces.api import moments
from workspaces.models import Workspace

NOON = datetime(2023, 1, 31, 12, 0, 0, 123_456, tzinfo=UTC)


@pytest.fixture
def workspace(db: None) -> Workspace:
    return factories.workspace()


@pytest.fixture
def client(workspace: Workspace) -> APIClient:
    return factories.api_client(workspace)


def names(client: APIClient, **query: Any) -> list[str]:
    response = client.get(f"/v1/cases?{urlencode(query)}")
    assert response.status_code == 200, response.json()
    return [case["name"] for case in response.json()["data"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"name": "Acme"}, ["Acme"]),
        ({"name.eq": "Acme"}, ["Acme"]),
        ({"name.not_eq": "Acme"}, ["acme 100%", "Beta"]),
        ({"name.like": "cme"}, ["Acme", "acme 100%"]),
        ({"name.like": "Acm"}, ["Acme"]),
        ({"name.like": "%"}, ["acme 100%"]),
        ({"name.ilike": "ACME"}, ["Acme", "acme 100%"]),
        ({"status": "draft"}, ["Beta"]),
        ({"status.in": "draft,open"}, ["Acme", "acme 100%", "Beta"]),
        ({"status.not_in": "draft,closed"}, ["Acme", "acme 100%"]),
        ({"external_id.not_eq": "e-1"}, ["acme 100%", "Beta"]),
        ({"tags": "Low"}, ["Acme", "Beta"]),
        ({"tags": "low,HIGH"}, ["Acme"]),
        ({"tags": "low,LOW,Low"}, ["Acme", "Beta"]),
        ({"tags": "low,nothing"}, []),
        ({"tags.array_not_contains": "high"}, ["acme 100%", "Beta"]),
        ({"tags.array_not_contains": "high,low"}, ["acme 100%", "Beta"]),
        ({"tags.array_overlap": "high,low"}, ["Acme", "Beta"]),
        ({"tags": "nothing"}, []),
        ({"name.ilike": "acme", "status": "open", "external_id": "e-1"}, ["Acme"]),
        ({"sort": "name.desc", "name.like": "e"}, ["Beta", "acme 100%", "Acme"]),
        ({"limit": "1", "page": "2"}, ["acme 100%"]),
        ({"page": "1000000000"}, []),
    ],
)
def test_a_list_is_narrowed(
    workspace: Workspace, client: APIClient, query: dict[str, str], expected: list[str]
) -> None:
    high, low = factories.tag(workspace, "High"), factories.tag(workspace, "Low")
    factories.case(workspace, name="Acme", external_id="e-1").tags.set([high, low])
    factories.case(workspace, name="acme 100%")
    factories.case(workspace, name="Beta", status="draft").tags.set([low])
    assert sorted(names(client, **query)) == sorted(expected)


def test_a_tag_is_found_by_its_own_label_in_any_alphabet(workspace: Workspace, client: APIClient) -> None:
    case = factories.case(workspace, name="Acme")
    for label in ("İstanbul", "ΟΔΟΣ", "Straße"):
        case.tags.set([factories.tag(workspace, label)])
        assert names(client, tags=label) == ["Acme"]


@pytest.mark.parametrize("operator", ["array_contains", "array_not_contains", "array_overlap"])
def test_many_tags_are_one_question_to_the_database(client: APIClient, operator: str) -> None:
    with CaptureQueriesContext(connection) as queries:
        names(client, **{f"tags.{operator}": "a,b,c,d,e"})
    assert max(query["sql"].count("EXISTS") for query in queries) == 1


@pytest.mark.parametrize(
    "query",
    [
        "nonsense=1",
        "name.nonsense=1",
        "name.=1",
        "name.eq.eq=1",
        "name=a&name=b",
        "name=a&name.eq=b",
        "name=%00",
        "status=unknown",
        "status.in=open,unknown",
        "assignee_id=42",
        "tags=" + ",".join(map(str, range(201))),
        "created_at=yesterday",
        "created_at=2023-02-30",
        "created_at=99999-01-01",
        "created_at=9999-12-31",
        "created_at.gt=2023-01-31T25:00:00Z",
        "created_at.like=2023",
        "sort=status",
        "sort=name,name.desc",
        "sort=name.up",
        "sort=name.",
        "sort=",
        "sort=name&sort=name",
        "page=0",
        "page=-1",
        "page=1.5",
        "page=x",
        "page=%D9%A3",
        "page=",
        "page=1&page=2",
        "page=99999999999999999999",
        "limit=0",
        "limit=101",
        "limit=20.5",
        "limit=20.01",
        "include_custom_properties=yes",
    ],
)
def test_a_question_that_makes_no_sense_is_400(client: APIClient, query: str) -> None:
    response = client.get(f"/v1/cases?{query}")
    assert response.status_code == 400
    assert len(response.json()["errors"]) == 1


@pytest.mark.parametrize(
    ("operator", "value", "found"),
    [
        ("eq", "2023-01-31", True),
        ("eq", "2023-01-31T12:00:00.123Z", True),
        ("eq", "2023-01-31T13:00:00.123+01:00", True),
        ("eq", "2023-01-31T12:00:00.124Z", False),
        ("not_eq", "2023-01-31", False),
        ("gt", "2023-01-31T12:00:00.123Z", False),
        ("gt", "2023-01-31T12:00:00.122Z", True),
        ("gt", "2023-01-30", True),
        ("gt", "2023-01-31", False),
        ("gte", "2023-01-31T12:00:00.123Z", True),
        ("lt", "2023-01-31T12:00:00.123Z", False),
        ("lt", "2023-01-31T12:00:00.124Z", True),
        ("lte", "2023-01-31T12:00:00.123Z", True),
        ("lte", "2023-01-31", True),
        ("lte", "2023-01-30", False),
    ],
)
def test_a_time_is_compared_as_it_is_shown(
    workspace: Workspace, client: APIClient, operator: str, value: str, found: bool
) -> None:
    Case.objects.bulk_create([Case(workspace=workspace, name="a", created_at=NOON)])
    assert bool(names(client, **{f"created_at.{operator}": value})) is found


def test_a_plus_that_was_not_encoded_is_understood() -> None:
    assert moments.parse("2023-01-31T13:00:00 01:00") == moments.parse("2023-01-31T12:00:00Z")


def test_a_date_is_its_whole_day() -> None:
    span = moments.parse("2023-01-31")
    assert span.end - span.start == timedelta(days=1)


def test_pages_neither_repeat_nor_skip_rows_that_sort_alike(workspace: Workspace, client: APIClient) -> None:
    Case.objects.bulk_create([Case(workspace=workspace, name="same", external_id=str(n)) for n in range(7)])
    ids = [
        case["external_id"]
        for page in (1, 2, 3, 4)
        for case in client.get(f"/v1/cases?sort=name&limit=2&page={page}").json()["data"]
    ]
    assert sorted(ids) == [str(n) for n in range(7)]


def test_the_count_is_of_all_pages(workspace: Workspace, client: APIClient) -> None:
    Case.objects.bulk_create([Case(workspace=workspace, name="a") for _ in range(3)])
    pagination = client.get("/v1/cases?limit=2").json()["pagination"]
    assert (pagination["page"], pagination["limit"], pagination["count"]) == (1, 2, 3)


def test_of_two_names_of_one_time_the_first_decides(workspace: Workspace, client: APIClient) -> None:
    person = factories.individual(factories.case(workspace))
    older, newer = (str(factories.check(person).pk) for _ in range(2))
    found = client.get("/v1/checks?sort=updated_at.desc,last_activity_at").json()["data"]
    assert [check["id"] for check in found] == [newer, older]


@pytest.mark.parametrize("zeros", ["0", "0000000000"])
def test_clients_that_know_floats_only_ask_for_pages_with_a_point(client: APIClient, zeros: str) -> None:
    pagination = client.get(f"/v1/cases?page=1.{zeros}&limit=20.{zeros}").json()["pagination"]
    assert (pagination["page"], pagination["limit"]) == (1, 20)
    assert isinstance(pagination["page"], int)

"""Cursors: the same list as by pages, from where the last page ended."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.signing import Signer
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from cases.models import Case
from tests import factories
from workspaces.models import Workspace


@pytest.fixture
def workspace(db: None) -> Workspace:
    """Seven cases: five of one microsecond, and two a microsecond before and after."""
    workspace, now = factories.workspace(), timezone.now()
    for number, moment in enumerate([now - timedelta(microseconds=1), *[now] * 5, now + timedelta(microseconds=1)]):
        factories.case(workspace, name=f"{number}", created_at=moment)
    return workspace


@pytest.fixture
def client(workspace: Workspace) -> APIClient:
    return factories.api_client(workspace)


def page(client: APIClient, path: str = "cases", **query: Any) -> Any:
    response = client.get(f"/v1/{path}", query)
    assert response.status_code == 200, response.json()
    return response.json()


def followed(client: APIClient, **query: Any) -> list[list[str]]:
    """The names on each page, from the first to the one without a `next_cursor`."""
    found = page(client, **query)
    pages = [[case["name"] for case in found["data"]]]
    while cursor := found["pagination"]["next_cursor"]:
        assert len(pages) < 20, "These pages never end."
        found = page(client, **query, cursor=cursor)
        pages.append([case["name"] for case in found["data"]])
    return pages


@pytest.mark.parametrize("sort", ["created_at", "created_at.desc", "last_activity_at", "last_activity_at.desc"])
@pytest.mark.parametrize("limit", [1, 2, 6, 7, 8])
def test_following_cursors_shows_each_row_once_in_the_order_of_the_list(
    client: APIClient, sort: str, limit: int
) -> None:
    (whole,) = followed(client, sort=sort)
    pages = followed(client, sort=sort, limit=limit)
    assert [name for names in pages for name in names] == whole
    assert [len(names) for names in pages[:-1]] == [limit] * (len(pages) - 1)
    assert len(pages) == -(-7 // limit)  # no empty page at the end


def test_any_page_says_where_the_next_begins(client: APIClient) -> None:
    second = page(client, limit=2, page=2)
    third = page(client, limit=2, cursor=second["pagination"]["next_cursor"])
    assert third["data"] == page(client, limit=2, page=3)["data"]
    assert set(third["pagination"]) == {"limit", "count", "next_cursor"}
    assert third["pagination"]["count"] == 7


def test_rows_that_come_and_go_neither_repeat_nor_hide_others(client: APIClient, workspace: Workspace) -> None:
    first = page(client, limit=3, sort="created_at.desc")
    names = [case["name"] for case in first["data"]]
    factories.case(workspace, name="new")
    Case.objects.get(pk=first["data"][2]["id"]).delete()  # the very row that the cursor names
    rest = page(client, sort="created_at.desc", cursor=first["pagination"]["next_cursor"])
    assert {*names, *[case["name"] for case in rest["data"]]} == set("0123456")
    assert len(rest["data"]) == 4


def test_filters_hold_behind_a_cursor(client: APIClient) -> None:
    assert followed(client, **{"name.not_eq": "3", "limit": 4}) == [["0", "1", "2", "4"], ["5", "6"]]


def test_a_cursor_and_a_page_at_once_are_400(client: APIClient) -> None:
    cursor = page(client, limit=1)["pagination"]["next_cursor"]
    refused(client, "not both", cursor=cursor, page=1)
    refused(client, "given twice", cursor=[cursor, cursor])


def refused(client: APIClient, words: str, path: str = "cases", **query: Any) -> None:
    response = client.get(f"/v1/{path}", query)
    assert response.status_code == 400
    (error,) = response.json()["errors"]
    assert error["field"] == "cursor"
    assert words in error["message"]


@pytest.mark.parametrize("text", ["", "x", "x:y", "é", "\0", "a" * 5000, Signer().sign("x"), "💥:🔥"])
def test_what_we_did_not_give_is_400(client: APIClient, text: str) -> None:
    refused(client, "no cursor of this list", cursor=text)


def test_a_cursor_is_of_its_workspace_its_list_and_its_order(client: APIClient, workspace: Workspace) -> None:
    cursor = page(client, limit=1)["pagination"]["next_cursor"]
    stranger = factories.api_client(factories.workspace("Other"))
    refused(stranger, "no cursor of this list", cursor=cursor)
    refused(client, "no cursor of this list", "individuals", cursor=cursor)
    refused(client, "no cursor of this list", sort="created_at.desc", cursor=cursor)
    refused(client, "no cursor of this list", sort="last_activity_at", cursor=cursor)
    altered = cursor[:-1] + ("A" if cursor[-1] != "A" else "B")
    refused(client, "no cursor of this list", cursor=altered)
    assert page(factories.api_client(workspace), cursor=cursor)["data"]  # by another key of the same workspace


@pytest.mark.parametrize("sort", ["name", "name,created_at", "created_at,name"])
def test_a_list_in_another_order_has_pages_only(client: APIClient, sort: str) -> None:
    assert "next_cursor" not in page(client, sort=sort)["pagination"]
    refused(client, "use `page` here", sort=sort, cursor="x")


def test_what_is_behind_a_cursor_is_found_by_the_index(client: APIClient) -> None:
    cursor = page(client, limit=1)["pagination"]["next_cursor"]
    with CaptureQueriesContext(connection) as queries:
        page(client, cursor=cursor)
    found = next(query["sql"] for query in queries.captured_queries if "LIMIT 21" in query["sql"])
    with connection.cursor() as db:
        db.execute("SET LOCAL enable_sort = off; SET LOCAL enable_seqscan = off")
        db.execute(f"EXPLAIN {found}")
        (plan,) = ["\n".join(row[0] for row in db.fetchall())]
    assert "ROW(created_at, id) >" in plan[plan.index("Index Cond") :].splitlines()[0], plan

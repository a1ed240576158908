"""`pagination.count`: exact as far as it is counted; never so low that a reader of pages stops before the end."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from cases.api.views import CaseViewSet
from tests import factories

ROWS = 7


@pytest.fixture
def client(db: None) -> APIClient:
    """Of a workspace with seven cases, which are counted to three."""
    of = factories.workspace()
    for number in range(ROWS):
        factories.case(of, name=f"{number}")
    return factories.api_client(of)


def pagination(client: APIClient, **query: Any) -> Any:
    response = client.get("/v1/cases", query)
    assert response.status_code == 200, response.json()
    return response.json()["pagination"]


@pytest.mark.parametrize(
    ("bound", "page", "count"),
    [
        (3, 1, 3),  # counted to the bound, though there are more
        (3, 2, 5),  # four up to here, and one behind
        (3, 3, 7),
        (3, 4, 7),  # the last page, of one row
        (3, 9, 7),  # beyond the end
        (7, 1, 7),
        (8, 1, 7),
    ],
)
@pytest.mark.parametrize("sort", ["created_at", "name"])
def test_beyond_the_bound_rows_are_counted_up_to_the_page_and_one_more(
    client: APIClient, monkeypatch: pytest.MonkeyPatch, sort: str, bound: int, page: int, count: int
) -> None:
    monkeypatch.setattr(CaseViewSet, "max_count", bound)
    assert pagination(client, sort=sort, page=page, limit=2)["count"] == count


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 7])
def test_who_reads_pages_until_they_hold_as_many_as_is_said_reads_all(
    client: APIClient, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr(CaseViewSet, "max_count", 3)
    page, count, names = 0, 1, set()
    while page * limit < count:
        page += 1
        answer = client.get("/v1/cases", {"page": page, "limit": limit}).json()
        count = answer["pagination"]["count"]
        names |= {case["name"] for case in answer["data"]}
    assert len(names) == ROWS


def test_behind_a_cursor_they_are_counted_to_the_bound(client: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CaseViewSet, "max_count", 3)
    cursor = pagination(client, limit=2, page=2)["next_cursor"]
    assert pagination(client, limit=2, cursor=cursor)["count"] == 3

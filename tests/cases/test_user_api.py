"""/v1/users."""

from __future__ import annotations

import pytest
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from cases import services
from tests import factories
from workspaces.models import Workspace

pytestmark = pytest.mark.django_db

UNKNOWN = "019a0000-0000-7000-8000-000000000000"


def test_a_member_is_listed_shown_and_may_be_assigned_a_case(client: APIClient, workspace: Workspace) -> None:
    ada = factories.user(workspace, factories.workspace(), first_name="Ada", last_name="Lovelace", email="a@b.com")
    [shown] = client.get("/v1/users").json()["data"]
    assert client.get(f"/v1/users/{ada.pk}").json() == shown
    expected = {"id": str(ada.pk), "first_name": "Ada", "last_name": "Lovelace", "email": "a@b.com", "role": "member"}
    assert shown | expected | {"suspended_at": None} == shown
    made = client.post("/v1/cases", {"name": "Dotfile", "assignee_id": shown["id"]})
    assert made.json()["assignee"]["email"] == "a@b.com"


def test_strangers_and_who_may_not_sign_in_are_nobody(client: APIClient, workspace: Workspace) -> None:
    for person in (factories.user(factories.workspace()), factories.user(workspace, is_active=False)):
        response = client.get(f"/v1/users/{person.pk}")
        assert (response.status_code, response.json()["message"]) == (404, "No user can be found.")
    for query in ("", "?include_suspended=true", "?include_suspended=false"):
        assert client.get(f"/v1/users{query}").json()["pagination"]["count"] == 0


@pytest.mark.parametrize(
    ("path", "status"), [(f"/{UNKNOWN}", 404), ("/x", 400), ("?email=a@b.com", 400), ("?include_suspended=x", 400)]
)
def test_what_is_no_user_is_a_client_error(client: APIClient, path: str, status: int) -> None:
    assert client.get(f"/v1/users{path}").status_code == status


@pytest.mark.parametrize("method", ["post", "patch", "delete"])
def test_users_are_only_read(client: APIClient, workspace: Workspace, method: str) -> None:
    assert getattr(client, method)(f"/v1/users/{factories.user(workspace).pk}", {}).status_code == 405


def test_many_users_take_as_many_queries_as_one(
    client: APIClient, workspace: Workspace, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client.get("/v1/ping")  # notes the use of the key
    for _ in range(2):
        factories.user(workspace)
        with django_assert_num_queries(4):
            client.get("/v1/users?limit=5")


@pytest.mark.parametrize("path", ["users", "tags", "templates", "cases/e-1/notes"])
def test_lists_go_on_behind_a_cursor(client: APIClient, workspace: Workspace, path: str) -> None:
    case = factories.case(workspace, external_id="e-1")
    for name in ("a", "b"):
        factories.user(workspace)
        factories.tag(workspace, name)
        factories.template(workspace, name)
        services.add_note(case, name)
    first = client.get(f"/v1/{path}?limit=1").json()
    second = client.get(f"/v1/{path}", {"limit": 1, "cursor": first["pagination"]["next_cursor"]}).json()
    assert [*first["data"], *second["data"]] == client.get(f"/v1/{path}").json()["data"]
    assert second["pagination"]["next_cursor"] is None

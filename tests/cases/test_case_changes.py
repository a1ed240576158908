"""Changes of cases: PATCH, DELETE, reviews; and the lists."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from cases.models import CaseReview
from tests import factories
from workspaces.models import Workspace

from . import sample
from .sample import create

pytestmark = pytest.mark.django_db


def test_a_patch_changes_what_it_names_and_nothing_else(client: APIClient) -> None:
    made = create(client, external_id="e-1", metadata={"a": "1"}, custom_properties={"x": 1, "y": ["a"]})
    response = client.patch(f"/v1/cases/{made['id']}", {"name": "New", "custom_properties": {"x": None}})
    changed = response.json()
    assert response.status_code == 200
    assert (changed["name"], changed["external_id"], changed["metadata"]) == ("New", "e-1", {"a": "1"})
    assert changed["custom_properties"] == {"x": None, "y": ["a"]}
    assert "individuals" not in changed


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ({"metadata": {"b": "2"}}, {"metadata": {"b": "2"}}),
        ({"metadata": None}, {"metadata": None}),
        ({"external_id": None}, {"external_id": None}),
        ({"status": "draft"}, {"status": "draft"}),
        ({"template_key": None}, {"template": None, "template_id": None}),
        ({"assignee_id": None}, {"assignee_id": None}),
        ({}, {"external_id": "e-1"}),
    ],
)
def test_a_patch_replaces_or_clears(
    client: APIClient, workspace: Workspace, sent: dict[str, Any], shown: dict[str, Any]
) -> None:
    factories.template(workspace, "kyb")
    member = factories.user(workspace)
    full = {"external_id": "e-1", "metadata": {"a": "1"}, "template_key": "kyb", "assignee_id": str(member.pk)}
    made = create(client, **full)
    changed = client.patch(f"/v1/cases/{made['id']}", sent).json()
    assert {name: changed[name] for name in shown} == shown


def test_a_patch_that_changes_nothing_writes_nothing(client: APIClient) -> None:
    made = create(client)
    assert client.patch(f"/v1/cases/{made['id']}", {"name": "Dotfile"}).json()["updated_at"] == made["updated_at"]


def test_a_patch_to_a_taken_external_id_is_refused(client: APIClient) -> None:
    create(client, external_id="e-1")
    made = create(client)
    response = client.patch(f"/v1/cases/{made['id']}", {"external_id": "e-1"})
    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "external_id")


@pytest.mark.parametrize("status", ["approved", "rejected", "closed", "nonsense", None])
def test_a_patch_cannot_decide(client: APIClient, status: str | None) -> None:
    made = create(client)
    assert client.patch(f"/v1/cases/{made['id']}", {"status": status}).status_code == 400


def test_a_deleted_case_is_gone_with_everything_in_it(client: APIClient) -> None:
    made = create(client, **sample.CASE)
    assert client.delete(f"/v1/cases/{made['id']}?permanent=true").status_code == 204
    assert client.get(f"/v1/cases/{made['id']}").status_code == 404
    assert client.get(f"/v1/individuals/{made['individuals'][0]['id']}").status_code == 404


def test_a_review_decides(client: APIClient) -> None:
    made = create(client)
    sent = {"status": "approved", "comment": "Fine.", "next_review_at": "2030-01-01"}
    response = client.post(f"/v1/cases/{made['id']}/reviews", sent)
    review = response.json()
    assert response.status_code == 201
    assert {name: review[name] for name in sent} == sent
    assert (review["reviewer_type"], review["user"]) == ("api", None)
    shown = client.get(f"/v1/cases/{made['id']}").json()
    assert (shown["status"], shown["review"]) == ("approved", review)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"status": "open"},
        {"status": "approved", "comment": 5},
        {"status": "approved", "reviewed_at": "yesterday"},
        {"status": "approved", "reviewed_at": 5},
        {"status": "approved", "next_review_at": "2030-13-01"},
        {"status": "rejected", "next_review_at": "2030-01-01"},
    ],
)
def test_a_review_that_makes_no_sense_decides_nothing(client: APIClient, body: dict[str, Any]) -> None:
    made = create(client)
    assert client.post(f"/v1/cases/{made['id']}/reviews", body).status_code == 400
    assert client.get(f"/v1/cases/{made['id']}").json()["status"] == "open"
    assert not CaseReview.objects.exists()


def test_the_same_decision_twice_is_refused_with_a_sentence(client: APIClient) -> None:
    made = create(client)
    client.post(f"/v1/cases/{made['id']}/reviews", {"status": "approved"})
    response = client.post(f"/v1/cases/{made['id']}/reviews", {"status": "approved"})
    assert (response.status_code, response.json()["message"]) == (400, "The case is already approved.")


def test_custom_properties_are_listed_when_asked_for(client: APIClient) -> None:
    create(client, custom_properties={"x": 1})
    assert "custom_properties" not in client.get("/v1/cases").json()["data"][0]
    listed = client.get("/v1/cases?include_custom_properties=true").json()["data"][0]
    assert listed["custom_properties"] == {"x": 1}


@pytest.mark.parametrize("path", ["cases", "individuals", "companies"])
def test_a_list_takes_as_many_queries_for_one_row_as_for_many(
    client: APIClient, workspace: Workspace, path: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    counts = []
    for _ in range(2):
        for _ in range(3):
            create(client, **(sample.CASE | {"external_id": str(uuid4())}))
        with django_assert_max_num_queries(12) as queries:
            client.get(f"/v1/{path}")
        counts.append(len(queries))
    assert counts[0] - counts[1] in (0, 1)  # the first request also notes the use of the key

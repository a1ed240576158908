"""POST and GET /v1/cases."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from cases.models import Case, Tag
from tests import factories
from workspaces.models import Workspace

from . import sample
from .sample import create

pytestmark = pytest.mark.django_db

UNKNOWN = "019a0000-0000-7000-8000-000000000000"


def refused(client: APIClient, **fields: Any) -> list[str]:
    """The fields that are named when this is refused; nothing was created then."""
    before = Case.objects.count()
    response = client.post("/v1/cases", {"name": "Dotfile", **fields})
    assert (response.status_code, Case.objects.count()) == (400, before)
    return [error["field"] for error in response.json()["errors"]]


def test_the_sample_is_created_whole(client: APIClient) -> None:
    made = create(client, **sample.CASE)
    shown = client.get(f"/v1/cases/{made['id']}").json()
    assert made == shown | {"assignee_id": None}
    assert shown["tags"] == sample.CASE["tags"]
    assert shown["metadata"] == sample.CASE["metadata"]
    person, firm = shown["individuals"][0], shown["companies"][0]
    assert {key: person[key] for key in sample.INDIVIDUAL} == sample.INDIVIDUAL
    assert person["is_beneficial_owner"] is True
    assert firm["address"] == sample.ADDRESS | {"state": None}
    assert firm["type"] == "main"


def test_a_case_is_open_unless_said_otherwise(client: APIClient) -> None:
    assert create(client)["status"] == "open"
    assert create(client, status="draft")["status"] == "draft"


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"name": ""}, "name"),
        ({"name": "  "}, "name"),
        ({"name": None}, "name"),
        ({"name": 7}, "name"),
        ({"name": ["a"]}, "name"),
        ({"name": "a" * 181}, "name"),
        ({"status": "approved"}, "status"),
        ({"status": 1}, "status"),
        ({"external_id": 5}, "external_id"),
        ({"template_id": UNKNOWN}, "template_id"),
        ({"template_id": 5}, "template_id"),
        ({"template_id": ""}, "template_id"),
        ({"template_key": "none"}, "template_key"),
        ({"template_key": ["none"]}, "template_key"),
        ({"template_key": ""}, "template_key"),
        ({"assignee_id": "x"}, "assignee_id"),
        ({"assignee_id": ""}, "assignee_id"),
        ({"assignee_id": UNKNOWN}, "assignee_id"),
        ({"space_slug": "space_1"}, "space_slug"),
        ({"metadata": "a"}, "metadata"),
        ({"metadata": {"a": 1}}, "metadata.a"),
        ({"custom_properties": []}, "custom_properties"),
        ({"custom_properties": {"a": {"b": 1}}}, "custom_properties.a"),
        ({"custom_properties": {"a": [1]}}, "custom_properties.a"),
        ({"tags": "a"}, "tags"),
        ({"tags": [1]}, "tags.0"),
        ({"tags": ["a,b"]}, "tags.0"),
        ({"tags": ["a" * 101]}, "tags.0"),
        ({"tags": [UNKNOWN]}, "tags"),
        ({"individuals": {}}, "individuals"),
        ({"individuals": ["a"]}, "individuals.0"),
        ({"individuals": [{"first_name": "A", "last_name": "B"}, {"first_name": "A"}]}, "individuals.1.last_name"),
        ({"companies": [{"name": "A", "type": "affiliated"}]}, "companies"),
        ({"companies": [{"name": "A"}, {"name": "B"}]}, "companies"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_created(client: APIClient, fields: dict[str, Any], named: str) -> None:
    assert refused(client, **fields) == [named]


def test_an_affiliated_company_comes_with_the_main_one_in_any_order(client: APIClient) -> None:
    made = create(client, companies=[{"name": "B", "type": "affiliated"}, {"name": "A"}])
    assert [company["name"] for company in made["companies"]] == ["A", "B"]


def test_the_external_id_is_unique_in_its_workspace(client: APIClient) -> None:
    create(client, external_id="e-1")
    assert refused(client, external_id="e-1") == ["external_id"]
    create(factories.api_client(factories.workspace()), external_id="e-1")
    create(client)
    create(client)


def test_a_case_is_found_by_its_external_id(client: APIClient) -> None:
    made = create(client, external_id="a b")
    assert client.get("/v1/cases/a%20b").json()["id"] == made["id"]


def test_the_id_wins_over_an_external_id_that_looks_like_it(client: APIClient) -> None:
    first = create(client)
    second = create(client, external_id=first["id"])
    assert client.get(f"/v1/cases/{first['id']}").json()["id"] == first["id"]
    client.delete(f"/v1/cases/{first['id']}")
    assert client.get(f"/v1/cases/{first['id']}").json()["id"] == second["id"]


@pytest.mark.parametrize("name", [UNKNOWN, "unknown", "%00", "%20", "%ff", "a" * 1000])
def test_an_unknown_case_is_404(client: APIClient, name: str) -> None:
    create(client)
    for response in (client.get(f"/v1/cases/{name}"), client.patch(f"/v1/cases/{name}", {})):
        assert (response.status_code, response.json()["message"]) == (404, "No case can be found.")


def test_tags_are_named_by_id_or_label_in_any_case_and_made_when_new(client: APIClient, workspace: Workspace) -> None:
    high = factories.tag(workspace, "High risk")
    low = factories.tag(workspace, "Low risk")
    made = create(client, tags=[str(high.pk).upper(), "high RISK", "LOW risk", "New", "new"])
    assert made["tags"] == ["High risk", "Low risk", "New"]
    assert set(Tag.objects.filter(cases=made["id"])) >= {high, low}


def test_a_workspace_has_so_many_tags_and_no_more(client: APIClient, settings: Any) -> None:
    settings.TAGS_PER_WORKSPACE = 2
    create(client, tags=["a", "b"])
    assert refused(client, tags=["a", "c"]) == ["tags"]


def test_a_template_is_attached_by_key_or_id_but_not_by_both(client: APIClient, workspace: Workspace) -> None:
    template = factories.template(workspace, "kyb")
    shown = {"id": str(template.pk), "key": "kyb", "name": "Kyb"}
    assert create(client, template_key="kyb")["template"] == shown
    assert create(client, template_id=str(template.pk))["template"] == shown
    assert refused(client, template_key="kyb", template_id=str(template.pk)) == ["template_id"]


def test_only_members_of_the_workspace_are_assigned(client: APIClient, workspace: Workspace) -> None:
    member, stranger = factories.user(workspace), factories.user()
    assert create(client, assignee_id=str(member.pk))["assignee"]["id"] == str(member.pk)
    assert refused(client, assignee_id=str(stranger.pk)) == ["assignee_id"]


def test_who_may_not_sign_in_is_assigned_no_case(client: APIClient, workspace: Workspace) -> None:
    gone = factories.user(workspace, is_active=False)
    assert refused(client, assignee_id=str(gone.pk)) == ["assignee_id"]
    made = create(client)
    answer = client.patch(f"/v1/cases/{made['id']}", {"assignee_id": str(gone.pk)})
    assert (answer.status_code, [error["message"] for error in answer.json()["errors"]]) == (
        400,
        ["No member of this workspace who may sign in has this id."],
    )


def test_a_case_keeps_an_assignee_who_may_no_longer_sign_in(client: APIClient, workspace: Workspace) -> None:
    gone = factories.user(workspace, is_active=False)
    case = factories.case(workspace, assignee=gone)
    answer = client.patch(f"/v1/cases/{case.pk}", {"name": "New", "assignee_id": str(gone.pk)})
    assert (answer.status_code, answer.json()["assignee_id"]) == (200, str(gone.pk))

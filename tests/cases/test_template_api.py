"""/v1/templates."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from tests import factories
from workspaces.models import Workspace

pytestmark = pytest.mark.django_db

UNKNOWN = "019a0000-0000-7000-8000-000000000000"


def keys(client: APIClient, query: str) -> list[str]:
    return [template["key"] for template in client.get(f"/v1/templates?{query}").json()["data"]]


def test_a_template_is_listed_and_shown(client: APIClient, workspace: Workspace) -> None:
    template = factories.template(workspace, "kyb", description="Companies")
    [shown] = client.get("/v1/templates").json()["data"]
    assert client.get(f"/v1/templates/{template.pk}").json() == shown
    expected = {"id": str(template.pk), "key": "kyb", "name": "Kyb", "description": "Companies"}
    assert shown | expected | {"case_auto_approval": False} == shown


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("key=kyb", ["kyb"]),
        ("name.ilike=ky&sort=name.desc", ["kyc", "kyb"]),
        ("case_auto_approval=false", ["kyb", "kyc"]),
        ("case_auto_approval.not_eq=true", ["kyb", "kyc"]),
        ("case_auto_approval=true", []),
        ("case_auto_approval.not_eq=false", []),
    ],
)
def test_templates_are_narrowed_and_sorted(
    client: APIClient, workspace: Workspace, query: str, found: list[str]
) -> None:
    for key in ("kyb", "kyc"):
        factories.template(workspace, key)
    assert keys(client, query) == found


@pytest.mark.parametrize("query", ["case_auto_approval=yes", "case_auto_approval.in=true", "description=a", "sort=key"])
def test_a_wrong_query_is_refused(client: APIClient, query: str) -> None:
    assert client.get(f"/v1/templates?{query}").status_code == 400


@pytest.mark.parametrize(("key", "status"), [(UNKNOWN, 404), ("x", 400)])
def test_an_unknown_template_is_a_client_error(client: APIClient, key: str, status: int) -> None:
    assert client.get(f"/v1/templates/{key}").status_code == status


@pytest.mark.parametrize("method", ["post", "patch", "delete"])
def test_templates_are_only_read(client: APIClient, workspace: Workspace, method: str) -> None:
    template = factories.template(workspace)
    assert getattr(client, method)(f"/v1/templates/{template.pk}", {}).status_code == 405

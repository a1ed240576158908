"""Nobody sees another workspace's rows."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from checks.models import Check
from tests import factories

pytestmark = pytest.mark.django_db

HITS = {"action": "ignore", "hit_ids": ["a"]}


@pytest.fixture
def check() -> Check:
    person = factories.individual(factories.case(factories.workspace("Theirs"), external_id="e-1"))
    factories.company(person.case)
    return factories.aml_check_with_hits(person)


@pytest.fixture
def stranger() -> APIClient:
    return factories.api_client(factories.workspace("Strangers"))


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("get", "cases/{case}", None),
        ("get", "cases/e-1", None),
        ("patch", "cases/{case}", {"name": "Mine"}),
        ("delete", "cases/{case}", None),
        ("delete", "cases/e-1", None),
        ("post", "cases/{case}/reviews", {"status": "approved"}),
        ("get", "individuals/{individual}", None),
        ("patch", "individuals/{individual}", {"first_name": "Mine"}),
        ("delete", "individuals/{individual}", None),
        ("get", "companies/{company}", None),
        ("patch", "companies/{company}", {"name": "Mine"}),
        ("delete", "companies/{company}", None),
        ("get", "checks/aml/{check}", None),
        ("patch", "checks/aml/{check}/review", {"action": "reject"}),
        ("patch", "checks/aml/{check}/hits/review", HITS),
        ("delete", "checks/{check}", None),
    ],
)
def test_another_workspaces_row_does_not_exist(
    check: Check, stranger: APIClient, method: str, path: str, body: Any
) -> None:
    before = list(Check.objects.values()), list(type(check.case).objects.values())
    response = getattr(stranger, method)(f"/v1/{filled(path, check)}", body)
    assert (response.status_code, response.json()["code"]) == (404, "NOT_FOUND")
    assert (list(Check.objects.values()), list(type(check.case).objects.values())) == before


def filled(path: str, check: Check) -> str:
    ids = {"case": check.case_id, "individual": check.individual_id, "company": check.case.companies.get().pk}
    return path.format(**ids, check=check.pk)


@pytest.mark.parametrize("path", ["cases", "individuals", "companies", "checks"])
def test_a_list_is_of_the_callers_rows_only(check: Check, stranger: APIClient, path: str) -> None:
    assert stranger.get(f"/v1/{path}").json()["pagination"]["count"] == 0
    assert factories.api_client(check.case.workspace).get(f"/v1/{path}").json()["pagination"]["count"] == 1


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("individuals", {"first_name": "A", "last_name": "B", "case_id": "{case}"}),
        ("companies", {"name": "A", "case_id": "{case}"}),
        ("checks/aml", {"individual_id": "{individual}"}),
        ("checks/aml", {"company_id": "{company}"}),
    ],
)
def test_nothing_is_added_to_another_workspaces_rows(
    check: Check, stranger: APIClient, path: str, body: dict[str, str]
) -> None:
    sent = {name: filled(value, check) for name, value in body.items()}
    assert stranger.post(f"/v1/{path}", sent).status_code == 400


@pytest.mark.parametrize("method", ["get", "post", "patch", "delete"])
@pytest.mark.parametrize("path", ["cases", "cases/x", "individuals/x", "companies/x", "checks", "checks/aml/x", "ping"])
def test_without_a_key_everything_is_401(method: str, path: str) -> None:
    assert getattr(APIClient(), method)(f"/v1/{path}").status_code == 401


def test_tags_and_templates_are_the_workspaces_own(check: Check, stranger: APIClient) -> None:
    theirs = check.case.workspace
    tag, template = factories.tag(theirs, "Secret"), factories.template(theirs, "secret")
    for field, value in (("tags", [str(tag.pk)]), ("template_key", "secret"), ("template_id", str(template.pk))):
        assert stranger.post("/v1/cases", {"name": "a", field: value}).status_code == 400

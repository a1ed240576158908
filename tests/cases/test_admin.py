"""Cases in the admin."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from cases.models import Case
from tests import factories

pytestmark = pytest.mark.django_db


def form(case: Case, **fields: Any) -> dict[str, Any]:
    """What the page of a case sends."""
    empty = {
        f"{name}-{part}": "0"
        for name in ("individuals", "companies", "reviews")
        for part in ("TOTAL_FORMS", "INITIAL_FORMS", "MIN_NUM_FORMS", "MAX_NUM_FORMS")
    }
    return {**empty, "name": case.name, "status": case.status, "custom_properties": "{}", "metadata": "null", **fields}


def act(client: Client, action: str, *cases: Case) -> str:
    sent = {"action": action, "_selected_action": [str(case.pk) for case in cases]}
    return client.post("/admin/cases/case/", sent, follow=True).content.decode()


def status(case: Case) -> str:
    return Case.objects.get(pk=case.pk).status


def test_a_case_is_edited(admin_client: Client) -> None:
    case = factories.case()
    answer = admin_client.post(f"/admin/cases/case/{case.pk}/change/", form(case, name="New", status="draft"))
    assert answer.status_code == 302
    assert (Case.objects.get(pk=case.pk).name, status(case)) == ("New", "draft")


@pytest.mark.parametrize("wanted", ["approved", "rejected", "closed"])
def test_a_decision_cannot_be_typed_in(admin_client: Client, wanted: str) -> None:
    case = factories.case()
    page = admin_client.post(f"/admin/cases/case/{case.pk}/change/", form(case, status=wanted)).content.decode()
    assert "Set a case to draft or open here" in page
    assert status(case) == "open"


def test_an_approved_case_can_be_renamed_and_stays_approved(admin_client: Client) -> None:
    case = factories.case(status="approved")
    admin_client.post(f"/admin/cases/case/{case.pk}/change/", form(case, name="New"))
    assert (Case.objects.get(pk=case.pk).name, status(case)) == ("New", "approved")


@pytest.mark.parametrize(("action", "after"), [("approve", "approved"), ("reject", "rejected"), ("close", "closed")])
def test_an_action_decides_and_keeps_who_did(admin_client: Client, action: str, after: str) -> None:
    case = factories.case()
    act(admin_client, action, case)
    assert status(case) == after
    assert case.reviews.get().user is not None


def test_a_decision_that_is_refused_is_told_and_the_others_are_made(admin_client: Client) -> None:
    approved, fresh = factories.case(name="Old", status="approved"), factories.case(name="Fresh")
    page = act(admin_client, "approve", approved, fresh)
    assert "Old: The case is already approved." in page
    assert status(fresh) == "approved"


def test_another_workspaces_template_is_refused(admin_client: Client) -> None:
    case, other = factories.case(), factories.template(factories.workspace())
    sent = form(case, template=str(other.pk))
    page = admin_client.post(f"/admin/cases/case/{case.pk}/change/", sent).content.decode()
    assert "This template belongs to another workspace." in page


@pytest.mark.parametrize("name", ["case", "individual", "company", "tag", "template"])
def test_lists_forms_and_pages_open(admin_client: Client, name: str) -> None:
    case = factories.case()
    factories.tag(case.workspace, "a")
    factories.template(case.workspace)
    rows = {"case": case, "individual": factories.individual(case), "company": factories.company(case)}
    assert admin_client.get(f"/admin/cases/{name}/?q=a").status_code == 200
    assert admin_client.get(f"/admin/cases/{name}/add/").status_code == 200
    if name in rows:
        assert admin_client.get(f"/admin/cases/{name}/{rows[name].pk}/change/").status_code == 200

"""Checks in the admin."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from checks.models import Check
from tests import factories

pytestmark = pytest.mark.django_db


def act(client: Client, action: str, *checks: Check) -> str:
    sent = {"action": action, "_selected_action": [str(check.pk) for check in checks]}
    return client.post("/admin/checks/check/", sent, follow=True).content.decode()


def test_a_check_is_started(admin_client: Client) -> None:
    person = factories.individual()
    admin_client.post("/admin/checks/check/add/", {"type": "aml", "individual": str(person.pk), "company": ""})
    check = Check.objects.get()
    assert (check.status, check.case_id, check.data["match_status"]) == ("in_progress", person.case_id, "no_match")


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [("company_monitoring", "about individuals"), ("document", "Say which document")],
)
def test_a_check_that_cannot_be_started_is_refused(admin_client: Client, kind: str, sentence: str) -> None:
    person = factories.individual()
    sent = {"type": kind, "individual": str(person.pk), "company": ""}
    page = admin_client.post("/admin/checks/check/add/", sent)
    assert page.status_code == 200
    assert sentence in page.content.decode()
    assert not Check.objects.exists()


def test_a_document_check_is_started_for_its_document(admin_client: Client) -> None:
    sent = {"type": "document", "individual": str(factories.individual().pk), "company": "", "key": "passport"}
    admin_client.post("/admin/checks/check/add/", sent)
    assert Check.objects.get().subtype == "document_type:passport"


@pytest.mark.parametrize("status", ["approved", "rejected"])
def test_a_verdict_cannot_be_typed_in(admin_client: Client, status: str) -> None:
    check = factories.check()
    sent = {"status": status, "data": json.dumps(check.data)}
    page = admin_client.post(f"/admin/checks/check/{check.pk}/change/", sent).content.decode()
    assert "use the action of that name" in page
    assert Check.objects.get(pk=check.pk).status == "in_progress"


def test_a_status_that_is_no_verdict_is_edited(admin_client: Client) -> None:
    check = factories.check()
    sent = {"status": "need_review", "data": json.dumps(check.data)}
    admin_client.post(f"/admin/checks/check/{check.pk}/change/", sent)
    assert Check.objects.get(pk=check.pk).status == "need_review"


def test_an_action_decides_and_may_change_an_earlier_verdict(admin_client: Client) -> None:
    check = factories.check(status="need_review")
    act(admin_client, "approve", check)
    assert Check.objects.get(pk=check.pk).status == "approved"
    act(admin_client, "reject", check)
    stored = Check.objects.get(pk=check.pk)
    assert (stored.status, stored.data["review"]["reviewer_type"]) == ("rejected", "user")


def test_open_hits_come_first_here_too(admin_client: Client) -> None:
    page = act(admin_client, "approve", factories.aml_check_with_hits())
    assert "Review all hits that are potential matches first." in page


def test_list_form_and_page_open(admin_client: Client) -> None:
    check = factories.check()
    for path in ("", "?q=a", "add/", f"{check.pk}/change/"):
        assert admin_client.get(f"/admin/checks/check/{path}").status_code == 200

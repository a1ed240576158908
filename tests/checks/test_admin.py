"""Checks in the admin."""

from __future__ import annotations

import re
from datetime import date

import pytest
from django.test import Client

from checks.models import Check
from checks.services import review_check
from deliveries.models import Event
from tests import factories
from tests.cases.test_admin import sent_by
from tests.workspaces.staff import viewer

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
    [("company_monitoring", "not of individuals"), ("document", "Say which document")],
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
    sent = {"status": status}
    page = admin_client.post(f"/admin/checks/check/{check.pk}/change/", sent).content.decode()
    assert "use the button or the action of that name" in page
    assert Check.objects.get(pk=check.pk).status == "in_progress"


def test_a_status_that_is_no_verdict_is_edited(admin_client: Client) -> None:
    check = factories.check()
    admin_client.post(f"/admin/checks/check/{check.pk}/change/", {"status": "need_review", "data": "[]"})
    found = Check.objects.get(pk=check.pk)
    assert (found.status, found.data) == ("need_review", check.data)


@pytest.mark.parametrize(("before", "verdict"), [("need_review", "approve"), ("approved", "reject")])
def test_a_page_that_was_open_during_a_verdict_does_not_undo_it(
    admin_client: Client, before: str, verdict: str
) -> None:
    check = factories.check(status=before, expires_at=date(2020, 1, 31))
    page = f"/admin/checks/check/{check.pk}/change/"
    sent = sent_by(admin_client, check)
    assert 'name="initial-status"' in admin_client.get(page).content.decode()
    decided = review_check(check, verdict, reviewer_type="api", override=before == "approved")
    Event.objects.all().delete()
    assert admin_client.post(page, sent).status_code == 302
    found = Check.objects.get()
    assert (found.status, found.expires_at) == (decided.status, decided.expires_at)
    assert not Event.objects.exists()


def test_the_last_day_is_edited_and_taken_away(admin_client: Client) -> None:
    check = factories.check()
    for day in (date(2031, 1, 31), None):
        sent = sent_by(admin_client, check) | {"expires_at": "" if day is None else day.isoformat()}
        assert admin_client.post(f"/admin/checks/check/{check.pk}/change/", sent).status_code == 302
        assert Check.objects.get().expires_at == day


def test_an_action_decides_and_may_change_an_earlier_verdict(admin_client: Client) -> None:
    check = factories.check(status="need_review")
    act(admin_client, "approve", check)
    assert Check.objects.get(pk=check.pk).status == "approved"
    assert "already approved" in act(admin_client, "reject", check)
    act(admin_client, "reject_after_all", check)
    stored = Check.objects.get(pk=check.pk)
    assert (stored.status, stored.data["review"]["reviewer_type"]) == ("rejected", "user")


def test_open_hits_come_first_here_too(admin_client: Client) -> None:
    page = act(admin_client, "approve", factories.aml_check_with_hits())
    assert "Review all hits that are potential matches first." in page


def test_list_form_and_page_open(admin_client: Client) -> None:
    check = factories.check()
    for path in ("", "?q=a", "add/", f"{check.pk}/change/"):
        assert admin_client.get(f"/admin/checks/check/{path}").status_code == 200


@pytest.mark.parametrize("action", ["approve", "reject"])
def test_who_may_only_look_cannot_decide(action: str) -> None:
    check = factories.check(status="need_review")
    client = viewer(Check)
    act(client, action, check)
    assert Check.objects.get(pk=check.pk).status == "need_review"
    assert "from_page" not in client.get(f"/admin/checks/check/{check.pk}/change/").content.decode()


def review(client: Client, check: Check, *names: str, verdict: str = "ignore") -> tuple[int, str]:
    """Ticks the hits with these names on the page of the check; gives the status and text of the answer."""
    ticked = [hit["id"] for hit in check.data["hits"] if hit["name"] in names]
    sent = {"hit": ticked, "verdict": verdict, "comment": " Seen. "}
    answer = client.post(f"/admin/checks/check/{check.pk}/hits/", sent, follow=True)
    return answer.status_code, answer.content.decode()


def test_an_aml_check_with_hits_is_finished_here(admin_client: Client) -> None:
    check = factories.aml_check_with_hits(None, "Ann", "Bob")
    page = admin_client.get(f"/admin/checks/check/{check.pk}/change/").content.decode()
    assert all(hit["id"] in page for hit in check.data["hits"])
    assert "1 hit(s) reviewed." in review(admin_client, check, "Ann")[1]
    review(admin_client, check, "Bob", verdict="confirm")
    act(admin_client, "reject", check)
    found = Check.objects.get(pk=check.pk)
    assert (found.status, found.data["match_status"]) == ("rejected", "true_positive")
    reviews = [hit["review"] for hit in found.data["hits"]]
    assert [(made["comment"], made["reviewer_type"]) for made in reviews] == [("Seen.", "user")] * 2


@pytest.mark.parametrize(("names", "verdict"), [((), "ignore"), (("Ann",), "forget")])
def test_a_review_of_hits_names_hits_and_a_verdict(admin_client: Client, names: tuple[str, ...], verdict: str) -> None:
    check = factories.aml_check_with_hits(None, "Ann")
    assert "Tick the hits first" in review(admin_client, check, *names, verdict=verdict)[1]
    assert Check.objects.get(pk=check.pk).data == check.data


def test_who_may_only_look_reviews_no_hits() -> None:
    check, client = factories.aml_check_with_hits(None, "Ann"), viewer(Check)
    page = client.get(f"/admin/checks/check/{check.pk}/change/").content.decode()
    assert "Ann" in page
    assert "Confirm:" not in page
    assert review(client, check, "Ann")[0] == 403
    assert Check.objects.get(pk=check.pk).data == check.data


@pytest.mark.parametrize(
    ("status", "offered"),
    [("in_progress", []), ("need_review", ["approve", "reject"]), ("approved", ["reject_after_all"])],
)
def test_the_page_offers_the_verdicts_that_are_possible(admin_client: Client, status: str, offered: list[str]) -> None:
    check = factories.check(kind="ekyc", status=status)
    page = admin_client.get(f"/admin/checks/check/{check.pk}/change/").content.decode()
    assert re.findall(r'name="action" value="(\w+)"', page) == offered

"""Checks started with settings, and what vendors say and people order, in the admin."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.test import Client

from checks import services
from checks.admin.showing import known
from checks.models import Check, CheckType
from tests import factories
from tests.workspaces.staff import viewer

pytestmark = pytest.mark.django_db

FILE = "019a0000-0000-7000-8000-000000000000"


def start(client: Client, kind: str, **sent: str) -> str:
    of = {"individual": "", "company": ""}
    if kind in ("company_monitoring", "online_reputation"):
        of["company"] = str(factories.company().pk)
    else:
        of["individual"] = str(factories.individual().pk)
    return client.post("/admin/checks/check/add/", {"type": kind, **of, **sent}).content.decode()


def say(client: Client, check: Check, **said: str) -> str:
    return client.post(f"/admin/checks/check/{check.pk}/answer/", said, follow=True).content.decode()


def press(client: Client, check: Check, button: str) -> str:
    sent = {"action": button, "_selected_action": str(check.pk), "from_page": "1"}
    return client.post("/admin/checks/check/", sent, follow=True).content.decode()


def page_of(client: Client, check: Check) -> str:
    return client.get(f"/admin/checks/check/{check.pk}/change/").content.decode()


@pytest.mark.parametrize("kind", CheckType.values)
def test_any_type_is_started(admin_client: Client, kind: str) -> None:
    start(admin_client, kind, key="passport" if kind in factories.SETTINGS else "")
    check = Check.objects.get()
    assert (check.type, check.status) == (kind, "in_progress")
    assert admin_client.get(f"/admin/checks/check/{check.pk}/change/").status_code == 200


def test_a_check_is_started_with_settings(admin_client: Client) -> None:
    start(admin_client, "ekyc", settings='{"automatic_approval": true}')
    assert Check.objects.get().data["settings"]["automatic_approval"] is True


@pytest.mark.parametrize(
    ("kind", "sent", "sentence"),
    [
        ("ekyc", {"settings": '{"colour": 1}'}, "eKYC checks have no setting `colour`"),
        ("ekyc", {"settings": "{"}, "is not valid JSON"),
        ("ekyc", {"settings": "[1]"}, "Expected a dictionary"),
        ("document", {"key": "pasport"}, "Did you mean passport?"),
        ("electronic_signature", {}, "Say which document"),
        ("", {}, "This field is required."),
    ],
)
def test_settings_that_do_not_do_are_refused(
    admin_client: Client, kind: str, sent: dict[str, str], sentence: str
) -> None:
    assert sentence in start(admin_client, kind, **sent)
    assert not Check.objects.exists()


def test_a_result_is_recorded(admin_client: Client) -> None:
    check = services.start_check(factories.individual(), "ekyc", {"automatic_rejection": True})
    assert "Record the result" in page_of(admin_client, check)
    page = say(admin_client, check, result="rejected", found='{"decision": "inconsistent"}')
    assert "Recorded. The check is rejected." in page
    assert "Record the result" not in page
    assert Check.objects.get().data["decision"] == "inconsistent"


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({}, "Choose what the result is."),
        ({"result": "perhaps"}, "Choose what the result is."),
        ({"result": "approved", "found": "{"}, "not valid JSON"),
        ({"result": "approved", "found": "[]"}, "as a JSON object"),
        ({"result": "approved", "found": '{"colour": 1}'}, "says nothing about colour"),
        ({"alert": "other"}, "Only company monitoring checks have alerts."),
        ({"hits": "John:pep"}, "Only AML checks have hits."),
    ],
)
def test_an_answer_that_makes_no_sense_is_refused(admin_client: Client, said: dict[str, str], sentence: str) -> None:
    check = factories.check(kind="ekyc")
    assert sentence in say(admin_client, check, **said)
    assert Check.objects.get().status == "in_progress"


def test_hits_are_recorded_and_those_of_the_monitoring_later(admin_client: Client) -> None:
    check = factories.check()
    say(admin_client, check, hits="")
    assert "Record the hits" not in page_of(admin_client, check)
    assert "no longer" not in press(admin_client, check, "start_monitoring")
    say(admin_client, check, hits="John: Carter:pep,sanction\n\n")
    found = Check.objects.get()
    assert (found.status, found.data["hits"][0]["name"]) == ("need_review", "John: Carter")


def test_a_hit_is_written_in_one_way(admin_client: Client) -> None:
    assert "Write a hit as NAME:LIST" in say(admin_client, factories.check(), hits="John")


def test_an_alert_reopens_a_check(admin_client: Client) -> None:
    check = services.record_result(services.start_check(factories.company(), "company_monitoring"), "approved")
    assert "Record the alert" in page_of(admin_client, check)
    say(admin_client, check, alert="company_status")
    assert Check.objects.get().status == "need_review"


def test_monitoring_is_switched_by_a_button(admin_client: Client) -> None:
    check = factories.check()
    assert "Start monitoring" in page_of(admin_client, check)
    assert "Stop monitoring" in press(admin_client, check, "start_monitoring")
    assert services.is_monitored(Check.objects.get())
    assert "Only AML and company" in press(admin_client, factories.check(kind="ekyc"), "start_monitoring")


def test_a_review_of_a_document_is_forced_by_a_button(admin_client: Client) -> None:
    check = factories.check(kind="document")
    assert 'value="force_review"' not in page_of(admin_client, check)
    assert "no file to review" in press(admin_client, check, "force_review")
    check.data["document_file_ids"] = [FILE]
    check.save()
    assert 'value="force_review"' in page_of(admin_client, check)
    press(admin_client, check, "force_review")
    assert Check.objects.get().status == "need_review"


def test_the_last_day_is_edited(admin_client: Client) -> None:
    check = factories.check(kind="ekyc")
    sent = {"status": "in_progress", "expires_at": "2027-01-31"}
    admin_client.post(f"/admin/checks/check/{check.pk}/change/", sent)
    assert Check.objects.get().expires_at == date(2027, 1, 31)


def test_a_step_that_makes_no_sense_is_refused_in_the_form(admin_client: Client) -> None:
    check = factories.check(kind="ekyc", status="rejected")
    page = admin_client.post(f"/admin/checks/check/{check.pk}/change/", {"status": "expired"}).content.decode()
    assert "A check that is rejected cannot become expired." in page
    assert Check.objects.get().status == "rejected"


def test_who_may_only_look_says_nothing() -> None:
    check, client = factories.check(kind="ekyc"), viewer(Check)
    assert "Record the result" not in page_of(client, check)
    assert client.post(f"/admin/checks/check/{check.pk}/answer/", {"result": "approved"}).status_code == 403
    assert Check.objects.get().status == "in_progress"


def test_the_address_of_answers_cannot_be_looked_at(admin_client: Client) -> None:
    assert admin_client.get(f"/admin/checks/check/{factories.check().pk}/answer/").status_code == 404


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"result": "approved", "review": None}, [("result", "approved")]),
        ({"a": {"b_c": True, "d": ""}}, [("a: b c", "yes")]),
        ({"list_types": ["pep", "sanction"], "empty": []}, [("list types", "pep, sanction")]),
        ({"hits": [1], "sources": [{"title": "News"}]}, [("sources", '{"title": "News"}')]),
        ({"score": 0}, [("score", "0")]),
    ],
)
def test_data_are_shown_without_what_is_empty(data: Any, expected: list[tuple[str, str]]) -> None:
    assert list(known(data)) == expected

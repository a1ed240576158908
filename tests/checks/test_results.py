"""What vendors answer, and what comes of it."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from checks import services
from checks.models import Check, CheckType
from deliveries.models import Event
from tests import factories

pytestmark = pytest.mark.django_db

AUTOMATIC = {"automatic_approval": True, "automatic_rejection": True}
WITH_BOTH = ["ekyc", "fraud_database", "id_document", "id_verification"]


def started(kind: str, settings: dict[str, Any] | None = None) -> Check:
    subject = factories.company() if kind in ("company_monitoring", "online_reputation") else factories.individual()
    return services.start_check(subject, kind, {**(factories.SETTINGS.get(kind) or {}), **(settings or {})})


@pytest.mark.parametrize("kind", WITH_BOTH)
@pytest.mark.parametrize(
    ("settings", "result", "status"),
    [
        (AUTOMATIC, "approved", "approved"),
        (AUTOMATIC, "rejected", "rejected"),
        (AUTOMATIC, "error", "need_review"),
        (AUTOMATIC, None, "need_review"),
        ({"automatic_approval": True}, "rejected", "need_review"),
        ({"automatic_rejection": True}, "approved", "need_review"),
        ({}, "approved", "need_review"),
        ({}, "rejected", "need_review"),
    ],
)
def test_settings_say_which_results_are_verdicts(kind: str, settings: Any, result: str | None, status: str) -> None:
    check = services.record_result(started(kind, settings), result)
    assert (check.status, check.data["result"]) == (status, result)
    assert check.data["review"]["reviewer_type"] == (None if status == "need_review" else "system")


@pytest.mark.parametrize(
    ("kind", "settings", "result", "status"),
    [
        ("aml", {}, "approved", "approved"),
        ("aml", {}, "rejected", "need_review"),
        ("company_monitoring", {}, "approved", "approved"),
        ("company_monitoring", {}, "rejected", "need_review"),
        ("electronic_signature", {"automatic_approval": True}, "approved", "approved"),
        ("electronic_signature", {"automatic_approval": True}, "rejected", "need_review"),
        ("online_reputation", {}, "approved", "need_review"),
        ("document", {}, "approved", "need_review"),
        ("document", {"document_analysis": {"automatic_approval": True}}, "approved", "approved"),
        ("document", {"document_analysis": {"automatic_approval": True}}, "rejected", "need_review"),
        ("document", {"document_analysis": {"automatic_rejection": True}}, "rejected", "rejected"),
    ],
)
def test_types_with_settings_of_their_own(kind: str, settings: Any, result: str, status: str) -> None:
    assert services.record_result(started(kind, settings), result).status == status


def test_what_was_found_is_kept_beside_what_was_known() -> None:
    check = services.record_result(
        started("ekyc"), "approved", decision="match", vendor={"score": 91}, information={"last_name": "CARTER-SMITH"}
    )
    stored = Check.objects.get(pk=check.pk).data
    assert (stored["decision"], stored["vendor"]["score"], stored["vendor"]["name"]) == ("match", 91, "gbg")
    assert (stored["information"]["first_name"], stored["information"]["last_name"]) == ("John", "CARTER-SMITH")


@pytest.mark.parametrize(
    ("found", "named"),
    [
        ({"colour": 1}, "colour"),
        ({"information": {"colour": 1}}, "information.colour"),
        ({"settings": {"automatic_approval": True}}, "settings"),
        ({"review": {}}, "review"),
        ({"result": "approved"}, "result"),
        ({"check": 1}, "check"),
    ],
)
def test_what_has_no_place_in_the_data_is_refused(found: dict[str, Any], named: str) -> None:
    check = started("ekyc")
    with pytest.raises(ValidationError, match=f"says nothing about {named}"):
        services.record_result(check, "approved", **found)
    assert Check.objects.get().status == "in_progress"


def test_a_result_is_one_of_three_words() -> None:
    with pytest.raises(ValidationError, match="A result is one of approved, rejected, error"):
        services.record_result(started("ekyc"), "perhaps")


@pytest.mark.parametrize("kind", CheckType.values)
def test_a_result_comes_once(kind: str) -> None:
    check = services.record_result(started(kind), "error")
    with pytest.raises(ValidationError, match="known already"):
        services.record_result(check, "approved")


def test_a_check_is_processed_before_its_result() -> None:
    check = services.set_processing(started("id_document"))
    assert check.status == "processing"
    with pytest.raises(ValidationError, match="this one is processing"):
        services.set_processing(check)
    assert services.record_result(check, "approved").status == "need_review"


def test_a_result_is_one_event() -> None:
    check = started("ekyc", AUTOMATIC)
    Event.objects.all().delete()
    services.record_result(check, "rejected")
    assert [event.name for event in Event.objects.all()] == ["Check.Rejected"]


def test_a_review_of_a_document_is_forced() -> None:
    check = factories.check(kind="document")
    with pytest.raises(ValidationError, match="no file"):
        services.force_review(check)
    check.data["document_file_ids"] = ["019a0000-0000-7000-8000-000000000000"]
    check.save()
    assert services.force_review(check).status == "need_review"
    assert services.force_review(check).status == "need_review"
    assert Event.objects.filter(name="Check.ReviewNeeded").count() == 1


@pytest.mark.parametrize(
    ("kind", "status", "sentence"),
    [
        ("ekyc", "in_progress", "Only reviews of document checks"),
        ("document", "processing", "This check is processing"),
        ("document", "approved", "This check is approved"),
        ("document", "expired", "This check is expired"),
    ],
)
def test_a_review_that_cannot_be_forced(kind: str, status: str, sentence: str) -> None:
    check = factories.check(kind=kind, status=status)
    with pytest.raises(ValidationError, match=sentence):
        services.force_review(check)

"""What the data of checks takes, from vendors and from code: the kinds that receivers' schemas have."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from checks import services
from checks.data import merged
from checks.models import Check, CheckStatus
from deliveries.models import Event
from tests import factories

pytestmark = pytest.mark.django_db

WRONG = [
    ("ekyc", {"decision": "banana"}, "`data.decision` must be match or inconclusive or inconsistent, or null."),
    ("ekyc", {"vendor": {"name": 7}}, "`data.vendor.name` must be gbg."),
    ("ekyc", {"vendor": {"score": True}}, "`data.vendor.score` must be a number, or null."),
    ("ekyc", {"vendor": {"country": "France"}}, "`data.vendor.country` must be the two letters of ISO 3166-1"),
    ("ekyc", {"vendor": {"country": None}}, "`data.vendor.country` must be the two letters"),
    ("ekyc", {"information": 5}, "`data.information` must be an object."),
    ("ekyc", {"information": {"address": ["FR"]}}, "`data.information.address` must be an object."),
    ("ekyc", {"fraud_signals": {"trust": None}}, "`data.fraud_signals` lacks `fraud_score`."),
    ("ekyc", {"fraud_signals": {"colour": 1}}, "`data.fraud_signals` has no member `colour`"),
    ("document", {"information": {"expiration_date": 5}}, "`data.information.expiration_date` must be a day such as"),
    ("document", {"information": {"expiration_date": "20300131"}}, "must be a day such as 2030-01-31, or null."),
    ("document", {"information": {"expiration_date": "2030-02-30"}}, "must be a day such as"),
    ("document", {"document_file_ids": ["scan"]}, r"`data.document_file_ids\[0\]` must be a UUID."),
    ("document", {"document_file_ids": "scan"}, "`data.document_file_ids` must be a list."),
    ("document", {"detailed_results": {"document_analysis": "ok"}}, "must be an object, or null."),
    ("electronic_signature", {"vendor": {"ended_at": "2030-01-31"}}, "must be a date and time such as"),
    ("electronic_signature", {"vendor": {"ended_at": "2030-01-31T25:00:00Z"}}, "must be a date and time such as"),
    ("company_monitoring", {"vendor": {"is_monitored": 1}}, "`data.vendor.is_monitored` must be true or false."),
    ("fraud_database", {"information": {"entity_type": "ship"}}, "must be company or individual."),
    ("id_document", {"detailed_results": {"document": {"data_validation": "ok"}}}, "must be approved or rejected or"),
    ("id_document", {"information": {"document_type": "library_card"}}, "must be passport or identity_card or"),
    ("id_verification", {"information": {"nationality": "fr"}}, "must be the two letters of ISO 3166-1"),
    ("online_reputation", {"information": {"sources": [{"title": "News"}]}}, r"`data.information.sources\[0\]` lacks"),
    (
        "online_reputation",
        {"information": {"company": {"name": None}}},
        "company.name` must be text.",
    ),
]
# A bulk change of these fails in the database already.
NOT_JSON = [
    ("ekyc", {"vendor": {"score": float("inf")}}, "`data.vendor.score` must be a number, or null."),
    ("ekyc", {"information": {"first_name": "A\0"}}, "`data.information.first_name` must be text, or null."),
]
OF_CODE = [
    ("ekyc", {"colour": 1}, "`data` has no member `colour`; it has result, settings"),
    ("ekyc", {"result": "perhaps"}, "`data.result` must be approved or rejected or error, or null."),
    ("ekyc", {"settings": {"vendor": "acme"}}, "`data.settings.vendor` must be gbg."),
    ("ekyc", {"review": {"reviewer_type": "nobody"}}, "`data.review.reviewer_type` must be user or system or api"),
    ("ekyc", {"review": {"user": {"id": "1"}}}, "`data.review.user.id` must be a UUID."),
    ("aml", {"match_status": "none"}, "`data.match_status` must be no_match or"),
    ("aml", {"hits": [{"name": "John"}]}, r"`data.hits\[0\]` lacks `id`."),
    ("document", {"settings": {"document_type": {"key": "passport"}}}, "`data.settings.document_type` lacks"),
]


def started(kind: str) -> Check:
    subject = factories.company() if kind in ("company_monitoring", "online_reputation") else factories.individual()
    return factories.check(subject, kind)


@pytest.mark.parametrize(("kind", "found", "sentence"), [*WRONG, *NOT_JSON])
def test_a_vendor_says_nothing_of_another_kind(kind: str, found: dict[str, Any], sentence: str) -> None:
    check = started(kind)
    events = Event.objects.count()
    with pytest.raises(ValidationError, match=sentence):
        services.record_result(check, "approved", **found)
    assert (Check.objects.get().data, Event.objects.count()) == (check.data, events)


@pytest.mark.parametrize(("kind", "written", "sentence"), [*WRONG, *OF_CODE])
def test_nor_does_code(kind: str, written: dict[str, Any], sentence: str) -> None:
    check = started(kind)
    before, data = check.stored()["data"], check.data | written
    with pytest.raises(ValidationError, match=sentence):
        Check.objects.update(data=data)
    check.data = data
    with pytest.raises(ValidationError, match=sentence):
        check.save()
    assert Check.objects.get().data == before


@pytest.mark.parametrize(("kind", "written", "sentence"), WRONG[:3])
def test_nor_does_a_new_check(kind: str, written: dict[str, Any], sentence: str) -> None:
    rows = [Check(type=kind, individual=factories.individual(), data=written)]
    with pytest.raises(ValidationError, match=sentence):
        Check.objects.bulk_create(rows)
    with pytest.raises(ValidationError, match=sentence):
        rows[0].save()
    assert not Check.objects.exists()


def test_data_is_an_object() -> None:
    started("ekyc")
    with pytest.raises(ValidationError, match="`data` must be an object"):
        Check.objects.update(data=[])


FRAUD = {
    "trust": {"score": 1.5, "band": None, "triggered_rules": [{"code": "A1", "description": "Known address"}]},
    "fraud_score": {"score": None, "band": "low", "labels": ["new"]},
    "email_verification": None,
    "email_validation": {"address_valid": True, "bounce_risk": None},
    "mobile_validation": {
        "number_valid": None,
        "line_type": "mobile",
        "current_network": {"operator": "One", "country": "FR"},
        "original_network": None,
    },
}


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("ekyc", {"decision": "match", "fraud_signals": FRAUD, "vendor": {"score": 10**400}}),
        ("document", {"information": {"expiration_date": "2030-01-31", "document_analysis": {"iban": "FR76"}}}),
        ("document", {"document_file_ids": ["019A0000-0000-7000-8000-000000000000"]}),
        ("electronic_signature", {"vendor": {"started_at": "2030-01-31T09:30:00.123+01:00", "status": "done"}}),
        ("id_verification", {"detailed_results": {"face": {"face_comparison": "error"}}, "information": {"mrz": "P<"}}),
        ("online_reputation", {"information": {"sources": [{"title": "News", "url": "https://example.com"}]}}),
    ],
)
def test_what_the_schemas_have_is_kept(kind: str, found: dict[str, Any]) -> None:
    services.record_result(started(kind), "approved", **found)
    data = Check.objects.get().data
    for name, value in found.items():
        assert data[name] == merged(data[name], value)


def test_what_is_older_than_the_rule_stops_no_verdict() -> None:
    check = started("ekyc")
    odd = check.data | {"decision": "banana", "colour": 1, "information": 5, "vendor": {"score": "high"}}
    QuerySet(Check).update(data=odd, status=CheckStatus.NEED_REVIEW)
    check = services.review_check(Check.objects.get(), "approve", reviewer_type="api")
    assert (check.status, check.data["decision"]) == ("approved", "banana")
    check.data["vendor"] = {"score": "low"}
    with pytest.raises(ValidationError, match=r"data\.vendor\.score"):
        check.save()


def test_files_that_were_handed_in_stay_whatever_a_vendor_says() -> None:
    check, file = started("document"), "019a0000-0000-7000-8000-000000000000"
    check.data["document_file_ids"] = [file]
    check.save()
    with pytest.raises(ValidationError, match="This check has its files already"):
        services.record_result(check, "approved", document_file_ids=[])
    check = services.record_result(check, "approved", document_file_ids=[file])
    assert check.data["document_file_ids"] == [file]

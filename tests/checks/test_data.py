"""What checks of each type say from the beginning, and which settings they take."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from checks import projection, services
from checks.data import merged
from checks.models import Check, CheckType
from tests import factories

pytestmark = pytest.mark.django_db

ADDRESS = {"street_address": "11 Rue Poissonnerie", "city": "Bayonne", "country": "FR"}
# What Dotfile's schemas require of the data of each type, beside `result` and `review`.
REQUIRED = {
    "aml": {"settings", "vendor", "match_status", "hits_list_types", "hits"},
    "company_monitoring": {"settings", "vendor"},
    "document": {"settings", "detailed_results", "document_file_ids", "information"},
    "ekyc": {"settings", "vendor", "decision", "information", "ai", "fraud_signals"},
    "electronic_signature": {"settings", "vendor", "information"},
    "fraud_database": {"settings", "vendor", "information", "ai_analysis"},
    "id_document": {"settings", "vendor", "detailed_results", "information"},
    "id_verification": {"settings", "vendor", "detailed_results", "information"},
    "online_reputation": {"information"},
}


def shown(check: Check) -> dict[str, Any]:
    data: dict[str, Any] = projection.check(Check.objects.filter(pk=check.pk).values()[0])["data"]
    return data


def started(kind: str) -> Check:
    subject = factories.company() if kind in ("company_monitoring", "online_reputation") else factories.individual()
    return factories.check(subject, kind)


@pytest.mark.parametrize("kind", CheckType.values)
def test_a_check_begins_with_all_its_keys(kind: str) -> None:
    assert shown(started(kind)).keys() == REQUIRED[kind] | {"result", "review"}


@pytest.mark.parametrize("kind", CheckType.values)
@pytest.mark.parametrize("stored", [lambda keys: {}, lambda keys: [], lambda keys: dict.fromkeys(keys)])
def test_what_a_row_lacks_is_shown_nevertheless(kind: str, stored: Callable[[set[str]], Any]) -> None:
    check = started(kind)
    before = shown(check)
    QuerySet(Check).update(data=stored(REQUIRED[kind]))  # before there were rules
    after = shown(check)
    assert after.keys() == before.keys()
    for name in after.keys() & {"settings", "review", "vendor", "information"}:
        assert after[name].keys() == before[name].keys()


@pytest.mark.parametrize("kind", CheckType.values)
def test_rows_made_by_hand_and_in_bulk_begin_like_those_of_the_service(kind: str) -> None:
    first = started(kind)
    twins = [Check(type=kind, individual=first.individual, company=first.company, subtype=first.subtype) for _ in "ab"]
    twins[0].save()
    Check.objects.bulk_create(twins[1:])
    for twin in twins:
        assert twin.data.keys() == first.data.keys()
        assert (twin.subtype, twin.document_type_key) == (first.subtype, first.document_type_key)
        assert twin.data.get("settings") == first.data.get("settings")


def test_what_is_known_of_a_person_is_taken_over() -> None:
    person = factories.individual(birth_date=date(1990, 7, 3), address=ADDRESS, email="john@example.com")
    ekyc, fraud = (shown(factories.check(person, kind)) for kind in ("ekyc", "fraud_database"))
    assert ekyc["information"]["birth_date"] == fraud["information"]["birth_date"] == "1990-07-03"
    assert ekyc["information"]["address"]["city"] == "Bayonne"
    assert ekyc["vendor"]["country"] == "FR"
    assert (fraud["information"]["entity_type"], fraud["information"]["email"]) == ("individual", "john@example.com")


def test_what_is_known_of_a_company_is_taken_over() -> None:
    company = factories.company(registration_number="012345678", tax_identification_number="FR99", country="FR")
    fraud, reputation = (shown(factories.check(company, kind)) for kind in ("fraud_database", "online_reputation"))
    known = fraud["information"]
    assert (known["entity_type"], known["company_number"], known["vat_number"]) == ("company", "012345678", "FR99")
    assert reputation["information"]["company"]["name"] == "Test Inc."


def test_a_country_that_nobody_knows_says_so() -> None:
    assert shown(factories.check(kind="ekyc"))["vendor"]["country"] == "ZZ"


@pytest.mark.parametrize("vendor", ["checkout", "idnow", "onfido", "ubble", "veriff"])
def test_the_vendor_that_is_chosen_is_the_vendor(vendor: str) -> None:
    check = services.start_check(factories.individual(), "id_verification", {"vendor": vendor})
    assert check.data["vendor"]["name"] == vendor
    assert ("sdk_token" in check.data["vendor"]) == (vendor == "onfido")


@pytest.mark.parametrize(
    ("kind", "settings", "sentence"),
    [
        ("aml", {"fuzziness": 2}, "`fuzziness` must be a number from 0 to 1"),
        ("aml", {"fuzziness": True}, "`fuzziness` must be a number from 0 to 1"),
        ("aml", {"list_types": ["law_enforcement"]}, "`list_types` must be a list with words of"),
        ("aml", {"list_types": [["pep"]]}, "`list_types` must be a list"),
        ("ekyc", {"vendor": "idnow"}, "`vendor` must be gbg"),
        ("ekyc", {"automatic_approval": "yes"}, "`automatic_approval` must be true or false"),
        ("ekyc", {"colour": 1}, "eKYC checks have no setting `colour`; they have vendor, automatic_approval"),
        ("id_verification", {"mode": []}, "`mode` must be auto or certified"),
        ("electronic_signature", {}, "Give `document_template_key`"),
        ("electronic_signature", {"document_template_key": "a\0"}, "must be the key of a document template"),
        ("electronic_signature", {"document_template_key": "a" * 201}, "must be the key of a document template"),
        ("document", {}, "Give `document_type_key`"),
        ("document", {"document_type_key": 5}, "must be the key of a document type"),
    ],
)
def test_settings_that_a_type_does_not_take_are_refused(kind: str, settings: Any, sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        services.start_check(factories.individual(), kind, settings)
    assert not Check.objects.exists()


@pytest.mark.parametrize(
    "analysis",
    [
        [],
        {"automatic_approval": 1},
        {"colour": 1},
        {"parameters": {}},
        {"parameters": {"model": []}},
        {"parameters": {"model": "prompt"}},
        {"parameters": {"model": "prompt", "prompt": None}},
        {"parameters": {"model": "iban", "prompt": {}}},  # not this model's, but it would be shown
        {"parameters": {"model": "iban", "iban_matching": "yes"}},
        {"parameters": {"model": "iban", "bic_matching": None}},
        {"parameters": {"model": "proof_of_address", "authorized_documents": ["passport"]}},
        {"parameters": {"model": "proof_of_address", "authorized_documents": "other"}},
        {"parameters": {"model": "registration_certificate", "max_age_in_days": "90"}},
    ],
)
def test_an_analysis_that_makes_no_sense_is_refused(analysis: Any) -> None:
    settings = {"document_type_key": "passport", "document_analysis": analysis}
    with pytest.raises(ValidationError, match="`document_analysis` must be"):
        services.start_check(factories.individual(), "document", settings)


@pytest.mark.parametrize(
    "parameters",
    [
        {"model": "prompt", "prompt": "Is this signed?"},
        {"model": "iban", "iban_matching": True, "bic_matching": False},
        {"model": "proof_of_address", "authorized_documents": ["energy_bill", "other"], "max_age_in_days": 90},
        {"model": "registration_certificate", "authorized_documents": None, "max_age_in_days": None},
    ],
)
def test_an_analysis_is_told_what_its_model_takes(parameters: Any) -> None:
    settings = {"document_type_key": "passport", "document_analysis": {"parameters": parameters}}
    check = services.start_check(factories.individual(), "document", settings)
    assert check.data["settings"]["document_analysis"]["parameters"] == parameters


def test_settings_of_checks_of_companies_are_looked_at_too() -> None:
    company = factories.company()
    with pytest.raises(ValidationError, match="`alert_categories` must be"):
        services.start_check(company, "company_monitoring", {"alert_categories": ["weather"]})
    with pytest.raises(ValidationError, match="have no setting `vendor`; they have none"):
        services.start_check(company, "online_reputation", {"vendor": "x"})


def test_an_analysis_is_completed() -> None:
    settings = {"document_type_key": "iban", "document_analysis": {"parameters": {"model": "iban"}}}
    check = services.start_check(factories.individual(), "document", settings)
    expected = {"automatic_approval": False, "automatic_rejection": False, "parameters": {"model": "iban"}}
    assert check.data["settings"]["document_analysis"] == expected


@pytest.mark.parametrize(
    ("base", "given", "expected"),
    [
        ({"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"c": 3}}, {"a": {"b": 1, "c": 3}}),
        ({"a": {"b": 1}}, {"a": None}, {"a": {"b": 1}}),
        ({"a": None}, {"a": {"b": 1}}, {"a": {"b": 1}}),
        ({"a": []}, {"a": None}, {"a": []}),
        ({"a": [1]}, {"a": [2]}, {"a": [2]}),
        ({"a": 1}, "text", {"a": 1}),
    ],
)
def test_data_over_data(base: Any, given: Any, expected: Any) -> None:
    assert merged(base, given) == expected

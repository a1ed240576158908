"""/v1/checks/{type}: start, read and review of each type, and the monitoring of AML checks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from cases.models import Case, Company, Individual
from checks import services
from checks.models import ABOUT_COMPANIES, Check, CheckType
from tests import factories

pytestmark = pytest.mark.django_db

UNKNOWN = "019a0000-0000-7000-8000-000000000000"
NAMES = {kind: kind.value for kind in CheckType} | {CheckType.FRAUD_DATABASE: "fraud-database"}
"""Of types in addresses, as far as checks of them can be started."""
del NAMES[CheckType.COMPANY_MONITORING]
KINDS = pytest.mark.parametrize("kind", NAMES)


@pytest.fixture
def case() -> Case:
    return factories.case()


@pytest.fixture
def person(case: Case) -> Individual:
    return factories.individual(case)


@pytest.fixture
def company(case: Case) -> Company:
    return factories.company(case)


@pytest.fixture
def client(case: Case) -> APIClient:
    return factories.api_client(case.workspace)


Body = Callable[[CheckType], dict[str, Any]]


@pytest.fixture
def body(person: Individual, company: Company) -> Body:
    """The least that starts a check of a type."""

    def made(kind: CheckType) -> dict[str, Any]:
        subject: Any = company if kind in ABOUT_COMPANIES else person
        settings = factories.settings_of(subject, kind)
        about = {"company_id" if subject is company else "individual_id": str(subject.pk)}
        return about | ({"settings": settings} if settings else {})

    return made


@KINDS
def test_a_check_of_each_type_is_started_and_read(client: APIClient, body: Body, kind: CheckType) -> None:
    response = client.post(f"/v1/checks/{NAMES[kind]}", body(kind))
    assert response.status_code == 201, response.json()
    made = response.json()
    assert (made["type"], made["status"], made["data"]["result"]) == (kind, "in_progress", None)
    assert (made["individual_id"] is None) == (kind in ABOUT_COMPANIES)
    assert client.get(f"/v1/checks/{NAMES[kind]}/{made['id']}").json() == made


@KINDS
def test_a_check_of_each_type_is_reviewed_through_the_api(client: APIClient, body: Body, kind: CheckType) -> None:
    url = f"/v1/checks/{NAMES[kind]}/{client.post(f'/v1/checks/{NAMES[kind]}', body(kind)).json()['id']}"
    assert client.patch(f"{url}/review", {"action": "approve"}).status_code == 400
    Check.objects.update(status="need_review")
    approved = client.patch(f"{url}/review", {"action": "approve", "comment": "Fine."})
    assert (approved.status_code, approved.json()["status"]) == (200, "approved")
    review = approved.json()["data"]["review"]
    assert (review["reviewer_type"], review["comment"], review["user"]) == ("api", "Fine.", None)
    assert client.patch(f"{url}/review", {"action": "reject"}).status_code == 400
    assert client.patch(f"{url}/review", {"action": "reject", "override": True}).json()["status"] == "rejected"
    assert client.get(url).json()["data"]["result"] == "rejected"


@pytest.mark.parametrize("kind", [CheckType.FRAUD_DATABASE, CheckType.AML, CheckType.DOCUMENT])
def test_some_types_are_about_companies_as_well(client: APIClient, company: Company, kind: CheckType) -> None:
    sent = {"company_id": str(company.pk), "settings": factories.settings_of(company, kind) or {}}
    response = client.post(f"/v1/checks/{NAMES[kind]}", sent)
    assert (response.status_code, response.json()["company_id"]) == (201, str(company.pk))


def test_a_check_is_about_one_of_them(client: APIClient, person: Individual, company: Company) -> None:
    both = {"individual_id": str(person.pk), "company_id": str(company.pk)}
    assert client.post("/v1/checks/aml", both).status_code == 400
    assert client.post("/v1/checks/aml", both | {"company_id": None}).status_code == 201


def test_who_must_name_both_for_a_fraud_database_means_the_individual(
    client: APIClient, person: Individual, company: Company
) -> None:
    both = {"individual_id": str(person.pk), "company_id": str(company.pk)}
    made = client.post("/v1/checks/fraud-database", both).json()
    assert (made["individual_id"], made["company_id"]) == (str(person.pk), None)
    elsewhere = factories.company(factories.case(person.case.workspace))
    assert client.post("/v1/checks/fraud-database", both | {"company_id": str(elsewhere.pk)}).status_code == 400


@KINDS
@pytest.mark.parametrize("sent", [{}, {"individual_id": 5, "company_id": 5}, {"individual_id": "x", "company_id": "x"}])
def test_without_a_subject_the_field_is_named(client: APIClient, kind: CheckType, sent: dict[str, Any]) -> None:
    response = client.post(f"/v1/checks/{NAMES[kind]}", sent | {"settings": factories.SETTINGS.get(kind, {})})
    field = "company_id" if kind in ABOUT_COMPANIES else "individual_id"
    assert response.status_code == 400
    assert field in [error["field"] for error in response.json()["errors"]]


@KINDS
@pytest.mark.parametrize("sent", [None, 5, "x", [], [1]])
def test_a_body_that_is_no_object_is_400(client: APIClient, kind: CheckType, sent: Any) -> None:
    assert client.post(f"/v1/checks/{NAMES[kind]}", sent, "json").status_code == 400


def test_settings_are_kept(client: APIClient, person: Individual) -> None:
    said = {"vendor": "veriff", "mode": "default", "redirect_url": "https://a.b/", "automatic_approval": True}
    made = client.post("/v1/checks/id_verification", {"individual_id": str(person.pk), "settings": said}).json()
    assert made["data"]["settings"] == said | {"automatic_rejection": False}
    assert made["data"]["vendor"]["name"] == "veriff"


@pytest.mark.parametrize(
    ("kind", "settings", "named"),
    [
        ("ekyc", 5, "settings"),
        ("ekyc", None, "settings"),
        ("ekyc", {"vendor": "other"}, "settings.vendor"),
        ("ekyc", {"automatic_approval": "yes"}, "settings.automatic_approval"),
        ("fraud_database", {"vendor": 5}, "settings.vendor"),
        ("id_document", {"automatic_rejection": None}, "settings.automatic_rejection"),
        ("id_verification", {"mode": []}, "settings.mode"),
        ("id_verification", {"redirect_url": {}}, "settings.redirect_url"),
        ("electronic_signature", {}, "settings.document_template_key"),
        ("electronic_signature", {"document_template_key": "k" * 201}, "settings.document_template_key"),
        ("document", {}, "settings.document_type_key"),
        ("document", {"document_type_key": None}, "settings.document_type_key"),
        ("document", {"document_type_key": "pasport"}, "settings.document_type_key"),
        ("document", {"document_type_key": "registration_certificate"}, "settings.document_type_key"),
        ("document", {"document_type_key": "passport", "document_analysis": 5}, "settings.document_analysis"),
    ],
)
def test_a_wrong_setting_is_named(client: APIClient, body: Body, kind: str, settings: Any, named: str) -> None:
    response = client.post(f"/v1/checks/{NAMES[CheckType(kind)]}", body(CheckType(kind)) | {"settings": settings})
    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == [named]


@pytest.mark.parametrize("kind", [CheckType.DOCUMENT, CheckType.ELECTRONIC_SIGNATURE])
def test_a_type_that_needs_settings_asks_for_them(client: APIClient, person: Individual, kind: CheckType) -> None:
    response = client.post(f"/v1/checks/{kind}", {"individual_id": str(person.pk)})
    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "settings")


def test_the_document_type_is_the_workspaces_own_whatever_is_sent(client: APIClient, body: Body) -> None:
    settings = {"document_type_key": "passport", "document_type": {"key": "other"}, "fraud_analysis": None}
    made = client.post("/v1/checks/document", body(CheckType.DOCUMENT) | {"settings": settings}).json()
    assert made["data"]["settings"]["document_type"]["key"] == "passport"
    assert made["data"]["settings"].keys() == {"document_type", "document_type_key", "document_analysis"}


def test_company_monitoring_is_read_and_not_started(client: APIClient, company: Company) -> None:
    check = factories.check(company, CheckType.COMPANY_MONITORING)
    response = client.get(f"/v1/checks/company-monitoring/{check.pk}")
    assert (response.status_code, response.json()["id"]) == (200, str(check.pk))
    assert client.post("/v1/checks/company-monitoring", {"company_id": str(company.pk)}).status_code == 405


@KINDS
def test_a_check_of_another_type_cannot_be_found(client: APIClient, case: Case, kind: CheckType) -> None:
    other = CheckType.EKYC if kind != CheckType.EKYC else CheckType.AML
    check = factories.check(factories.individual(case), other, status="need_review")
    url = f"/v1/checks/{NAMES[kind]}/{check.pk}"
    for response in (client.get(url), client.patch(f"{url}/review", {"action": "approve"})):
        assert (response.status_code, response.json()["message"]) == (404, f"No {kind.label} check can be found.")


@KINDS
@pytest.mark.parametrize(("key", "status"), [("nonsense", 400), ("%00", 400), (UNKNOWN, 404)])
def test_an_address_without_a_check_is_a_client_error(
    client: APIClient, kind: CheckType, key: str, status: int
) -> None:
    url = f"/v1/checks/{NAMES[kind]}/{key}"
    assert client.get(url).status_code == status
    assert client.patch(f"{url}/review", {"action": "approve"}).status_code == status


@KINDS
@pytest.mark.parametrize("sent", [{}, {"action": "close"}, {"action": "approve", "comment": 5}, []])
def test_a_review_that_makes_no_sense_is_400(client: APIClient, body: Body, kind: CheckType, sent: Any) -> None:
    made = client.post(f"/v1/checks/{NAMES[kind]}", body(kind)).json()
    assert client.patch(f"/v1/checks/{NAMES[kind]}/{made['id']}/review", sent, "json").status_code == 400


@KINDS
def test_a_start_takes_as_many_queries_the_second_time_as_later(client: APIClient, body: Body, kind: CheckType) -> None:
    sent, counts = body(kind), []
    for _ in range(3):
        with CaptureQueriesContext(connection) as queries:
            made = client.post(f"/v1/checks/{NAMES[kind]}", sent).json()
        counts.append(len(queries))
    assert counts[1] == counts[2]
    with CaptureQueriesContext(connection) as queries:
        client.get(f"/v1/checks/{NAMES[kind]}/{made['id']}")
    assert len([each for each in queries if "checks_check" in each["sql"]]) == 1


# --- Monitoring of AML checks -----------------------------------------------------------------------------------------


def test_the_monitoring_of_an_aml_check_is_turned_on_and_off(client: APIClient, person: Individual) -> None:
    check = services.record_aml_result(factories.check(person), [])
    url = f"/v1/checks/aml/{check.pk}"
    for wanted in (True, False):
        response = client.patch(f"{url}/monitoring", {"is_monitored": wanted})
        assert response.status_code == 200
        assert response.json()["data"]["vendor"]["is_search_monitored"] is wanted
        assert client.get(url).json() == response.json()


@pytest.mark.parametrize("sent", [{}, {"is_monitored": 1}, {"is_monitored": None}, {"is_monitored": "true"}])
def test_monitoring_is_true_or_false(client: APIClient, person: Individual, sent: dict[str, Any]) -> None:
    response = client.patch(f"/v1/checks/aml/{factories.check(person).pk}/monitoring", sent)
    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "is_monitored")

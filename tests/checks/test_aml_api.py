"""/v1/checks and /v1/checks/aml."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from cases.models import Company, Individual
from checks import services
from checks.aml import NewHit
from checks.models import Check, CheckType, ListType
from tests import factories

pytestmark = pytest.mark.django_db

UNKNOWN = "019a0000-0000-7000-8000-000000000000"


@pytest.fixture
def person() -> Individual:
    return factories.individual()


@pytest.fixture
def client(person: Individual) -> APIClient:
    return factories.api_client(person.case.workspace)


def aml(client: APIClient, subject: Individual | Company, **fields: Any) -> dict[str, Any]:
    name = "individual_id" if isinstance(subject, Individual) else "company_id"
    response = client.post("/v1/checks/aml", {name: str(subject.pk), **fields})
    assert response.status_code == 201, response.json()
    return dict(response.json())


def with_hits(client: APIClient, subject: Individual, *names: str) -> dict[str, Any]:
    made = aml(client, subject)
    hits = [NewHit(name, [ListType.PEP]) for name in names or ("John Carter",)]
    services.record_aml_result(Check.objects.get(pk=made["id"]), hits)
    return dict(client.get(f"/v1/checks/aml/{made['id']}").json())


def test_a_check_is_started(client: APIClient, person: Individual) -> None:
    made = aml(client, person, settings={"fuzziness": 0.2, "list_types": ["pep"]})
    assert (made["type"], made["status"], made["individual_id"]) == ("aml", "in_progress", str(person.pk))
    assert (made["company_id"], made["subtype"], made["data"]["result"]) == (None, None, None)
    assert (made["data"]["settings"]["fuzziness"], made["data"]["settings"]["list_types"]) == (0.2, ["pep"])
    assert client.get(f"/v1/checks/aml/{made['id']}").json() == made


def test_a_company_is_checked_as_well(client: APIClient, person: Individual) -> None:
    company = factories.company(person.case)
    assert aml(client, company)["company_id"] == str(company.pk)


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "individual_id"),
        ({"individual_id": UNKNOWN}, "individual_id"),
        ({"individual_id": 5}, "individual_id"),
        ({"company_id": "x"}, "company_id"),
        ({"settings": 5}, "settings"),
        ({"settings": {"fuzziness": 2}}, "settings.fuzziness"),
        ({"settings": {"fuzziness": "0"}}, "settings.fuzziness"),
        ({"settings": {"exact_match": 1}}, "settings.exact_match"),
        ({"settings": {"list_types": ["none"]}}, "settings.list_types.0"),
        ({"settings": {"list_types": "pep"}}, "settings.list_types"),
    ],
)
def test_a_wrong_field_is_named(client: APIClient, body: dict[str, Any], named: str) -> None:
    response = client.post("/v1/checks/aml", body)
    assert response.status_code == 400
    assert named in [error["field"] for error in response.json()["errors"]]


def test_hits_are_ignored_then_the_check_is_approved(client: APIClient, person: Individual) -> None:
    check = with_hits(client, person, "A", "B")
    url = f"/v1/checks/aml/{check['id']}"
    assert client.patch(f"{url}/review", {"action": "approve"}).status_code == 400
    hit_ids = [hit["id"] for hit in check["data"]["hits"]]
    reviewed = client.patch(f"{url}/hits/review", {"action": "ignore", "hit_ids": hit_ids, "comment": "Others."})
    assert reviewed.status_code == 200
    assert {hit["status"] for hit in reviewed.json()["data"]["hits"]} == {"false_positive"}
    approved = client.patch(f"{url}/review", {"action": "approve", "comment": None})
    assert approved.status_code == 200
    assert (approved.json()["status"], approved.json()["data"]["result"]) == ("approved", "approved")
    assert approved.json()["data"]["review"]["reviewer_type"] == "api"
    assert client.get(url).json() == approved.json()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"action": "approve", "hit_ids": ["a"]},
        {"action": "ignore"},
        {"action": "ignore", "hit_ids": []},
        {"action": "ignore", "hit_ids": ["unknown"]},
        {"action": "ignore", "hit_ids": [5]},
        {"action": "ignore", "hit_ids": "a"},
        {"action": "ignore", "hit_ids": [UNKNOWN] * 101},
    ],
)
def test_a_review_of_hits_that_makes_no_sense_is_400(client: APIClient, person: Individual, body: Any) -> None:
    check = with_hits(client, person)
    assert client.patch(f"/v1/checks/aml/{check['id']}/hits/review", body).status_code == 400
    assert client.get(f"/v1/checks/aml/{check['id']}").json()["data"]["match_status"] == "potential_match"


@pytest.mark.parametrize("body", [{}, {"action": "close"}, {"action": 1}, {"action": "approve", "override": "yes"}])
def test_a_review_that_makes_no_sense_is_400(client: APIClient, person: Individual, body: Any) -> None:
    check = with_hits(client, person)
    response = client.patch(f"/v1/checks/aml/{check['id']}/review", body)
    assert (response.status_code, len(response.json()["errors"])) == (400, 1)


def test_a_verdict_is_changed_by_an_override_only(client: APIClient, person: Individual) -> None:
    check = factories.check(person)
    services.record_aml_result(check, [])
    url = f"/v1/checks/aml/{check.pk}/review"
    assert client.patch(url, {"action": "reject"}).status_code == 400
    assert client.patch(url, {"action": "reject", "override": True}).json()["status"] == "rejected"


@pytest.mark.parametrize(("key", "status"), [("nonsense", 400), ("%00", 400), (UNKNOWN, 404)])
def test_an_address_without_a_check_is_a_client_error(client: APIClient, key: str, status: int) -> None:
    for response in (
        client.get(f"/v1/checks/aml/{key}"),
        client.patch(f"/v1/checks/aml/{key}/review", {"action": "approve"}),
        client.patch(f"/v1/checks/aml/{key}/hits/review", {"action": "ignore", "hit_ids": ["a"]}),
        client.delete(f"/v1/checks/{key}"),
    ):
        assert response.status_code == status


def test_a_check_of_another_type_is_no_aml_check(client: APIClient, person: Individual) -> None:
    check = factories.check(person, CheckType.EKYC)
    response = client.get(f"/v1/checks/aml/{check.pk}")
    assert (response.status_code, response.json()["message"]) == (404, "No AML check can be found.")


def listed(client: APIClient, query: str = "") -> set[str]:
    return {check["id"] for check in client.get(f"/v1/checks?{query}").json()["data"]}


def test_checks_are_listed_and_narrowed(client: APIClient, person: Individual) -> None:
    started = str(factories.check(person).pk)
    internal = str(factories.check(person, CheckType.DOCUMENT, is_internal=True).pk)
    company = factories.company(person.case)
    of_company = str(factories.check(company, status="need_review").pk)
    apart = factories.individual(person.case, is_relevant=False)
    irrelevant = str(factories.check(apart).pk)
    assert listed(client) == {started, internal, of_company}
    assert listed(client, "exclude_internal=true") == {started, of_company}
    assert listed(client, "include_not_relevant=true") == {started, internal, of_company, irrelevant}
    assert listed(client, "type=document") == {internal}
    assert listed(client, "status.not_eq=in_progress") == {of_company}
    assert listed(client, f"individual_id={person.pk}") == {started, internal}
    assert listed(client, f"individual_id.not_eq={person.pk}") == {of_company}
    assert listed(client, f"company_id={company.pk}") == {of_company}


def test_a_list_takes_as_many_queries_for_one_check_as_for_many(
    client: APIClient, person: Individual, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    counts = []
    for _ in range(3):
        factories.check(person)
        with django_assert_max_num_queries(5) as queries:
            client.get("/v1/checks")
        counts.append(len(queries))
    assert counts[1] == counts[2]


def test_a_deleted_check_is_gone(client: APIClient, person: Individual) -> None:
    check = factories.check(person)
    assert client.delete(f"/v1/checks/{check.pk}").status_code == 204
    assert not Check.objects.exists()

"""/v1/individuals and /v1/companies."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from cases.models import Case, Company, Individual
from deliveries.models import Event
from tests import factories

from . import sample

pytestmark = pytest.mark.django_db

UNKNOWN = "019a0000-0000-7000-8000-000000000000"

NAME = {"first_name": "John", "last_name": "CARTER"}


@pytest.fixture
def case() -> Case:
    return factories.case()


@pytest.fixture
def client(case: Case) -> APIClient:
    return factories.api_client(case.workspace)


def individual(client: APIClient, case: Case, **fields: Any) -> dict[str, Any]:
    response = client.post("/v1/individuals", {"case_id": str(case.pk), **NAME, **fields})
    assert response.status_code == 201, response.json()
    return dict(response.json())


def company(client: APIClient, case: Case, **fields: Any) -> dict[str, Any]:
    response = client.post("/v1/companies", {"case_id": str(case.pk), "name": "Test Inc.", **fields})
    assert response.status_code == 201, response.json()
    return dict(response.json())


def test_an_individual_comes_back_as_it_was_sent(client: APIClient, case: Case) -> None:
    sent = sample.INDIVIDUAL | {
        "gender": "male",
        "nationalities": ["FR", "DE"],
        "phone_number": "+33601234567",
        "email": "john@example.com",
        "is_signatory": True,
        "voting_rights_percentage": 0,
        "banking_information": {"iban": "FR7630006000011234567890189", "bic": None},
        "custom_properties": {"a": ["b"], "c": 1.5},
    }
    made = individual(client, case, **sent)
    assert {name: made[name] for name in sent} == sent
    assert client.get(f"/v1/individuals/{made['id']}").json() == made


def test_codes_are_kept_in_capitals_without_spaces(client: APIClient, case: Case) -> None:
    bank = {"iban": "fr76 3000 6000 0112 3456 7890 189", "bic": "agrifrpp xxx"}
    made = individual(client, case, birth_country="fr", banking_information=bank)
    assert made["birth_country"] == "FR"
    assert made["banking_information"] == {"iban": "FR7630006000011234567890189", "bic": "AGRIFRPPXXX"}


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"first_name": ""}, "first_name"),
        ({"last_name": None}, "last_name"),
        ({"case_id": "x"}, "case_id"),
        ({"case_id": 5}, "case_id"),
        ({"case_id": {}}, "case_id"),
        ({"is_delegator": "true"}, "is_delegator"),
        ({"is_delegator": 1}, "is_delegator"),
        ({"is_delegator": None}, "is_delegator"),
        ({"is_business_contact": True}, "email"),
        ({"is_signatory": True}, "email"),
        ({"is_signatory": True, "is_delegator": True, "email": "a@example.com"}, "is_delegator"),
        ({"email": "nonsense"}, "email"),
        ({"birth_date": "03/07/1990"}, "birth_date"),
        ({"birth_date": 19900703}, "birth_date"),
        ({"birth_country": "FRA"}, "birth_country"),
        ({"birth_country": "ß"}, "birth_country"),
        ({"gender": "none"}, "gender"),
        ({"nationalities": ["FR", ""]}, "nationalities.1"),
        ({"nationalities": "FR"}, "nationalities"),
        ({"phone_number": "0601234567"}, "phone_number"),
        ({"ownership_percentage": 100.1}, "ownership_percentage"),
        ({"ownership_percentage": "50"}, "ownership_percentage"),
        ({"ownership_percentage": True}, "ownership_percentage"),
        ({"voting_rights_percentage": -1}, "voting_rights_percentage"),
        ({"roles": ["king"]}, "roles.0"),
        ({"roles": [["shareholder"]]}, "roles.0"),
        ({"address": "here"}, "address"),
        ({"address": {"country": "France"}}, "address.country"),
        ({"banking_information": {"iban": "FR76"}}, "banking_information.iban"),
        ({"banking_information": {"iban": "é" * 20, "bic": None}}, "banking_information.iban"),
        ({"relations": [{}]}, "relations"),
    ],
)
def test_a_wrong_field_of_an_individual_is_named(
    client: APIClient, case: Case, fields: dict[str, Any], named: str
) -> None:
    response = client.post("/v1/individuals", {"case_id": str(case.pk), **NAME, **fields})
    assert response.status_code == 400
    assert named in [error["field"] for error in response.json()["errors"]]
    assert not Individual.objects.exists()


@pytest.mark.parametrize(("path", "name"), [("individuals", NAME), ("companies", {"name": "A"})])
def test_an_unknown_case_gets_nobody(client: APIClient, path: str, name: dict[str, str]) -> None:
    response = client.post(f"/v1/{path}", {"case_id": UNKNOWN, **name})
    assert (response.status_code, response.json()["message"]) == (404, "No case can be found.")


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ({"email": None}, {"email": None, "last_name": "CARTER"}),
        ({"email": ""}, {"email": None}),
        ({"birth_date": None}, {"birth_date": None}),
        ({"gender": None}, {"gender": None}),
        ({"ownership_percentage": None}, {"ownership_percentage": None}),
        ({"nationalities": None}, {"nationalities": None}),
        ({"roles": ["shareholder", "shareholder"]}, {"roles": ["shareholder"], "is_beneficial_owner": True}),
        ({"is_beneficial_owner": False}, {"roles": [], "is_beneficial_owner": False}),
        ({"custom_properties": {"b": 2}}, {"custom_properties": {"a": 1, "b": 2}}),
    ],
)
def test_an_individual_is_changed(client: APIClient, case: Case, sent: dict[str, Any], shown: dict[str, Any]) -> None:
    full = sample.INDIVIDUAL | {"email": "a@example.com", "gender": "male", "custom_properties": {"a": 1}}
    made = individual(client, case, **full)
    response = client.patch(f"/v1/individuals/{made['id']}", sent)
    assert response.status_code == 200
    assert {name: response.json()[name] for name in shown} == shown


def test_an_address_is_changed_part_by_part(client: APIClient, case: Case) -> None:
    made = individual(client, case, address=sample.ADDRESS)
    changed = client.patch(f"/v1/individuals/{made['id']}", {"address": {"city": "Pau", "region": None}}).json()
    assert changed["address"] == sample.ADDRESS | {"city": "Pau", "region": None, "state": None}


def test_a_business_contact_keeps_its_email(client: APIClient, case: Case) -> None:
    made = individual(client, case, email="a@example.com", is_business_contact=True)
    response = client.patch(f"/v1/individuals/{made['id']}", {"email": None})
    assert [error["field"] for error in response.json()["errors"]] == ["email"]


def test_a_company_comes_back_as_it_was_sent(client: APIClient, case: Case) -> None:
    sent = sample.COMPANY | {"website_url": "https://example.com", "entity_legal_form": "6CHY", "share_capital": "1 €"}
    made = company(client, case, **sent)
    expected = sent | {"address": sample.ADDRESS | {"state": None}, "type": "main"}
    assert {name: made[name] for name in expected} == expected
    assert client.get(f"/v1/companies/{made['id']}").json() == made


def test_a_case_has_one_main_company(client: APIClient, case: Case) -> None:
    company(client, case)
    response = client.post("/v1/companies", {"case_id": str(case.pk), "name": "Other"})
    assert (response.status_code, response.json()["message"]) == (400, "A case can have only one main company.")
    assert company(client, case, name="Other", type="affiliated")["type"] == "affiliated"


def test_an_affiliated_company_needs_a_main_one(client: APIClient, case: Case) -> None:
    response = client.post("/v1/companies", {"case_id": str(case.pk), "name": "Other", "type": "affiliated"})
    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "type")


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"name": "a" * 161}, "name"),
        ({"status": "dead"}, "status"),
        ({"classifications": [{"type": "nace"}]}, "classifications.0.code"),
        ({"classifications": {}}, "classifications"),
        ({"entity_legal_form": "12345"}, "entity_legal_form"),
        ({"banking_information": None}, "banking_information"),
    ],
)
def test_a_wrong_field_of_a_company_is_named(client: APIClient, case: Case, fields: dict[str, Any], named: str) -> None:
    response = client.post("/v1/companies", {"case_id": str(case.pk), "name": "A", **fields})
    assert [error["field"] for error in response.json()["errors"]] == [named]
    assert not Company.objects.exists()


def test_the_type_of_a_company_stays(client: APIClient, case: Case) -> None:
    made = company(client, case)
    changed = client.patch(f"/v1/companies/{made['id']}", {"type": "affiliated", "name": "New"}).json()
    assert (changed["type"], changed["name"]) == ("main", "New")


@pytest.mark.parametrize("path", ["individuals", "companies"])
def test_a_deleted_party_is_gone(client: APIClient, case: Case, path: str) -> None:
    made = individual(client, case) if path == "individuals" else company(client, case)
    assert client.delete(f"/v1/{path}/{made['id']}").status_code == 204
    assert client.get(f"/v1/{path}/{made['id']}").status_code == 404


@pytest.mark.parametrize("path", ["individuals", "companies"])
@pytest.mark.parametrize(("key", "status"), [("nonsense", 400), ("%00", 400), (UNKNOWN, 404)])
def test_an_address_without_a_row_is_a_client_error(client: APIClient, path: str, key: str, status: int) -> None:
    for response in (
        client.get(f"/v1/{path}/{key}"),
        client.patch(f"/v1/{path}/{key}", {}),
        client.delete(f"/v1/{path}/{key}"),
    ):
        assert response.status_code == status


def test_parties_are_listed_and_narrowed(client: APIClient, case: Case) -> None:
    individual(client, case, birth_date="1990-07-03")
    individual(client, case, last_name="Other")
    company(client, case, country="FR")
    found = client.get("/v1/individuals?last_name.ilike=carter&birth_date=1990-07-03").json()["data"]
    assert [person["last_name"] for person in found] == ["CARTER"]
    assert "checks" not in found[0]
    assert client.get("/v1/companies?country=FR&sort=name").json()["pagination"]["count"] == 1


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("individuals", ["Individual.MarkedAsNotRelevant", "Individual.MarkedAsRelevant"]),
        ("companies", ["Company.MarkedAsNotRelevant", "Company.MarkedAsRelevant"]),
    ],
)
def test_who_is_relevant_is_changed_and_told(client: APIClient, case: Case, path: str, names: list[str]) -> None:
    company(client, case)
    made = individual(client, case) if path == "individuals" else company(client, case, type="affiliated")
    Event.objects.all().delete()
    for relevant in (False, False, True):
        response = client.post(f"/v1/{path}/{made['id']}/set-relevant", {"is_relevant": relevant})
        assert (response.status_code, response.json()["is_relevant"]) == (200, relevant)
    assert response.json().keys() == made.keys()
    assert list(Event.objects.order_by("sequence").values_list("name", flat=True)) == names


@pytest.mark.parametrize("body", [{}, {"is_relevant": None}, {"is_relevant": "false"}, {"is_relevant": 0}])
def test_relevance_is_true_or_false(client: APIClient, case: Case, body: dict[str, Any]) -> None:
    made = individual(client, case)
    response = client.post(f"/v1/individuals/{made['id']}/set-relevant", body)
    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "is_relevant")


def test_the_main_company_stays_relevant(client: APIClient, case: Case) -> None:
    made = company(client, case)
    response = client.post(f"/v1/companies/{made['id']}/set-relevant", {"is_relevant": False})
    assert (response.status_code, response.json()["message"]) == (400, "The main company is always relevant.")


def test_checks_that_are_internal_are_left_out_when_asked(client: APIClient, case: Case) -> None:
    made = individual(client, case)
    factories.check(Individual.objects.get(), is_internal=True)
    for query, count in (("", 1), ("?exclude_internal_checks=false", 1), ("?exclude_internal_checks=true", 0)):
        assert len(client.get(f"/v1/individuals/{made['id']}{query}").json()["checks"]) == count


@pytest.mark.parametrize("path", ["individuals", "companies"])
def test_what_a_read_could_be_asked_is_no_reason_to_refuse_a_write(client: APIClient, case: Case, path: str) -> None:
    company(client, case)
    body = {"case_id": str(case.pk), **NAME, "name": "Test Inc.", "type": "affiliated"}
    query = "?exclude_internal_checks=perhaps"
    response = client.post(f"/v1/{path}{query}", body)
    assert response.status_code == 201
    row = f"/v1/{path}/{response.json()['id']}"
    assert client.get(f"{row}{query}").status_code == 400
    assert client.patch(f"{row}{query}", {}).status_code == 200
    assert client.post(f"{row}/set-relevant{query}", {"is_relevant": False}).status_code == 200


@pytest.mark.parametrize("path", ["individuals", "companies"])
def test_what_was_shown_changes_nothing_when_it_is_sent_back(client: APIClient, case: Case, path: str) -> None:
    made = individual(client, case) if path == "individuals" else company(client, case)
    Event.objects.all().delete()
    response = client.patch(f"/v1/{path}/{made['id']}", made)
    assert (response.status_code, response.json()) == (200, made)
    assert not Event.objects.exists()


@pytest.mark.parametrize(("sent", "missing"), [({}, {"iban", "bic"}), ({"bic": "AGRIFRPP"}, {"iban"})])
def test_half_a_bank_account_does_not_take_the_place_of_a_whole_one(
    client: APIClient, case: Case, sent: dict[str, str], missing: set[str]
) -> None:
    account = {"iban": "FR7630006000011234567890189", "bic": "AGRIFRPP"}
    row = f"/v1/individuals/{individual(client, case, banking_information=account)['id']}"
    response = client.patch(row, {"banking_information": sent})
    assert response.status_code == 400
    named = {(error["field"], error["code"]) for error in response.json()["errors"]}
    assert named == {(f"banking_information.{name}", "required") for name in missing}
    assert client.get(row).json()["banking_information"] == account
    changed = client.patch(row, {"banking_information": {"iban": None, "bic": "AGRIFRPP"}}).json()
    assert changed["banking_information"] == {"iban": None, "bic": "AGRIFRPP"}

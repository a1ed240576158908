"""The sample of Dotfile's early webhook guide: what a client sends, and what it must get back."""

from __future__ import annotations

from typing import Any

from rest_framework.test import APIClient

ADDRESS = {
    "street_address": "11 Rue Poissonnerie",
    "street_address_2": "Apartment 5",
    "postal_code": "64100",
    "city": "Bayonne",
    "region": "Pyrénées-Atlantiques",
    "country": "FR",
}
INDIVIDUAL: dict[str, Any] = {
    "roles": ["beneficial_owner"],
    "first_name": "John",
    "last_name": "CARTER",
    "email": None,
    "birth_date": "1990-07-03",
    "birth_country": "FR",
    "residence_country": "FR",
    "ownership_percentage": 33.33,
}
COMPANY: dict[str, Any] = {
    "name": "Test Inc.",
    "registration_number": "012345678",
    "registration_date": "2022-12-06",
    "status": "live",
    "legal_form": "sas",
    "country": "FR",
    "address": ADDRESS,
    "classifications": [{"type": "nace", "code": "123", "description": "very busy"}],
}
CASE: dict[str, Any] = {
    "name": "Dotfile",
    "external_id": "exteid-3",
    "metadata": {"custom_key": "true", "my_data": "this is important", "count": "42"},
    "tags": ["High risk", "Medium risk", "Low risk"],
    "individuals": [INDIVIDUAL],
    "companies": [COMPANY],
}


def create(client: APIClient, **fields: Any) -> dict[str, Any]:
    response = client.post("/v1/cases", {"name": "Dotfile", **fields})
    assert response.status_code == 201, response.json()
    return dict(response.json())

"""Bodies of requests, for the API's description. A test sends each."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

ID = "019c1432-7e40-7000-8000-000000000005"
"""Stands for the id of something of the caller's."""

_PERSON: Json = {
    "first_name": "Ada",
    "last_name": "Lovelace",
    "email": "ada@example.com",
    "birth_date": "1985-12-10",
    "nationalities": ["GB"],
    "is_beneficial_owner": True,
    "ownership_percentage": 60,
    "address": {"street_address": "12 St James's Square", "postal_code": "SW1Y 4LB", "city": "London", "country": "GB"},
}
_BUSINESS: Json = {
    "name": "Test Inc.",
    "country": "FR",
    "registration_number": "890012345",
    "registration_date": "2021-03-01",
    "status": "live",
}
CASE: Json = {
    "name": "Test Inc.",
    "external_id": "crm-4711",
    "tags": ["High risk"],
    "metadata": {"plan": "gold"},
    "individuals": [_PERSON],
    "companies": [{**_BUSINESS, "type": "main"}],
}
CASE_CHANGE: Json = {"name": "Test International Inc.", "metadata": {"plan": "platinum"}}
CASE_REVIEW: Json = {"status": "approved", "comment": "All is in order.", "next_review_at": "2030-02-03"}
RISK: Json = {"level": "medium", "score": 42, "components": {"country": 12, "activity": 30}, "flags": {"pep": False}}
WAIT_STEP: Json = {"wait_step_key": "documents"}
PARTIES: Json = {
    "Individual": {"case_id": ID, **_PERSON},
    "Company": {"case_id": ID, **_BUSINESS, "type": "affiliated"},
}
PARTY_CHANGES: Json = {
    "Individual": {"last_name": "King", "address": {"city": "Paris", "country": "FR"}},
    "Company": {"commercial_name": "Testing", "website_url": "https://example.com"},
}
RELEVANCE: Json = {"is_relevant": False}
TAG: Json = {"label": "High risk"}
CASE_TAGS: Json = {"tags": ["High risk"]}
NOTE: Json = {"case_id": ID, "content": "<p>Called the <b>director</b>.</p>"}
COMMENT: Json = {"content": "She called back."}

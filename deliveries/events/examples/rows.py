"""Rows of one made-up case, as the database would give them. Nothing in them changes from one day to the next."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

Json = dict[str, Any]

MADE = datetime(2026, 1, 31, 13, 30, tzinfo=UTC)
CHANGED = datetime(2026, 2, 3, 9, 15, 42, 128_000, tzinfo=UTC)
TIMES: Json = {"created_at": MADE, "updated_at": CHANGED}


def key(number: int) -> str:
    return f"019c1432-7e40-7000-8000-{number:012x}"


WORKSPACE: Json = {"id": key(1), "name": "Demo"}
USER: Json = {"id": key(2), "first_name": "Ada", "last_name": "Reviewer", "email": "ada@example.com"}
TEMPLATE: Json = {"id": key(3), "name": "Standard", "key": "standard"}
REVIEW: Json = {
    "id": key(4),
    "status": "approved",
    "comment": "All is in order.",
    "reviewer_type": "user",
    "reviewed_at": CHANGED,
    "next_review_at": date(2027, 2, 3),
}
CASE: Json = {
    "id": key(5),
    "name": "Test Inc.",
    "status": "approved",
    "external_id": "crm-4711",
    "space_slug": "",
    "template_id": key(3),
    "assignee_id": key(2),
    "contact_has_actions": False,
    "reviewer_has_actions": False,
    "flags": ["all_checks_approved"],
    "risk": {
        "id": key(6),
        "mode": "manual",
        "level": "low",
        "comment": None,
        "score": 12,
        "components": {"country": 12},
        "flags": {"pep": False},
        "created_at": "2026-02-03T09:15:42.128Z",
        "updated_at": "2026-02-03T09:15:42.128Z",
    },
    "metadata": {"plan": "premium"},
    "custom_properties": {"turnover": 120000, "listed": False},
    "client_portal": {"id": key(7), "name": "Onboarding", "type": "KYB", "wait_step_key": "documents-sent"},
    "last_contact_action_at": MADE,
    **TIMES,
}
ADDRESS: Json = {
    "street_address": "11 Rue Poissonnerie",
    "postal_code": "64100",
    "city": "Bayonne",
    "region": "Pyrénées-Atlantiques",
    "country": "FR",
}
INDIVIDUAL: Json = {
    "id": key(8),
    "case_id": key(5),
    "roles": ["legal_representative"],
    "is_beneficial_owner": True,
    "is_controlling_person": False,
    "is_business_contact": True,
    "is_delegator": False,
    "is_signatory": False,
    "is_relevant": True,
    "first_name": "John",
    "middle_name": "",
    "last_name": "CARTER",
    "maiden_name": "",
    "email": "john@example.com",
    "birth_date": date(1990, 7, 3),
    "birth_country": "FR",
    "birth_place": "Bayonne",
    "residence_country": "FR",
    "gender": "male",
    "nationalities": ["FR"],
    "address": ADDRESS,
    "banking_information": None,
    "tax_identification_number": "",
    "social_security_number": "",
    "phone_number": "+33123456789",
    "position": "Director",
    "ownership_percentage": 33.33,
    "voting_rights_percentage": None,
    "custom_properties": {},
    **TIMES,
}
COMPANY: Json = {
    "id": key(9),
    "case_id": key(5),
    "type": "main",
    "name": "Test Inc.",
    "commercial_name": "",
    "is_relevant": True,
    "country": "FR",
    "registration_number": "012345678",
    "registration_date": date(2022, 12, 6),
    "status": "live",
    "legal_form": "sas",
    "entity_legal_form": "6CHY",
    "address": ADDRESS,
    "classifications": [{"type": "nace", "code": "64.19", "description": "Other monetary intermediation"}],
    "banking_information": {"iban": "FR7630006000011234567890189", "bic": "AGRIFRPP"},
    "share_capital": "10000 EUR",
    "tax_identification_number": "",
    "website_url": "https://example.com",
    "employer_identification_number": "",
    "custom_properties": {},
    **TIMES,
}
WEBHOOK: Json = {
    "id": key(12),
    "name": "CRM",
    "host": "crm.example.com",
    "status": "offline",
    "offline_reason": "The receiver answered 410 Gone.",
    "offline_since": "2026-02-03T09:15:42.128Z",
    "events": ["Case.*", "Check.Approved"],
}
COMMENT: Json = {
    "id": key(14),
    "note_id": key(13),
    "content": "<p>Done.</p>",
    "author": USER,
    "author_type": "user",
    "created_at": "2026-02-03T09:15:42.128Z",
    "updated_at": "2026-02-03T09:15:42.128Z",
}
NOTE: Json = {
    "id": key(13),
    "case_id": key(5),
    "content": "<p>Ask for a newer extract.</p>",
    "comments": [COMMENT],
    "author": USER,
    "author_type": "user",
    "created_at": "2026-01-31T13:30:00.000Z",
    "updated_at": "2026-02-03T09:15:42.128Z",
}
DOCUMENT: Json = {
    "id": key(15),
    "case_id": key(5),
    "check_id": key(10),
    "individual_id": key(8),
    "company_id": None,
    "document_type_key": "passport",
    "name": "passport.pdf",
    "content_type": "application/pdf",
    "size": 48213,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
}

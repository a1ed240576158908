"""Bodies that between them say all that may be said of people and companies."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dotfile_hooks.dev.conformance.changes.cases import ADDRESS, COMPANY, INDIVIDUAL

Body = dict[str, Any]

NO_ADDRESS = dict.fromkeys(ADDRESS)
NO_BANK = {"iban": None, "bic": None}
PROPERTIES: Body = {"text": "a", "yes": True, "number": 1.5, "choices": ["a", "b"], "nothing": None}
NAMED = {"first_name": "Jane", "last_name": "ROE"}
UNKNOWN_OF_PEOPLE = (
    *("middle_name", "maiden_name", "email", "birth_date", "birth_country", "birth_place", "gender", "nationalities"),
    *("banking_information", "tax_identification_number", "social_security_number", "phone_number", "position"),
    *("ownership_percentage", "voting_rights_percentage"),
)
UNKNOWN_OF_COMPANIES = (
    *("commercial_name", "registration_number", "registration_date", "legal_form", "entity_legal_form", "country"),
    *("share_capital", "tax_identification_number", "website_url", "employer_identification_number"),
)
PEOPLE: list[Body] = [
    INDIVIDUAL | {"is_controlling_person": True, "is_delegator": False, "is_signatory": True},
    NAMED | {"gender": "female", "address": NO_ADDRESS, "banking_information": NO_BANK},
    NAMED | {"gender": "other", "custom_properties": PROPERTIES, "is_delegator": True},
    NAMED | dict.fromkeys(UNKNOWN_OF_PEOPLE),
]
AFFILIATED = {"name": "Daughter Ltd", "type": "affiliated"}
COMPANIES: list[Body] = [
    COMPANY | {"type": "main"},
    AFFILIATED | {"status": "closed", "address": NO_ADDRESS, "banking_information": NO_BANK},
    AFFILIATED | {"status": "not_reported", "classifications": [{"type": "nace", "code": "1", "description": None}]},
    AFFILIATED | dict.fromkeys(UNKNOWN_OF_COMPANIES) | {"custom_properties": PROPERTIES},
]
NO_RELATIONS: Body = {"relations": []}


def each(bodies: Iterable[Body], **more: Any) -> list[Body]:
    return [body | more for body in bodies]

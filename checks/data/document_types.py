"""The types of documents that every workspace begins with, and how the checks of a document show its type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from checks.choices import EntityType
from workspaces.timestamps import iso

from .parts import Json

_COMPANY, _INDIVIDUAL = (EntityType.COMPANY.value,), (EntityType.INDIVIDUAL.value,)
_EITHER = _COMPANY + _INDIVIDUAL


@dataclass(frozen=True)
class StandardType:
    label: str
    target_entities: tuple[str, ...]


STANDARD: Mapping[str, StandardType] = {
    "articles_of_association": StandardType("Articles of association", _COMPANY),
    "beneficial_owners_register": StandardType("Extract of the register of beneficial owners", _COMPANY),
    "driving_license": StandardType("Driving license", _INDIVIDUAL),
    "financial_statements": StandardType("Financial statements", _COMPANY),
    "iban": StandardType("IBAN", _EITHER),
    "identity_card": StandardType("Identity card", _INDIVIDUAL),
    "passport": StandardType("Passport", _INDIVIDUAL),
    "power_of_attorney": StandardType("Power of attorney", _EITHER),
    "proof_of_address": StandardType("Proof of address", _EITHER),
    "registration_certificate": StandardType("Registration certificate", _COMPANY),
    "residence_permit": StandardType("Residence permit", _INDIVIDUAL),
    "source_of_funds": StandardType("Source of funds", _EITHER),
    "tax_return": StandardType("Tax return", _EITHER),
    "visa": StandardType("Visa", _INDIVIDUAL),
}
"""By key. A workspace may rename or archive its own copies, and add others."""


def shown_type(row: Mapping[str, Any]) -> Json:
    """Schema CustomDocumentType, of a row as `values()` gives it."""
    return {
        "id": str(row["id"]),
        "key": row["key"],
        "label": row["label"],
        "target_entities": list(row["target_entities"]),
        "is_internal": row["is_internal"],
        "created_at": iso(row["created_at"]),
        "updated_at": iso(row["updated_at"]),
        "archived_at": iso(row["archived_at"]),
    }


def guessed_type(key: str, at: str) -> Json:
    """The same of a check from before there were types: all that is known of them is the key."""
    known = STANDARD.get(key, StandardType(key.replace("_", " ").capitalize(), _EITHER))
    return {
        "id": str(uuid5(NAMESPACE_URL, f"document_type:{key}")),
        "key": key,
        "label": known.label,
        "target_entities": list(known.target_entities),
        "is_internal": False,
        "created_at": at,
        "updated_at": at,
        "archived_at": None,
    }

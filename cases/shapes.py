"""Rows to JSON-ready dicts, field by field. No queries here.

A row is what `Model.objects.values()` gives, or the same as recorded in JSON (identifiers and dates are text then).
Plain dict literals on purpose: DRF's serializers cost tens of times as much for a case with hundreds of individuals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from workspaces.timestamps import iso

Row = Mapping[str, Any]
Json = dict[str, Any]


def day(value: date | str | None) -> str | None:
    """2023-01-31; what is text already passes through."""
    return value if value is None or isinstance(value, str) else value.isoformat()


def text_id(value: Any) -> str | None:
    return None if value is None else str(value)


def address(stored: Row | None) -> Json:
    """All seven keys, whatever was given."""
    get = (stored or {}).get
    return {
        "street_address": get("street_address"),
        "street_address_2": get("street_address_2"),
        "postal_code": get("postal_code"),
        "city": get("city"),
        "state": get("state"),
        "region": get("region"),
        "country": get("country"),
    }


def bank(stored: Row | None) -> Json:
    """Schema BankingInformation: both keys, whatever was given."""
    get = (stored or {}).get
    return {"iban": get("iban"), "bic": get("bic")}


def user(row: Row) -> Json:
    """Schema NestedUser."""
    return {
        "id": str(row["id"]),
        "first_name": row["first_name"],
        "last_name": row["last_name"],
        "email": row["email"],
    }


def review(row: Row, reviewer: Json | None) -> Json:
    """Schema CaseReview."""
    return {
        "id": str(row["id"]),
        "status": row["status"],
        "comment": row["comment"] or None,
        "reviewer_type": row["reviewer_type"],
        "user": reviewer,
        "reviewed_at": iso(row["reviewed_at"]),
        "next_review_at": day(row["next_review_at"]),
    }


def case_review(row: Row, latest: Json | None) -> Json | None:
    """The latest review, with the date of the next one as it is by now."""
    if latest is None or "next_review_at" not in row:  # recorded before cases knew it
        return latest
    return {**latest, "next_review_at": day(row["next_review_at"])}


def case(row: Row, review: Json | None, template: Json | None, tags: Sequence[str]) -> Json:
    """What all forms of a case have in common."""
    return {
        "id": str(row["id"]),
        "name": row["name"],
        "status": row["status"],
        "review": case_review(row, review),
        "external_id": row["external_id"] or None,
        "space_slug": row["space_slug"] or None,
        "template": template,
        "template_id": text_id(row["template_id"]),
        "contact_has_actions": row["contact_has_actions"],
        "reviewer_has_actions": row["reviewer_has_actions"],
        "flags": row["flags"],
        "tags": list(tags),
        "risk": row["risk"],
        "metadata": row["metadata"],
        "last_activity_at": iso(row["updated_at"]),
        "last_contact_action_at": iso(row["last_contact_action_at"]),
        "created_at": iso(row["created_at"]),
        "updated_at": iso(row["updated_at"]),
    }


def case_context(row: Row, tags: Sequence[str]) -> Json:
    """Schema WebhookContextCase."""
    portal = row["client_portal"]
    return {
        "id": str(row["id"]),
        "name": row["name"],
        "status": row["status"],
        "external_id": row["external_id"] or None,
        "contact_has_actions": row["contact_has_actions"],
        "reviewer_has_actions": row["reviewer_has_actions"],
        "flags": row["flags"],
        "tags": list(tags),
        "metadata": row["metadata"],
        "last_activity_at": iso(row["updated_at"]),
        "client_portal": portal and {key: portal[key] for key in ("id", "name", "type")},
    }


def individual_listed(row: Row) -> Json:
    """Schema IndividualList, and the `residence_country` of Dotfile's first API."""
    return {
        "id": str(row["id"]),
        "case_id": str(row["case_id"]),
        "roles": row["roles"],
        "is_beneficial_owner": row["is_beneficial_owner"],
        "is_controlling_person": row["is_controlling_person"],
        "is_business_contact": row["is_business_contact"],
        "is_delegator": row["is_delegator"],
        "is_signatory": row["is_signatory"],
        "is_relevant": row["is_relevant"],
        "first_name": row["first_name"],
        "middle_name": row["middle_name"] or None,
        "last_name": row["last_name"],
        "maiden_name": row["maiden_name"] or None,
        "email": row["email"] or None,
        "birth_date": day(row["birth_date"]),
        "birth_country": row["birth_country"] or None,
        "birth_place": row["birth_place"] or None,
        "residence_country": row["residence_country"] or None,
        "gender": row["gender"] or None,
        "nationalities": row["nationalities"],
        "address": address(row["address"]),
        "banking_information": bank(row["banking_information"]) if row["banking_information"] else None,
        "tax_identification_number": row["tax_identification_number"] or None,
        "social_security_number": row["social_security_number"] or None,
        "phone_number": row["phone_number"] or None,
        "position": row["position"] or None,
        "ownership_percentage": row["ownership_percentage"],
        "voting_rights_percentage": row["voting_rights_percentage"],
        "created_at": iso(row["created_at"]),
        "updated_at": iso(row["updated_at"]),
        "last_activity_at": iso(row["updated_at"]),
    }


def individual(row: Row, checks: Sequence[Json]) -> Json:
    """Schema Individual."""
    more = {"custom_properties": row["custom_properties"], "checks": list(checks), "relations": []}
    return individual_listed(row) | more


def company_listed(row: Row) -> Json:
    """Schema CompanyList."""
    return {
        "id": str(row["id"]),
        "case_id": str(row["case_id"]),
        "type": row["type"],
        "name": row["name"],
        "is_relevant": row["is_relevant"],
        "commercial_name": row["commercial_name"] or None,
        "country": row["country"] or None,
        "registration_number": row["registration_number"] or None,
        "registration_date": day(row["registration_date"]),
        "status": row["status"],
        "legal_form": row["legal_form"] or None,
        "entity_legal_form": row["entity_legal_form"] or None,
        "entity_legal_form_label": None,
        "address": address(row["address"]),
        "classifications": row["classifications"],
        "banking_information": bank(row["banking_information"]),
        "share_capital": row["share_capital"] or None,
        "tax_identification_number": row["tax_identification_number"] or None,
        "website_url": row["website_url"] or None,
        "employer_identification_number": row["employer_identification_number"] or None,
        "created_at": iso(row["created_at"]),
        "updated_at": iso(row["updated_at"]),
        "last_activity_at": iso(row["updated_at"]),
    }


def company(row: Row, checks: Sequence[Json]) -> Json:
    """Schema Company."""
    more = {"custom_properties": row["custom_properties"], "checks": list(checks)}
    return company_listed(row) | more | {"document_orders": [], "relations": []}


def individual_context(row: Row) -> Json:
    """Schema WebhookContextIndividual."""
    return {"id": str(row["id"]), "first_name": row["first_name"], "last_name": row["last_name"]}


def company_context(row: Row) -> Json:
    """Schema WebhookContextCompany."""
    return {"id": str(row["id"]), "name": row["name"], "country": row["country"] or None}


def case_deleted(row: Row) -> Json:
    """Schema CaseDeleted."""
    return {"id": str(row["id"]), "name": row["name"], "external_id": row["external_id"] or None}


def individual_deleted(row: Row) -> Json:
    """Schema IndividualDeleted."""
    return individual_context(row) | {"case_id": str(row["case_id"])}


def company_deleted(row: Row) -> Json:
    """Schema CompanyDeleted."""
    return company_context(row) | {"case_id": str(row["case_id"])}

"""Cases, individuals, companies and notes, as cases.projection shows them. All but what is marked ours is Dotfile's."""

from __future__ import annotations

from cases.models import CaseFlag, CaseStatus, CompanyStatus, CompanyType, Gender, ReviewerType, ReviewStatus, Role

from .words import (
    COUNTRY,
    DAY,
    EMAIL,
    FLAG,
    MOMENT,
    NONE_HERE,
    NUMBER,
    TEXT,
    UUID,
    Schema,
    listing,
    mapping,
    nullable,
    obj,
    one_of,
    ref,
    same,
    told,
)

RISK_LEVELS = ("not_defined", "low", "medium", "high", "critical", "prohibited")
STATUS = one_of(CaseStatus.values)
FLAGS = listing(one_of(CaseFlag.values))
METADATA = nullable(mapping(TEXT))
PROPERTY: Schema = {"anyOf": [TEXT, NUMBER, FLAG, listing(TEXT)]}
CUSTOM_PROPERTIES = mapping(nullable(PROPERTY))
PORTAL = {"id": UUID, "name": TEXT, "type": one_of(("KYB", "KYC"))}
AUTHOR = {"author": nullable(ref("User")), "author_type": one_of(("user", "api"))}
STORED = same(MOMENT, "created_at", "updated_at")
NAMES = same(TEXT, "first_name", "last_name")

PERSONAL: dict[str, Schema] = {
    **same(FLAG, "is_beneficial_owner", "is_controlling_person", "is_business_contact", "is_delegator", "is_signatory"),
    "is_relevant": FLAG,
    **NAMES,
    **same(nullable(TEXT), "middle_name", "maiden_name", "birth_place", "position"),
    **same(nullable(TEXT), "tax_identification_number", "social_security_number"),
    "email": nullable(EMAIL),
    "birth_date": nullable(DAY),
    "birth_country": nullable(COUNTRY),
    "residence_country": told(nullable(COUNTRY), "Of Dotfile's first API."),
    "gender": nullable(one_of(Gender.values)),
    "nationalities": nullable(listing(TEXT)),
    "address": ref("Address"),
    "banking_information": nullable(ref("BankingInformation")),
    "phone_number": nullable({"type": "string", "minLength": 10, "maxLength": 15}),
    **same(nullable(NUMBER), "ownership_percentage", "voting_rights_percentage"),
}
CORPORATE: dict[str, Schema] = {
    "type": one_of(CompanyType.values),
    "name": TEXT,
    "is_relevant": FLAG,
    "status": one_of(CompanyStatus.values),
    "country": nullable(COUNTRY),
    "registration_date": nullable(DAY),
    **same(nullable(TEXT), "commercial_name", "registration_number", "legal_form", "entity_legal_form"),
    **same(nullable(TEXT), "entity_legal_form_label", "share_capital", "tax_identification_number", "website_url"),
    "employer_identification_number": nullable(TEXT),
    "address": ref("Address"),
    "classifications": nullable(listing(ref("Classification"))),
    "banking_information": ref("BankingInformation"),
}
PARTY: dict[str, Schema] = {
    "custom_properties": CUSTOM_PROPERTIES,
    "checks": listing(ref("CheckSummary")),
    "relations": NONE_HERE,
    **STORED,
    "last_activity_at": MOMENT,
}

DEFINITIONS: dict[str, Schema] = {
    "User": obj({"id": UUID, **NAMES, "email": EMAIL}),
    "Address": obj(
        {
            **same(nullable(TEXT), "street_address", "street_address_2", "postal_code", "city", "state", "region"),
            "country": nullable(COUNTRY),
        }
    ),
    "BankingInformation": obj(same(nullable(TEXT), "iban", "bic")),
    "Classification": obj(same(TEXT, "type", "code"), {"description": nullable(TEXT)}),
    "Template": obj({"id": UUID, **same(TEXT, "name", "key")}),
    "ClientPortal": obj({**PORTAL, "wait_step_key": nullable(TEXT)}),
    "Risk": obj(
        {
            "id": TEXT,
            "mode": one_of(("automatic", "manual")),
            "level": one_of(RISK_LEVELS),
            "comment": nullable(TEXT),
            "score": nullable(NUMBER),
            "components": nullable(mapping(NUMBER)),
            "flags": nullable(mapping(FLAG)),
            **STORED,
        }
    ),
    "CaseReview": obj(
        {
            "id": UUID,
            "status": one_of(ReviewStatus.values),
            "comment": nullable(TEXT),
            "reviewer_type": one_of(ReviewerType.values),
            "user": nullable(ref("User")),
            "reviewed_at": MOMENT,
            "next_review_at": nullable(DAY),
        }
    ),
    "Case": obj(
        {
            "id": UUID,
            "name": TEXT,
            "status": STATUS,
            "review": told(nullable(ref("CaseReview")), "The latest."),
            **same(nullable(TEXT), "external_id", "space_slug"),
            "template": nullable(ref("Template")),
            "template_id": nullable(UUID),
            **same(FLAG, "contact_has_actions", "reviewer_has_actions"),
            "flags": FLAGS,
            "tags": told(listing(TEXT), "Labels."),
            "risk": nullable(ref("Risk")),
            "custom_properties": CUSTOM_PROPERTIES,
            "metadata": METADATA,
            "last_activity_at": MOMENT,
            "last_contact_action_at": nullable(MOMENT),
            "controls": NONE_HERE,
            "individuals": told(listing(ref("Individual")), "Those that are relevant."),
            "companies": told(listing(ref("Company")), "Those that are relevant, the main one first."),
            "assignee": nullable(ref("User")),
            "client_portal": nullable(ref("ClientPortal")),
            **STORED,
        }
    ),
    "Individual": obj({"id": UUID, "case_id": UUID, "roles": listing(one_of(Role.values)), **PERSONAL, **PARTY}),
    "Company": obj({"id": UUID, "case_id": UUID, **CORPORATE, **PARTY, "document_orders": NONE_HERE}),
    "NoteComment": obj({**same(UUID, "id", "note_id"), "content": TEXT, **AUTHOR, **STORED}),
    "Note": obj(
        {
            **same(UUID, "id", "case_id"),
            "content": told(TEXT, "HTML."),
            "comments": {**listing(ref("NoteComment")), "maxItems": 50},
            **AUTHOR,
            **STORED,
        }
    ),
}

REMAINS: dict[str, Schema] = {
    "CaseDeleted": obj({"id": UUID, "name": TEXT, "external_id": nullable(TEXT)}),
    "IndividualDeleted": obj({**same(UUID, "id", "case_id"), **NAMES}),
    "CompanyDeleted": obj({**same(UUID, "id", "case_id"), "name": TEXT, "country": nullable(COUNTRY)}),
}

CONTEXTS: dict[str, Schema] = {
    "CaseContext": obj(
        {
            "id": UUID,
            "name": TEXT,
            "status": STATUS,
            "external_id": nullable(TEXT),
            **same(FLAG, "contact_has_actions", "reviewer_has_actions"),
            "flags": FLAGS,
            "tags": listing(TEXT),
            "metadata": METADATA,
            "last_activity_at": MOMENT,
            "client_portal": nullable(obj(PORTAL)),
        }
    ),
    "IndividualContext": obj({"id": UUID, **NAMES}),
    "CompanyContext": obj({"id": UUID, "name": TEXT, "country": nullable(COUNTRY)}),
    "NoteContext": obj({"id": UUID, "author": nullable(ref("User"))}),
}

"""The kinds of objects in a body: which fields each has, what it holds, and what a thin payload tells of it. Pure data.

`individual.address.city` is a path through this table. tests/deliveries/test_shapes.py holds it against real bodies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Kind:
    """Objects that have the same fields, wherever in a body they stand."""

    fields: frozenset[str] = frozenset()
    """All it may have; none: they are the client's or the vendor's, and any name may be one."""
    holds: Mapping[str, str] = field(default_factory=dict)
    """The kind of the object, or of the objects in the list, that a field has. Never itself, however deep."""
    thin: tuple[str, ...] = ("id",)
    """What a thin payload tells: keys of ours and words from our own lists, never what somebody typed."""


def _kind(fields: str = "", thin: str = "id", **holds: str) -> Kind:
    return Kind(frozenset(fields.split()), holds, tuple(thin.split()))


_PARTY = """id case_id is_relevant address banking_information tax_identification_number custom_properties checks
    relations created_at updated_at last_activity_at"""

KINDS: Mapping[str, Kind] = {
    "workspace": _kind("id name"),
    "case": _kind(
        """id name status review external_id space_slug template template_id contact_has_actions reviewer_has_actions
        flags tags risk metadata custom_properties controls individuals companies assignee client_portal
        last_activity_at last_contact_action_at created_at updated_at""",
        thin="id status",
        review="review",
        template="template",
        individuals="individual",
        companies="company",
        assignee="user",
    ),
    "individual": _kind(
        f"""{_PARTY} roles is_beneficial_owner is_controlling_person is_business_contact is_delegator is_signatory
        first_name middle_name last_name maiden_name email birth_date birth_country birth_place residence_country
        gender nationalities social_security_number phone_number position ownership_percentage
        voting_rights_percentage""",
        thin="id case_id",
        address="address",
        checks="check",
    ),
    "company": _kind(
        f"""{_PARTY} type name commercial_name country registration_number registration_date status legal_form
        entity_legal_form entity_legal_form_label classifications share_capital website_url
        employer_identification_number document_orders""",
        thin="id case_id type status",
        address="address",
        checks="check",
    ),
    "check": _kind(
        """id individual_id company_id is_internal status type subtype document_type_key data created_at updated_at
        last_activity_at""",
        thin="id individual_id company_id type status",
        data="checkData",
    ),
    "checkData": _kind(hits="hit", review="review"),
    "hit": _kind(review="review"),
    "document": _kind(
        """id case_id check_id individual_id company_id document_type_key name content_type size sha256 stage fields
        findings decision received_at extracted_at analyzed_at decided_at""",
        thin="id case_id check_id individual_id company_id stage decision",
    ),
    "note": _kind(
        "id case_id content comments author author_type created_at updated_at",
        thin="id case_id",
        comments="noteComment",
        author="user",
    ),
    "noteComment": _kind(
        "id note_id content author author_type created_at updated_at", thin="id note_id", author="user"
    ),
    "review": _kind("id status comment reviewer_type user reviewed_at next_review_at", user="user"),
    "user": _kind("id first_name last_name email"),
    "address": _kind("street_address street_address_2 postal_code city state region country"),
    "template": _kind("id name key"),
    "webhook": _kind("id name host url status offline_reason offline_since events", thin="id status"),
}

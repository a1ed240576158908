"""Changes of cases: from a draft to a deletion, with a client portal, a risk, and reviews that come round again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from cases import services
from cases.models import (
    Case,
    CaseFlag,
    CaseStatus,
    Company,
    CompanyType,
    Individual,
    ReviewerType,
    ReviewStatus,
    Tag,
    Template,
)
from workspaces.models import User, Workspace

ADDRESS = {
    "street_address": "11 Rue Poissonnerie",
    "street_address_2": "Apartment 5",
    "postal_code": "64100",
    "city": "Bayonne",
    "state": None,
    "region": "Pyrénées-Atlantiques",
    "country": "FR",
}
INDIVIDUAL: dict[str, Any] = {
    "roles": ["legal_representative", "shareholder"],
    "is_beneficial_owner": True,
    "is_business_contact": True,
    "first_name": "John",
    "middle_name": "Fitzgerald",
    "last_name": "CARTER",
    "maiden_name": "MILLER",
    "email": "john.carter@example.com",
    "birth_date": "1990-07-03",
    "birth_country": "FR",
    "birth_place": "Bayonne",
    "gender": "male",
    "nationalities": ["FR", "IE"],
    "address": ADDRESS,
    "banking_information": {"iban": "FR7630006000011234567890189", "bic": "AGRIFRPP"},
    "tax_identification_number": "0123456789012",
    "social_security_number": "190076410212345",
    "phone_number": "+33123456789",
    "position": "CEO",
    "ownership_percentage": 33.33,
    "voting_rights_percentage": 50,
    "custom_properties": {"hobby": "chess", "is_vip": True, "visits": 3, "languages": ["fr", "en"], "pet": None},
}
COMPANY: dict[str, Any] = {
    "name": "Test Inc.",
    "commercial_name": "Test",
    "registration_number": "012345678",
    "registration_date": "2022-12-06",
    "status": "live",
    "legal_form": "sas",
    "entity_legal_form": "6CHY",
    "country": "FR",
    "address": ADDRESS,
    "classifications": [{"type": "nace", "code": "123", "description": "very busy"}],
    "banking_information": {"iban": "FR7630006000011234567890189", "bic": "AGRIFRPP"},
    "share_capital": "10000 EUR",
    "tax_identification_number": "FR12345678901",
    "website_url": "https://example.com",
    "employer_identification_number": "12-3456789",
    "custom_properties": {"sector": "bakery", "employees": 12},
}


def change(workspace: Workspace, reviewer: User) -> None:
    """Full cases and bare ones: each member of a body is there at least once, and null at least once."""
    full(workspace, reviewer)
    bare(workspace)


def full(workspace: Workspace, reviewer: User) -> None:
    fields = {"name": "Dotfile", "external_id": "exteid-3", "metadata": {"count": "42"}, "assignee": reviewer}
    fields |= {"template": _template(workspace, "kyb"), "space_slug": "space_7hk92Q75dm0a", "status": CaseStatus.DRAFT}
    affiliated = {"name": "Daughter Ltd", "type": CompanyType.AFFILIATED}
    parts: dict[str, Any] = {"individuals": [INDIVIDUAL], "companies": [COMPANY, affiliated]}
    case = services.create_case(workspace, fields, tags=["High risk", "Low risk"], **parts)
    collect(case)
    edit(case, workspace)
    assess(case)
    decide(case, reviewer)
    come_round(case, reviewer)
    case.delete()


def collect(case: Case) -> None:
    """A contact comes to a step of the client portal, waits there, and goes on."""
    services.open_portal(case, "Onboarding", "KYB")
    services.trigger_wait_step(case, "documents")
    services.complete_wait_steps(case)
    Case.objects.filter(pk=case.pk).update(last_contact_action_at=timezone.now())


def edit(case: Case, workspace: Workspace) -> None:
    """A change of each column that is a sub-event of its own."""
    changes: list[dict[str, Any]] = [
        {"status": CaseStatus.OPEN},
        {"name": "Dotfile SAS", "custom_properties": {"sector": "tech", "is_vip": False, "rank": 1.5, "pet": None}},
        {"external_id": ""},
        {"metadata": None},
        {"flags": [CaseFlag.FOR_RECOLLECTION.value]},
        {"contact_has_actions": True},
        {"reviewer_has_actions": True},
        {"template": _template(workspace, "kyc")},
        {"template": None},
        {"assignee": None},
    ]
    for values in changes:
        for name, value in values.items():
            setattr(case, name, value)
        case.save()
    case.tags.add(Tag.objects.create(workspace=workspace, label="Medium risk"))
    case.tags.clear()


def assess(case: Case) -> None:
    services.assess_risk(case, "low")
    told: dict[str, Any] = {"score": 72.5, "components": {"country": 40, "sector": 32.5}, "flags": {"pep": True}}
    services.assess_risk(case, "high", mode="automatic", comment="A politically exposed owner.", **told)


def decide(case: Case, reviewer: User) -> None:
    """By whoever may decide, and whatever may be decided."""
    approved, rejected, closed = ReviewStatus.APPROVED, ReviewStatus.REJECTED, ReviewStatus.CLOSED
    services.review_case(case, rejected, reviewer_type=ReviewerType.USER, user=reviewer, comment="A forged paper.")
    services.review_case(case, closed, reviewer_type=ReviewerType.API)
    Case.objects.filter(pk=case.pk).update(status=CaseStatus.OPEN)
    services.review_case(case, approved, reviewer_type=ReviewerType.SYSTEM)


def come_round(case: Case, reviewer: User) -> None:
    """The periodic review: scheduled, moved, due by the clock, confirmed, called off."""
    today = timezone.localdate()
    services.reschedule_review(case, today + timedelta(days=30))
    services.reschedule_review(case, today + timedelta(days=7))
    services.tell_due_reviews(today + timedelta(days=7))
    confirmed: dict[str, Any] = {"reviewer_type": ReviewerType.USER, "user": reviewer, "comment": "Nothing new."}
    services.review_case(case, ReviewStatus.APPROVED, next_review_at=today + timedelta(days=365), **confirmed)
    services.reschedule_review(case, None)


def bare(workspace: Workspace) -> None:
    """Several at a time, with nothing but what they must have."""
    cases = [Case(workspace=workspace, name=f"Bare {n}", status=CaseStatus.DRAFT) for n in range(3)]
    Case.objects.bulk_create(cases)
    Individual.objects.create(case=cases[0], first_name="Jane", last_name="ROE")
    Company.objects.create(case=cases[0], name="Bare Inc.")
    several = Case.objects.filter(pk__in=[case.pk for case in cases])
    several.update(status=CaseStatus.OPEN, metadata={"key": "value"})
    several.delete()


def _template(workspace: Workspace, key: str) -> Template:
    return Template.objects.create(workspace=workspace, key=key, name=key.upper())

"""Changes of checks: each of the nine types lives several lives, about whomever it can be about."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from cases.models import Case, Company, Individual, ReviewerType
from checks import services
from checks.aml import NewHit
from checks.choices import ABOUT_COMPANIES, ABOUT_INDIVIDUALS
from checks.models import Check, CheckType, ListType
from workspaces.models import User, Workspace

from .cases import COMPANY, INDIVIDUAL
from .findings import FOUND

BARE: dict[str, Any] = {
    CheckType.DOCUMENT: {"document_type_key": "iban"},
    CheckType.ELECTRONIC_SIGNATURE: {"document_template_key": "mandate"},
}
"""Settings that a check of the type cannot do without."""
FULL: dict[str, Any] = {
    CheckType.AML: {"fuzziness": 0.2, "exact_match": True, "list_types": ["pep"], "profile_id": "p-1"},
    CheckType.DOCUMENT: {
        "document_type_key": "proof_of_address",
        "document_analysis": {"automatic_approval": True, "parameters": {"model": "proof_of_address"}},
    },
    CheckType.ID_DOCUMENT: {"vendor": "veriff", "automatic_approval": True, "automatic_rejection": True},
    CheckType.ID_VERIFICATION: {"vendor": "onfido", "mode": "liveness", "redirect_url": "https://example.com/back"},
}
"""Other settings than those that a check begins with."""


def change(workspace: Workspace, reviewer: User) -> None:
    """About people and companies of whom all is known, and of whom nothing is."""
    case = Case.objects.create(workspace=workspace, name="Checks")
    person = Individual.objects.create(case=case, **INDIVIDUAL)
    unknown = Individual.objects.create(case=case, first_name="Jane", last_name="ROE")
    company = Company.objects.create(case=case, **COMPANY)
    for kind in CheckType:
        subjects: list[Individual | Company] = [] if kind in ABOUT_COMPANIES else [person, unknown]
        for subject in subjects + ([] if kind in ABOUT_INDIVIDUALS else [company]):
            live(subject, kind, reviewer)
    watch(person, company)
    expire(case)


def live(subject: Individual | Company, kind: CheckType, reviewer: User) -> None:
    """One check is found good, one bad, one is never finished."""
    good = services.start_check(subject, kind, FULL.get(kind, BARE.get(kind)))
    services.set_processing(good)
    get_result(good, "approved")
    review(good, "approve", reviewer_type=ReviewerType.USER, user=reviewer, comment="All in order.")
    bad = services.start_check(subject, kind, BARE.get(kind), is_internal=True)
    get_result(bad, "error")
    review(bad, "reject", reviewer_type=ReviewerType.API)
    review(bad, "approve", reviewer_type=ReviewerType.USER, user=reviewer)
    bad.delete()
    services.start_check(subject, kind, BARE.get(kind)).delete()


def get_result(check: Check, result: str) -> None:
    if check.type == CheckType.AML:
        check = services.record_aml_result(check, [NewHit("John Carter", [*ListType]), NewHit("J. C.", [ListType.PEP])])
        hits = [hit["id"] for hit in check.data["hits"]]
        services.review_hits(check, hits[:1], "ignore", reviewer_type=ReviewerType.API, comment="Somebody else.")
        services.review_hits(check, hits[1:], "confirm", reviewer_type=ReviewerType.API)
    else:
        services.record_result(check, result, **FOUND.get(CheckType(check.type), {}))


def review(check: Check, action: str, **how: Any) -> None:
    services.review_check(check, action, override=True, **how)


def watch(person: Individual, company: Company) -> None:
    """Monitoring finds something later: the checks need a review again."""
    screening = services.record_aml_result(services.start_check(person, CheckType.AML), [])
    services.set_monitoring(screening, True)
    services.report_monitoring_hit(screening, [NewHit("John Carter", [ListType.SANCTION])])
    monitoring = services.start_check(company, CheckType.COMPANY_MONITORING)
    services.record_result(monitoring, "approved")
    services.report_monitoring_alert(monitoring, "financial_changes")


def expire(case: Case) -> None:
    """All that are left end with their last day, told by the clock."""
    today = timezone.localdate()
    left = Check.objects.filter(case=case)
    left.update(expires_at=today)
    services.expire_checks(today + timedelta(days=1))
    left.delete()

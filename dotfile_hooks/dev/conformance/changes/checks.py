"""Changes of checks: each of the nine types through all that can happen to it, about whomever it can be about."""

from __future__ import annotations

from cases.models import Case, Company, Individual, ReviewerType
from checks.aml import NewHit
from checks.models import ABOUT_COMPANIES, ABOUT_INDIVIDUALS, Check, CheckStatus, CheckType, ListType
from checks.services import record_aml_result, review_check, review_hits, start_check
from workspaces.models import User, Workspace

from .cases import COMPANY, INDIVIDUAL

SETTINGS = {
    CheckType.DOCUMENT: {"document_type_key": "passport"},
    CheckType.ELECTRONIC_SIGNATURE: {"document_template_key": "mandate"},
}


def change(workspace: Workspace, reviewer: User) -> None:
    case = Case.objects.create(workspace=workspace, name="Checks")
    person = Individual.objects.create(case=case, **INDIVIDUAL)
    company = Company.objects.create(case=case, **COMPANY)
    for kind in CheckType:
        subjects = [person] * (kind not in ABOUT_COMPANIES) + [company] * (kind not in ABOUT_INDIVIDUALS)
        for subject in subjects:
            live(start_check(subject, kind, SETTINGS.get(kind)), reviewer)


def live(check: Check, reviewer: User) -> None:
    """Everything that happens to a check, once."""
    get_result(check)
    review_check(check, "approve", reviewer_type=ReviewerType.USER, user=reviewer, comment="All in order.")
    review_check(check, "reject", reviewer_type=ReviewerType.API, override=True)
    Check.objects.filter(pk=check.pk).update(status=CheckStatus.EXPIRED)
    check.delete()


def get_result(check: Check) -> None:
    if check.type == CheckType.AML:
        check = record_aml_result(check, [NewHit("John Carter", [ListType.PEP])])
        hits = [hit["id"] for hit in check.data["hits"]]
        review_hits(check, hits, "ignore", reviewer_type=ReviewerType.API, comment="Somebody else.")
    else:
        Check.objects.filter(pk=check.pk).update(status=CheckStatus.NEED_REVIEW)

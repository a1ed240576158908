"""What happens to checks. Refusals are sentences (ValidationError); rows whose status may change are locked first."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from cases.models import Company, Individual, ReviewerType
from cases.projection import USER_FIELDS
from cases.projection import user as show_user
from workspaces.models import User
from workspaces.rules import lock_in_order
from workspaces.timestamps import iso

from . import aml
from .aml import NewHit
from .models import ABOUT_COMPANIES, ABOUT_INDIVIDUALS, Check, CheckStatus, CheckType, HitStatus

Json = dict[str, Any]

DECIDED = (CheckStatus.APPROVED, CheckStatus.REJECTED)
VERDICTS: Mapping[str, CheckStatus] = {"approve": CheckStatus.APPROVED, "reject": CheckStatus.REJECTED}
HIT_VERDICTS: Mapping[str, HitStatus] = {"confirm": HitStatus.TRUE_POSITIVE, "ignore": HitStatus.FALSE_POSITIVE}
# What the settings of a type must name, and the beginning of the subtype it becomes.
SUBTYPES: Mapping[str, tuple[str, str]] = {
    CheckType.DOCUMENT: ("document_type_key", "document_type:"),
    CheckType.ELECTRONIC_SIGNATURE: ("document_template_key", "document_template:"),
}


@transaction.atomic
def start_check(
    subject: Individual | Company, kind: str, settings: Json | None = None, *, is_internal: bool = False
) -> Check:
    """A new check, in progress. Raises ValidationError for a type that is not about individuals, or companies."""
    refuse_misfit(subject, kind)
    check = Check(type=kind, is_internal=is_internal)
    if isinstance(subject, Individual):
        check.individual = subject
    else:
        check.company = subject
    describe(check, settings or {})
    check.save()
    return check


def refuse_misfit(subject: Individual | Company, kind: str) -> None:
    """Raises ValidationError with a sentence when this type of check is not for this kind of subject."""
    label = CheckType(kind).label
    if isinstance(subject, Individual) and kind in ABOUT_COMPANIES:
        raise ValidationError(f"{label} is a check of companies, not of individuals.", code="wrong_subject")
    if isinstance(subject, Company) and kind in ABOUT_INDIVIDUALS:
        raise ValidationError(f"{label} is a check of individuals, not of companies.", code="wrong_subject")


def describe(check: Check, settings: Json) -> None:
    """Fills in what a check of its type begins with. Raises ValidationError for settings that are missing."""
    if check.type == CheckType.AML:
        check.data = aml.started(check.pk, iso(timezone.now()), settings)
        return
    check.data = {"result": None, "settings": settings, "review": aml.NO_REVIEW}
    if check.type in SUBTYPES:
        key, prefix = SUBTYPES[check.type]
        if not settings.get(key):
            raise ValidationError({"settings": f"Give `{key}`: which document this check is about."})
        check.subtype = prefix + settings[key]
        check.document_type_key = settings[key] if check.type == CheckType.DOCUMENT else ""


def _locked(check: Check) -> Check:
    lock_in_order(check)
    return Check.objects.select_for_update(no_key=True).get(pk=check.pk)


@transaction.atomic
def record_aml_result(check: Check, hits: Sequence[NewHit]) -> Check:
    """What the screening vendor found: hits need a review, none is an approval.

    Raises ValidationError unless the check is an AML check that waits for its result.
    """
    check = _locked(check)
    if check.type != CheckType.AML:
        raise ValidationError("Only AML checks have hits.")
    if check.status not in (CheckStatus.IN_PROGRESS, CheckStatus.PROCESSING):
        raise ValidationError(f"The result of this check is known already: it is {check.status}.")
    check.data = aml.with_hits(check.data, hits)
    if hits:
        check.status = CheckStatus.NEED_REVIEW
    else:
        _decide(check, CheckStatus.APPROVED, made_review(ReviewerType.SYSTEM))
    check.save()
    return check


@transaction.atomic
def review_hits(
    check: Check,
    hit_ids: Collection[str],
    action: str,
    *,
    reviewer_type: str,
    user: User | None = None,
    comment: str = "",
) -> Check:
    """Confirms or ignores hits of an AML check. Raises ValidationError for a hit that it does not have."""
    check = _locked(check)
    wanted = {hit_id.lower() for hit_id in hit_ids}
    if unknown := wanted - {hit["id"] for hit in check.data.get("hits", ())}:
        raise ValidationError({"hit_ids": f"This check has no hit {min(unknown)}."})
    review = made_review(reviewer_type, user, comment)
    check.data = aml.reviewed(check.data, wanted, HIT_VERDICTS[action], review)
    check.save()
    return check


@transaction.atomic
def review_check(
    check: Check,
    action: str,
    *,
    reviewer_type: str,
    user: User | None = None,
    comment: str = "",
    override: bool = False,
) -> Check:
    """Approves or rejects a check. `override` changes an earlier verdict.

    Raises ValidationError while hits are open, before there is a result, and for a verdict that stands.
    """
    check = _locked(check)
    refuse_review(check, override)
    _decide(check, VERDICTS[action], made_review(reviewer_type, user, comment))
    check.save()
    return check


def refuse_review(check: Check, override: bool = False) -> None:
    """Raises ValidationError with a sentence unless the check can be approved or rejected now."""
    if check.status in (CheckStatus.IN_PROGRESS, CheckStatus.PROCESSING):
        raise ValidationError(f"This check is {check.status}: review it once it has a result.", code="no_result")
    if check.status in DECIDED and not override:
        raise ValidationError(
            f"This check is already {check.status}; set `override` to true to change that.", code="decided"
        )
    if aml.has_open_hits(check.data):
        raise ValidationError("Review all hits that are potential matches first.", code="open_hits")


def _decide(check: Check, status: CheckStatus, review: Json) -> None:
    check.status = status
    check.data = {**check.data, "result": status.value, "review": review}


def made_review(reviewer_type: str, user: User | None = None, comment: str = "") -> Json:
    """Schema Review, of now. The reviewer's name is kept as it is today."""
    return {
        "comment": comment or None,
        "reviewed_at": iso(timezone.now()),
        "reviewer_type": str(reviewer_type),
        "user": None if user is None else show_user({name: getattr(user, name) for name in USER_FIELDS}),
    }

"""What people make of checks, and of the hits of AML checks."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from checks import aml
from checks.models import DECIDED, WAITING, Check, CheckStatus, CheckType, HitStatus
from checks.models.check import OPEN_HITS
from workspaces.models import User

from .common import decide, locked, made_review

VERDICTS: Mapping[str, CheckStatus] = {"approve": CheckStatus.APPROVED, "reject": CheckStatus.REJECTED}
HIT_VERDICTS: Mapping[str, HitStatus] = {"confirm": HitStatus.TRUE_POSITIVE, "ignore": HitStatus.FALSE_POSITIVE}


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
    check = locked(check)
    if check.type != CheckType.AML:
        raise ValidationError("Only AML checks have hits.")
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

    One that expired is reviewed like any other. Whoever approves a check whose last day is over takes it as it is: the
    day is taken away, or it would expire again at once; set another to have it expire later.
    Raises ValidationError while hits are open, before there is a result, and for a verdict that stands.
    """
    check = locked(check)
    refuse_review(check, override)
    decide(check, VERDICTS[action], made_review(reviewer_type, user, comment))
    if action == "approve" and check.expires_at and check.expires_at < timezone.localdate():
        check.expires_at = None
    check.save()
    return check


@transaction.atomic
def force_review(check: Check) -> Check:
    """Lets people look at a document now, whatever its analysis would have said.

    Raises ValidationError unless it is a document check with a file, in progress or in need of a review.
    """
    check = locked(check)
    refuse_force(check)
    check.status = CheckStatus.NEED_REVIEW
    check.save()
    return check


def refuse_force(check: Check) -> None:
    """Raises ValidationError with a sentence unless a review of this document can be forced."""
    if check.type != CheckType.DOCUMENT:
        raise ValidationError("Only reviews of document checks can be forced.")
    if check.status not in (CheckStatus.IN_PROGRESS, CheckStatus.NEED_REVIEW):
        raise ValidationError(f"This check is {check.status}: a review is forced in in_progress or need_review only.")
    if not check.data.get("document_file_ids"):
        raise ValidationError("This check has no file to review.", code="no_file")


def refuse_review(check: Check, override: bool = False) -> None:
    """Raises ValidationError with a sentence unless the check can be approved or rejected now."""
    if check.status in WAITING:
        raise ValidationError(f"This check is {check.status}: review it once it has a result.", code="no_result")
    if check.status in DECIDED and not override:
        raise ValidationError(
            f"This check is already {check.status}; set `override` to true to change that.", code="decided"
        )
    if aml.has_open_hits(check.data):
        raise ValidationError(OPEN_HITS, code="open_hits")

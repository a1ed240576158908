"""Decisions about cases, and the periodic reviews of those that were approved."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from cases.models import Case, CaseReview, CaseStatus, ReviewStatus, RiskLevel
from cases.models.rules import refuse_decision
from workspaces.models import User

# Cases told of in one transaction.
BATCH = 1000
NIL = UUID(int=0)


def locked(case: Case) -> Case:
    """The case as it is now; until the transaction ends nobody else changes it."""
    return Case.objects.select_for_update(no_key=True).get(pk=case.pk)


@transaction.atomic
def review_case(
    case: Case,
    status: str,
    *,
    reviewer_type: str,
    user: User | None = None,
    comment: str = "",
    reviewed_at: datetime | None = None,
    next_review_at: date | None = None,
) -> CaseReview:
    """Approves, rejects or closes a case; the row is locked, so that of two equal decisions one is refused.

    The approval of a case whose periodic review is scheduled or due confirms it. Raises ValidationError when the case
    already has the status, or cannot get it.
    """
    current = locked(case)
    if next_review_at and status != ReviewStatus.APPROVED:
        raise ValidationError({"next_review_at": "Only an approval can have a next review."})
    if confirms(current, status):
        current.review_confirmed_at, current.review_due_at = timezone.now(), None
    else:
        refuse_decision(current.status, status)
    review = CaseReview(case=current, status=status, comment=comment, reviewer_type=reviewer_type, user=user)
    review.reviewed_at, review.next_review_at = reviewed_at or timezone.now(), next_review_at
    current.status, current.next_review_at, current.decision = status, next_review_at, review
    current.save()
    return review


def confirms(case: Case, status: str) -> bool:
    """Whether this decision would confirm an earlier approval."""
    return case.status == status == CaseStatus.APPROVED and case.next_review_at is not None


def usual_next_review(case: Case, reviewed_at: datetime | None = None) -> date | None:
    """When a case that is approved without saying so is reviewed again: NEXT_REVIEW_DAYS, by the level of its risk."""
    days = settings.NEXT_REVIEW_DAYS.get((case.risk or {}).get("level", RiskLevel.NOT_DEFINED))
    if days is None:
        return None
    now = timezone.now()
    return min(reviewed_at or now, now).astimezone(UTC).date() + timedelta(days)


@transaction.atomic
def reschedule_review(case: Case, next_review_at: date | None) -> Case:
    """Moves the next periodic review, or calls it off. Raises ValidationError for a case that is not approved."""
    current = locked(case)
    current.next_review_at = next_review_at
    current.save()
    return current


def tell_due_reviews(today: date) -> int:
    """Tells of each periodic review that is due by this day (UTC), once; how many.

    May be repeated, late, and by several at once: each batch is looked at again once it is locked.
    """
    due = Case.objects.filter(next_review_at__lte=today, review_due_at=None).order_by("pk")
    # A clock that is ahead of ours: it was told that day, not before.
    told = max(timezone.now(), datetime.combine(today, time.min, UTC))
    count, last = 0, NIL
    while keys := list(due.filter(pk__gt=last).values_list("pk", flat=True)[:BATCH]):
        count += due.filter(pk__in=keys).update(review_due_at=told)
        last = keys[-1]
    return count

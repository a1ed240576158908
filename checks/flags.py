"""Flags of a case that follow from its checks: written in the transaction of the change, when that was told of."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.contrib.postgres.aggregates import BoolAnd, BoolOr
from django.db.models import Q

from cases.models import Case, CaseFlag
from cases.models.rules import DERIVED_FLAGS, deriving_flags
from workspaces.changes import above_affected

from .models import Check, CheckStatus

# Checks of people and companies that are not relevant count no more than these are shown.
OF_RELEVANT = Q(individual__is_relevant=True) | Q(company__is_relevant=True)
# Cases read and written by one statement.
CHUNK = 1000


def follow_checks(keys: Collection[UUID], using: str) -> None:
    """Puts the flags of these cases right. The caller has locked the cases.

    `for_review`: a check needs a review. `all_checks_approved`: there are checks, and all are approved.
    """
    wanted = sorted(keys)
    for start in range(0, len(wanted), CHUNK):
        _follow(wanted[start : start + CHUNK], using)


def _follow(keys: Collection[UUID], using: str) -> None:
    checks = Check.objects.using(using).filter(OF_RELEVANT, case__in=keys).order_by().values_list("case_id")
    states: dict[UUID, tuple[bool, bool]] = {
        key: (approved, review)
        for key, approved, review in checks.annotate(
            approved=BoolAnd(Q(status=CheckStatus.APPROVED)), review=BoolOr(Q(status=CheckStatus.NEED_REVIEW))
        )
    }
    changed: list[Case] = []
    for case in Case.objects.using(using).filter(pk__in=keys):
        flags = with_derived(case.flags, *states.get(case.pk, (False, False)))
        if flags != case.flags:
            case.flags = flags
            changed.append(case)
    with deriving_flags():
        if len(changed) == 1:
            changed[0].save(using=using, update_fields=["flags"])
        elif changed:
            Case.objects.using(using).bulk_update(changed, ["flags"])


def with_derived(flags: Collection[str], all_approved: bool, needs_review: bool) -> list[str]:
    """These flags in the order they have, with those that follow from checks as they must be."""
    derived = {CaseFlag.ALL_CHECKS_APPROVED.value: all_approved, CaseFlag.FOR_REVIEW.value: needs_review}
    kept = [flag for flag in flags if derived.get(flag, True)]
    return kept + [flag for flag in DERIVED_FLAGS if derived[flag] and flag not in kept]


def on_above_affected(keys: set[UUID], using: str, **kwargs: Any) -> None:
    follow_checks(keys, using)


def connect() -> None:
    """Called once, when Django is ready. Whatever has a case above it affects it through its checks."""
    above_affected.connect(on_above_affected, dispatch_uid="checks.flags")

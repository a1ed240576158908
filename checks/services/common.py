"""What the services have in common."""

from __future__ import annotations

from django.utils import timezone

from cases.projection import USER_FIELDS
from cases.projection import user as show_user
from checks.data import Json
from checks.models import Check, CheckStatus
from workspaces.models import User
from workspaces.rules import lock_in_order
from workspaces.timestamps import iso


def locked(check: Check) -> Check:
    """A fresh copy, locked, and its case before it. Raises DoesNotExist when it is gone."""
    lock_in_order(check)
    return Check.objects.select_for_update(no_key=True).get(pk=check.pk)


def decide(check: Check, status: CheckStatus, review: Json) -> None:
    """Sets a verdict, which the caller saves."""
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

"""How checks are started, and started again."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction

from cases.models import Company, Individual
from checks.data import Json
from checks.models import Check, CheckStatus
from checks.models.rules import restarting
from checks.models.starting import begin

from .common import locked


@transaction.atomic
def start_check(
    subject: Individual | Company, kind: str, settings: Json | None = None, *, is_internal: bool = False
) -> Check:
    """A new check, in progress.

    Raises ValidationError for a type that is not about individuals, or companies, and for settings that it does not
    have, or not like that.
    """
    check = Check(type=kind, is_internal=is_internal, data={"settings": settings or {}})
    if isinstance(subject, Individual):
        check.individual = subject
    else:
        check.company = subject
    check.save()
    return check


@transaction.atomic
def set_processing(check: Check) -> Check:
    """All that is needed was collected, and is looked at. Raises ValidationError unless that was awaited."""
    check = locked(check)
    if check.status != CheckStatus.IN_PROGRESS:
        raise ValidationError(f"Only a check in progress is processed next; this one is {check.status}.")
    check.status = CheckStatus.PROCESSING
    check.save()
    return check


@transaction.atomic
def restart(check: Check) -> Check:
    """Back to the beginning with the same settings: what was collected, found and decided is forgotten.

    Nothing tells receivers of it. Raises ValidationError when its document type is archived by now.
    """
    check = locked(check)
    check.data = {"settings": check.data.get("settings", {})}
    check.expires_at = None
    begin([check])
    check.status = CheckStatus.IN_PROGRESS
    with restarting():
        check.save()
    return check

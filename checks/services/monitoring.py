"""Vendors that go on looking after a check was decided."""

from __future__ import annotations

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from checks import aml
from checks.aml import NO_REVIEW, NewHit
from checks.choices import AlertCategory
from checks.models import WAITING, Check, CheckStatus, CheckType
from checks.projection import whole_data
from workspaces.timestamps import iso

from .common import locked

FLAGS = {CheckType.AML: "is_search_monitored", CheckType.COMPANY_MONITORING: "is_monitored"}
"""What the vendor's part of the data calls it, for the types that can be monitored."""


def is_monitored(check: Check) -> bool | None:
    """None for a type that cannot be."""
    flag = FLAGS.get(CheckType(check.type))
    return None if flag is None else bool(whole_data(check.stored())["vendor"][flag])


@transaction.atomic
def set_monitoring(check: Check, is_monitored: bool) -> Check:
    """Lets the vendor tell of what comes up later, or not. Raises ValidationError for a type without monitoring."""
    check = locked(check)
    flag = FLAGS.get(CheckType(check.type))
    if flag is None:
        raise ValidationError("Only AML and company monitoring checks can be monitored.")
    data = whole_data(check.stored())
    check.data = data | {"vendor": data["vendor"] | {flag: is_monitored}}
    check.save()
    return check


@transaction.atomic
def report_monitoring_hit(check: Check, hits: Sequence[NewHit]) -> Check:
    """Hits of a search that is monitored: whatever was decided, the check needs a review again.

    Raises ValidationError unless the check is a monitored AML check that has its first result.
    """
    check = locked(check)
    if check.type != CheckType.AML:
        raise ValidationError("Only AML checks have hits.")
    if not hits:
        raise ValidationError("Say which hits were found.")
    _refuse_unmonitored(check)
    check.data = aml.with_hits(whole_data(check.stored()), hits, iso(timezone.now()))
    _reopen(check)
    return check


@transaction.atomic
def report_monitoring_alert(check: Check, category: str) -> Check:
    """Something about a monitored company: whatever was decided, the check needs a review again.

    Raises ValidationError unless alerts of this category are looked for by this check.
    """
    check = locked(check)
    if check.type != CheckType.COMPANY_MONITORING:
        raise ValidationError("Only company monitoring checks have alerts.")
    if category not in AlertCategory.values:
        raise ValidationError(f"An alert is one of {', '.join(AlertCategory.values)}.")
    if category not in whole_data(check.stored())["settings"]["alert_categories"]:
        raise ValidationError(f"This check does not look for alerts about {category}.")
    _refuse_unmonitored(check)
    _reopen(check)
    return check


def _refuse_unmonitored(check: Check) -> None:
    if check.type == CheckType.AML and check.status in WAITING:
        raise ValidationError(f"This check is {check.status}: its search has no result yet that could change.")
    if not is_monitored(check):
        raise ValidationError("This check is not monitored.")


def _reopen(check: Check) -> None:
    check.status = CheckStatus.NEED_REVIEW
    check.data = check.data | {"result": None, "review": NO_REVIEW}
    check.save()

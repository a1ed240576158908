"""What the vendors of checks answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from cases.models import ReviewerType
from checks import aml, data
from checks.aml import NewHit
from checks.models import DECIDED, WAITING, Check, CheckStatus, CheckType, Result
from checks.projection import whole_data

from .common import decide, locked, made_review

# What is ours to write, not a vendor's.
_OURS = frozenset({"result", "settings", "review", "hits", "hits_list_types", "match_status"})


@transaction.atomic
def record_result(check: Check, result: str | None, /, **found: Any) -> Check:
    """What the vendor says, and what it found: `information`, `vendor`, `decision`, …, by name of the check's data.

    Settings of the check may let an approval or a rejection stand as the verdict; all else needs a review.
    Raises ValidationError unless the check waits for its result, and for findings that its type has no place for, or
    that are of another kind than its schema says.
    """
    check = locked(check)
    _refuse_result(check, result)
    check.data = _with_findings(check, found) | {"result": result}
    if verdict := _automatic_verdict(check, result):
        decide(check, verdict, made_review(ReviewerType.SYSTEM))
    else:
        check.status = CheckStatus.NEED_REVIEW
    check.save()
    return check


@transaction.atomic
def record_aml_result(check: Check, hits: Sequence[NewHit]) -> Check:
    """What the screening vendor found: hits need a review, none is an approval.

    Raises ValidationError unless the check is an AML check that waits for its result.
    """
    check = locked(check)
    if check.type != CheckType.AML:
        raise ValidationError("Only AML checks have hits.")
    _refuse_result(check, None)
    check.data = aml.with_hits(check.data, hits)
    if hits:
        check.status = CheckStatus.NEED_REVIEW
    else:
        decide(check, CheckStatus.APPROVED, made_review(ReviewerType.SYSTEM))
    check.save()
    return check


def _refuse_result(check: Check, result: str | None) -> None:
    if check.status not in WAITING:
        raise ValidationError(f"The result of this check is known already: it is {check.status}.")
    if result is not None and result not in Result.values:
        raise ValidationError({"result": f"A result is one of {', '.join(Result.values)}, or null."})


def _with_findings(check: Check, found: data.Json) -> data.Json:
    stored = whole_data(check.stored())
    unknown = sorted([*(found.keys() & _OURS), *data.unknown_names(stored, found)])
    if unknown:
        raise ValidationError({"found": f"A result of this type of check says nothing about {unknown[0]}."})
    data.refuse_members(check.type, found)
    _refuse_files(stored, found)
    merged: data.Json = data.merged(stored, found)
    return merged


def _refuse_files(stored: data.Json, found: data.Json) -> None:
    """Vendors may bring files of their own; they do not change which were handed in."""
    there = stored.get("document_file_ids")
    if there and found.get("document_file_ids", there) != there:
        raise ValidationError({"found": "This check has its files already; a result cannot change which these are."})


def _automatic_verdict(check: Check, result: str | None) -> CheckStatus | None:
    may = data.automatic(check.type, check.data.get("settings", {}))
    allowed = {
        Result.APPROVED: may.get("automatic_approval", False) and not aml.has_open_hits(check.data),
        Result.REJECTED: may.get("automatic_rejection", False),
    }
    return next((status for status in DECIDED if status.value == result and allowed[Result(status.value)]), None)

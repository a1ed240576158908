"""What the decisions on its documents do to a check."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cases.models import ReviewerType
from checks import aml
from checks.models import Check, CheckStatus
from checks.services import DECIDED, made_review

from .decision import of_check
from .models import Decision

STATUSES: Mapping[Decision, CheckStatus] = {
    Decision.ACCEPTED: CheckStatus.APPROVED,
    Decision.REJECTED: CheckStatus.REJECTED,
    Decision.REVIEW_REQUIRED: CheckStatus.NEED_REVIEW,
}


def move(check: Check) -> None:
    """Moves the check, whose row is locked, to where its documents lead, unless somebody decided on it or it expired.

    The earliest expiry that was read is the check's.
    """
    documents = list(check.documents.values_list("decision", "fields"))
    expiries = [fields["expiration_date"] for _, fields in documents if fields.get("expiration_date")]
    information = {"document_analysis": None, **(check.data.get("information") or {})}
    information["expiration_date"] = min(expiries, default=None)
    check.data = {**check.data, "information": information}
    verdict = of_check([decision for decision, _ in documents])
    if verdict and STATUSES[verdict] != check.status and not is_out_of_our_hands(check):
        _set_status(check, STATUSES[verdict])
    check.save()


def is_out_of_our_hands(check: Check) -> bool:
    """Decided by anybody but this system, or expired."""
    reviewer = (check.data.get("review") or {}).get("reviewer_type")
    return check.status == CheckStatus.EXPIRED or (check.status in DECIDED and reviewer != ReviewerType.SYSTEM)


def _set_status(check: Check, status: CheckStatus) -> None:
    decided: dict[str, Any] = {"result": status.value, "review": made_review(ReviewerType.SYSTEM)}
    check.status = status
    check.data |= decided if status in DECIDED else {"result": None, "review": aml.NO_REVIEW}

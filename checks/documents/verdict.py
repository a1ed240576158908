"""What the decisions on its documents do to a check."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from cases.models import ReviewerType
from checks import aml
from checks.models import Check, CheckStatus
from checks.models.check import as_day
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
    # Not those from before it was restarted.
    kept = check.data.get("document_file_ids", ())
    documents = [row for row in check.documents.values("pk", "decision", "fields") if str(row["pk"]) in kept]
    decisions = [row["decision"] for row in documents]
    expiries = [day for row in documents if (day := as_day(row["fields"].get("expiration_date")))]
    information = {"document_analysis": None, **(check.data.get("information") or {})}
    information["expiration_date"] = min(expiries).isoformat() if expiries else None
    check.data = {**check.data, "information": information}
    verdict = of_check(decisions)
    if verdict and STATUSES[verdict] != check.status and not is_out_of_our_hands(check, decisions):
        _set_status(check, STATUSES[verdict])
    check.save()


def is_out_of_our_hands(check: Check, decisions: Collection[str]) -> bool:
    """Decided by anybody but this system, expired, or put up for a review that no document asked for."""
    reviewer = (check.data.get("review") or {}).get("reviewer_type")
    decided = check.status in DECIDED and reviewer != ReviewerType.SYSTEM
    forced = check.status == CheckStatus.NEED_REVIEW and Decision.REVIEW_REQUIRED not in decisions
    return check.status == CheckStatus.EXPIRED or decided or forced


def _set_status(check: Check, status: CheckStatus) -> None:
    decided: dict[str, Any] = {"result": status.value, "review": made_review(ReviewerType.SYSTEM)}
    check.status = status
    check.data |= decided if status in DECIDED else {"result": None, "review": aml.NO_REVIEW}

"""What the decisions on its documents, and their deletion, do to a check."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from cases.models import ReviewerType
from checks import aml
from checks.models import Check, CheckStatus
from checks.models.check import as_day
from checks.services import DECIDED, made_review
from workspaces.changes import rows_deleted

from .decision import of_check
from .models import Decision, Document

STATUSES: Mapping[Decision, CheckStatus] = {
    Decision.ACCEPTED: CheckStatus.APPROVED,
    Decision.REJECTED: CheckStatus.REJECTED,
    Decision.REVIEW_REQUIRED: CheckStatus.NEED_REVIEW,
}


def move(check: Check, gone: Sequence[str] = ()) -> None:
    """Moves the check, whose row is locked, to where its documents lead, unless somebody decided on it or it expired.

    The earliest expiry that was read is the check's. `gone`: the decisions on documents that were just deleted.
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
    if verdict and STATUSES[verdict] != check.status and not is_out_of_our_hands(check, [*decisions, *gone]):
        _set_status(check, STATUSES[verdict])
    check.save()


def forget(check: Check, documents: Iterable[Mapping[str, Any]]) -> None:
    """Takes documents that were deleted out of the check, whose row is locked: those that are left decide on it.

    Where none is left, the check stays as it is, and so does its last day: nothing speaks for anything else.
    """
    there = check.data.get("document_file_ids", ())
    gone = {str(row["id"]): row["decision"] for row in documents if str(row["id"]) in there}
    if not gone:  # of the time before it was restarted
        return
    check.data = {**check.data, "document_file_ids": [key for key in there if key not in gone]}
    if check.data["document_file_ids"]:
        move(check, [*gone.values()])
    else:
        check.save()


def on_deleted(rows: Sequence[Document], using: str, **kwargs: Any) -> None:
    """Their cases are locked already: see Document.above."""
    gone: defaultdict[UUID, list[Mapping[str, Any]]] = defaultdict(list)
    for document in rows:
        gone[document.stored()["for_check_id"]].append(document.stored())
    for check in Check.objects.using(using).filter(pk__in=gone).order_by("pk").select_for_update(no_key=True):
        forget(check, gone[check.pk])


def connect() -> None:
    """Called once, when Django is ready."""
    rows_deleted.connect(on_deleted, sender=Document, dispatch_uid="checks.documents")


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

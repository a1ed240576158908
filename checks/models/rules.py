"""What may become of a check, whoever asks: pure decisions, and sentences for refusals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from django.core.exceptions import ValidationError

from checks.choices import ABOUT_COMPANIES, ABOUT_INDIVIDUALS, CheckStatus, CheckType
from workspaces.refusals import refused

# Where a check may go from each status. What a review may decide is narrower: see services.refuse_review.
NEXT: Mapping[str, frozenset[str]] = {
    CheckStatus.IN_PROGRESS: frozenset(CheckStatus) - {CheckStatus.IN_PROGRESS},
    # More may be collected, and analysed again.
    CheckStatus.NEED_REVIEW: frozenset(CheckStatus) - {CheckStatus.IN_PROGRESS, CheckStatus.NEED_REVIEW},
    CheckStatus.PROCESSING: frozenset(CheckStatus) - {CheckStatus.IN_PROGRESS, CheckStatus.PROCESSING},
    # Monitoring may find something later; a review may change its mind.
    CheckStatus.APPROVED: frozenset({CheckStatus.NEED_REVIEW, CheckStatus.REJECTED, CheckStatus.EXPIRED}),
    CheckStatus.REJECTED: frozenset({CheckStatus.NEED_REVIEW, CheckStatus.APPROVED}),
    CheckStatus.EXPIRED: frozenset({CheckStatus.NEED_REVIEW, CheckStatus.APPROVED, CheckStatus.REJECTED}),
}

_restarting = ContextVar("restarting", default=False)


@contextmanager
def restarting() -> Iterator[None]:
    """Inside, a check may go back to in_progress: for whoever empties its data, too."""
    token = _restarting.set(True)
    try:
        yield
    finally:
        _restarting.reset(token)


def refuse_unknown(status: str) -> None:
    """Raises ValidationError for what is no status of checks."""
    if status not in CheckStatus.values:
        raise refused("status", f"There is no status {status} of checks.", "unknown")


def refuse_step(before: str, now: str) -> None:
    """Raises ValidationError unless a check may go from the one status to the other."""
    if now == CheckStatus.IN_PROGRESS and _restarting.get():
        return
    if now == CheckStatus.IN_PROGRESS:
        raise ValidationError({"status": f"A check that is {before} is in progress only if it is restarted."})
    if now not in NEXT.get(before, CheckStatus.values):  # a row may be older than the rule that statuses are known
        raise ValidationError({"status": f"A check that is {before} cannot become {now}."})


def refuse_misfit(kind: str, is_company: bool) -> None:
    """Raises ValidationError when this type of check is not for this kind of subject, or no type at all."""
    if kind not in CheckType.values:
        raise refused("type", f"There is no type {kind} of checks.", "unknown")
    label = CheckType(kind).label
    if kind in ABOUT_COMPANIES and not is_company:
        raise refused("type", f"{label} is a check of companies, not of individuals.", "wrong_subject")
    if kind in ABOUT_INDIVIDUALS and is_company:
        raise refused("type", f"{label} is a check of individuals, not of companies.", "wrong_subject")

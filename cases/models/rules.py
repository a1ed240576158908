"""What may become of a case and of those in it, whoever asks: pure decisions, and sentences for refusals."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.core.exceptions import ValidationError

from .choices import CaseFlag

DERIVED_FLAGS = (CaseFlag.ALL_CHECKS_APPROVED.value, CaseFlag.FOR_REVIEW.value)
"""They follow from the checks of the case; the others are set by hand."""

_deriving = ContextVar("deriving", default=False)


@contextmanager
def deriving_flags() -> Iterator[None]:
    """Inside, flags that follow from checks may be written: for whoever knows the checks."""
    token = _deriving.set(True)
    try:
        yield
    finally:
        _deriving.reset(token)


def refuse_flags(before: Collection[str], now: Collection[str]) -> None:
    """Raises ValidationError when a flag that follows from the checks was set or taken away by hand."""
    touched = {*before} ^ {*now}
    if touched & {*DERIVED_FLAGS} and not _deriving.get():
        raise ValidationError(
            {"flags": "all_checks_approved and for_review follow from the checks of a case; change those instead."}
        )

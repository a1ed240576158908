"""What may become of a case and of those in it, whoever asks: pure decisions, and sentences for refusals."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError

from workspaces.refusals import refused

from .choices import CaseFlag, CaseStatus, PortalType, ReviewStatus, RiskLevel, RiskMode

Json = Mapping[str, Any]

DERIVED_FLAGS = (CaseFlag.ALL_CHECKS_APPROVED.value, CaseFlag.FOR_REVIEW.value)
"""They follow from the checks of the case; the others are set by hand."""
HAND_FLAGS = tuple(flag for flag in CaseFlag.values if flag not in DERIVED_FLAGS)

# What a review may decide, by the status a case has. A draft can only be given up; a closed case is reopened first.
DECISIONS: Mapping[str, frozenset[str]] = {
    CaseStatus.DRAFT: frozenset({ReviewStatus.CLOSED}),
    CaseStatus.OPEN: frozenset({ReviewStatus.APPROVED, ReviewStatus.REJECTED, ReviewStatus.CLOSED}),
    CaseStatus.APPROVED: frozenset({ReviewStatus.REJECTED, ReviewStatus.CLOSED}),
    CaseStatus.REJECTED: frozenset({ReviewStatus.APPROVED, ReviewStatus.CLOSED}),
    CaseStatus.CLOSED: frozenset(),
}
# What an edit may set, whatever the status is.
EDITABLE = frozenset({CaseStatus.DRAFT.value, CaseStatus.OPEN.value})

# Of PostgreSQL's integer, and of Dotfile's scores.
SCORES = (-(2**31), 2**31 - 1)

# Of metadata and of custom properties, which are in every payload. The text is as long as Dotfile's longest.
MOST_MEMBERS, LONGEST_KEY, LONGEST_TEXT = 500, 255, 10_000

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


def refuse_status(before: str | None, now: str) -> None:
    """Raises ValidationError unless an edit or a review leads from the one to the other. A new case has no before."""
    if now not in CaseStatus.values:
        raise ValidationError({"status": f"Use one of {', '.join(CaseStatus.values)}."})
    if before is not None and now not in EDITABLE:
        refuse_decision(before, now)


def refuse_decision(current: str, wanted: str) -> None:
    """Raises ValidationError with a sentence unless a review may lead from the one status to the other."""
    if current == wanted:
        raise ValidationError(f"The case is already {current}.", code="no_change")
    if wanted not in DECISIONS[current]:
        raise ValidationError(f"A case that is {current} cannot be {wanted}; set it to open first.", code="not_open")


def refuse_schedule(status: str, next_review_at: date | None) -> None:
    """Raises ValidationError for a periodic review of a case that is not approved."""
    if next_review_at is not None and status != CaseStatus.APPROVED:
        raise ValidationError({"next_review_at": "Only an approved case can have a next review."})


def refuse_confirmation(status: str) -> None:
    """Raises ValidationError for the confirmation of a case that is not approved."""
    if status != CaseStatus.APPROVED:
        raise ValidationError("Only the approval of a case can be confirmed.", code="not_approved")


def is_decision(status: str, changed: Collection[str]) -> bool:
    """Whether a change of these columns, to this status, is one that a review makes."""
    return (status not in EDITABLE and "status" in changed) or (
        status == CaseStatus.APPROVED and "review_confirmed_at" in changed
    )


def refuse_risk(before: Any, risk: Any) -> None:
    """Raises ValidationError unless it is null or what the API shows as Risk."""
    if risk is None:
        return
    keys = {"id", "mode", "level", "comment", "score", "components", "flags", "created_at", "updated_at"}
    if not isinstance(risk, Mapping) or risk.keys() != keys:
        raise ValidationError({"risk": f"Give all of {', '.join(sorted(keys))}, and nothing else."})
    if not (_is_id(risk["id"]) and _is_moment(risk["created_at"]) and _is_moment(risk["updated_at"])):
        raise ValidationError({"risk": "The id is a UUID; created_at and updated_at are ISO 8601, with a time zone."})
    if risk["level"] not in RiskLevel.values or risk["mode"] not in RiskMode.values:
        raise ValidationError({"risk": f"Use a level of {', '.join(RiskLevel.values)}; mode automatic or manual."})
    if not (risk["comment"] is None or _is_text(risk["comment"])):
        raise ValidationError({"risk": "The comment is text or null."})
    if not (risk["score"] is None or _is_score(risk["score"])) or not _are(risk["components"], _is_score):
        raise ValidationError({"risk": "The score, and each component, is a number of at most 31 bits."})
    if not _are(risk["flags"], lambda flag: isinstance(flag, bool)):
        raise ValidationError({"risk": "Each flag is true or false."})


def refuse_portal(before: Json | None, now: Any, status: str) -> None:
    """Raises ValidationError unless it is null or a client portal; its contact waits, or goes on, only in a draft."""
    if now is not None and not _is_portal(now):
        raise ValidationError({"client_portal": "Give id, name, type (KYB or KYC) and wait_step_key, or null."})
    if wait_step(before) != wait_step(now) and status != CaseStatus.DRAFT:
        raise refused("client_portal", "Wait steps are triggered and completed while the case is a draft.", "not_draft")


def wait_step(portal: Json | None) -> str | None:
    """The step at which a contact waits."""
    return portal.get("wait_step_key") if portal else None


def refuse_metadata(before: Any, metadata: Any) -> None:
    """Raises ValidationError unless it is null, or text by key, and not too much."""
    if not _are(metadata, _is_text):
        raise ValidationError({"metadata": "Metadata is text by key, and nothing else."})
    if sentence := excess(before or {}, metadata or {}):
        raise refused("metadata", sentence, "too_large")


def refuse_properties(before: Any, properties: Any) -> None:
    """Raises ValidationError for custom properties that the API could not show, or too much of them."""
    if properties is None or not _are(properties, _is_property):
        raise refused("custom_properties", "By key: text, a number, true, false, a list of texts, or null.", "invalid")
    if sentence := excess(before or {}, properties):
        raise refused("custom_properties", sentence, "too_large")


def excess(before: Json, values: Json) -> str:
    """What a change adds too much of to metadata or custom properties, as a sentence; "" if they are small enough.

    What was there before may stay, and may go one by one, however much it is.
    """
    added = values.keys() - before.keys()
    if added and len(values) > MOST_MEMBERS:
        return f"At most {MOST_MEMBERS} keys; these are {len(values)}."
    if any(len(str(key)) > LONGEST_KEY for key in added):  # in Python a key may be a number; JSON makes it text
        return f"Use keys of at most {LONGEST_KEY} characters."
    for key, value in values.items():
        if key not in added and value == before[key]:
            continue
        texts = value if isinstance(value, list) else [value]
        if len(texts) > MOST_MEMBERS:
            return f"At most {MOST_MEMBERS} texts in a list; under “{key}” are {len(texts)}."
        if any(isinstance(text, str) and len(text) > LONGEST_TEXT for text in texts):
            return f"Use at most {LONGEST_TEXT:,} characters in a text; under “{key}” are more."
    return ""


OF_COLUMNS: Mapping[str, Callable[[Any, Any], None]] = {
    "metadata": refuse_metadata,
    "custom_properties": refuse_properties,
    "risk": refuse_risk,
}
"""What a column of a case may hold now, after what it held before, whatever is in the others."""


def _are(values: Any, fits: Callable[[Any], bool]) -> bool:
    """Null, or a mapping of values that fit."""
    return values is None or (isinstance(values, Mapping) and all(fits(value) for value in values.values()))


def _is_portal(value: Any) -> bool:
    if not isinstance(value, Mapping) or value.keys() != {"id", "name", "type", "wait_step_key"}:
        return False
    given = [value["name"], "-" if value["wait_step_key"] is None else value["wait_step_key"]]
    fits = value["type"] in PortalType.values and all(_is_text(text) and text for text in given)
    return fits and _is_id(value["id"])


def _is_moment(value: Any) -> bool:
    try:
        return isinstance(value, str) and "T" in value and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _is_id(value: Any) -> bool:
    try:
        return isinstance(value, str) and str(UUID(value)) == value
    except ValueError:
        return False


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_score(value: Any) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and SCORES[0] <= value <= SCORES[1]


def _is_property(value: Any) -> bool:
    if isinstance(value, list):
        return all(isinstance(item, str) for item in value)
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, (str, bool, int))

"""The risk of a case, as somebody or something assessed it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from cases.models import Case, RiskMode
from workspaces.identifiers import new_id
from workspaces.timestamps import iso

from .reviews import locked

Json = dict[str, Any]


@transaction.atomic
def assess_risk(
    case: Case,
    level: str,
    *,
    mode: str = RiskMode.MANUAL,
    score: float | None = None,
    components: Mapping[str, float] | None = None,
    flags: Mapping[str, bool] | None = None,
    comment: str | None = None,
) -> Case:
    """Writes the whole assessment. Raises ValidationError for what the API could not show."""
    current = locked(case)
    said = {"score": score, "components": components, "flags": flags, "comment": comment}
    current.risk = assessed(current.risk, {"mode": str(mode), "level": str(level), **said})
    current.save()
    return current


def assessed(before: Json | None, said: Mapping[str, Any]) -> Json:
    """Schema Risk: this assessment in place of the earlier one, which is given back when it says the same."""
    if before is not None and {**before, **said} == before:
        return before
    now = iso(timezone.now())
    unknown = {"score": None, "components": None, "flags": None, "comment": None}
    return {**unknown, "id": str(new_id()), "created_at": now, **(before or {}), **said, "updated_at": now}

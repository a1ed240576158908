"""What individuals and companies of a case may be: pure decisions, and sentences for refusals."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError

from workspaces.changes import Change
from workspaces.refusals import refused

from . import rules
from .choices import CompanyType

DELEGATES_OR_SIGNS = "An individual cannot be both delegator and signatory."
CAN_BE_REACHED = "A business contact or signatory needs an email."
DELEGATOR_IS_RELEVANT = "An individual who is not relevant cannot be delegator."
ONE_MAIN = "A case can have only one main company."
MAIN_IS_RELEVANT = "The main company is always relevant."
MAIN_FIRST = "Create the main company of the case first, then affiliated ones."
CASE_STAYS = "Individuals and companies keep their case; create them anew in another."
MAIN_STAYS = "The main company stays as long as the case has affiliated ones."

Values = Mapping[str, Any]


def refuse_move(before: Values | None) -> None:
    """What was told of them, and their checks, belong to their case."""
    if before is not None and "case_id" in before:
        raise ValidationError(CASE_STAYS, code="moved")


def refuse_properties(before: Values | None, now: Values) -> None:
    if before is None or "custom_properties" in before:
        rules.refuse_properties(before and before["custom_properties"], now["custom_properties"])


def refuse_individual(before: Values | None, now: Values) -> None:
    refuse_move(before)
    if now["is_delegator"] and now["is_signatory"]:
        raise ValidationError(DELEGATES_OR_SIGNS)
    if not now["email"] and (now["is_business_contact"] or now["is_signatory"]):
        raise ValidationError(CAN_BE_REACHED)
    if now["is_delegator"] and not now["is_relevant"]:
        raise ValidationError(DELEGATOR_IS_RELEVANT)
    refuse_properties(before, now)


def refuse_company(before: Values | None, now: Values) -> None:
    refuse_move(before)
    if now["type"] == CompanyType.MAIN and not now["is_relevant"]:
        raise ValidationError(MAIN_IS_RELEVANT)
    refuse_properties(before, now)


def refuse_types(changes: Sequence[Change], known: Iterable[Values]) -> None:
    """One main company in each case, and no affiliated one without it. `known` are those of the cases, before."""
    changed = {change.row.pk: change.row.stored() for change in changes}
    types: defaultdict[UUID, list[str]] = defaultdict(list)
    for row in (*(row for row in known if row["pk"] not in changed), *changed.values()):
        types[row["case_id"]].append(row["type"])
    for found in types.values():
        mains = found.count(CompanyType.MAIN)
        if mains > 1:
            raise ValidationError(ONE_MAIN, code="one_main")
        if not mains:
            raise refused("type", _without_main(changes), "no_main")


def _without_main(changes: Sequence[Change]) -> str:
    return MAIN_FIRST if all(change.before is None for change in changes) else MAIN_STAYS

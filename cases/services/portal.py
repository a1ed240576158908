"""The client portal of a case, and the steps at which its contact waits for the integrator."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction

from cases.models import Case, CaseStatus
from cases.models.rules import wait_step
from workspaces.identifiers import new_id
from workspaces.refusals import refused

from .reviews import locked

Json = dict[str, Any]


@transaction.atomic
def open_portal(case: Case, name: str, kind: str) -> Case:
    """Gives the case a client portal, of type KYB or KYC; one that it has gets the name and type."""
    current = locked(case)
    current.client_portal = portal_with(current.client_portal, name, kind, wait_step(current.client_portal))
    current.save()
    return current


@transaction.atomic
def trigger_wait_step(case: Case, key: str) -> Case:
    """The contact has come to this step and waits. Raises ValidationError unless a draft with a portal."""
    current = locked(case)
    if current.client_portal is None:
        raise refused("client_portal", "This case has no client portal.", "no_portal")
    current.client_portal = {**current.client_portal, "wait_step_key": key}
    current.save()
    return current


@transaction.atomic
def complete_wait_steps(case: Case, portal_id: UUID | str | None = None, key: str | None = None) -> list[str]:
    """Lets the contact go on: at any step, or at this one of this portal only. Gives the keys of what was completed.

    Raises ValidationError unless the case is a draft.
    """
    current = locked(case)
    if current.status != CaseStatus.DRAFT:
        raise ValidationError("Wait steps are completed while the case is a draft.", code="not_draft")
    portal, waiting = current.client_portal, wait_step(current.client_portal)
    if not portal or not waiting or str(portal_id or portal["id"]) != portal["id"] or (key or waiting) != waiting:
        return []
    current.client_portal = {**portal, "wait_step_key": None}
    current.save()
    return [waiting]


def portal_with(before: Json | None, name: str, kind: str, wait_step_key: str | None) -> Json:
    """Schema CaseClientPortal; the identifier stays."""
    key = before["id"] if before else str(new_id())
    return {"id": key, "name": name, "type": str(kind), "wait_step_key": wait_step_key}

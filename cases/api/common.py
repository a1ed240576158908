"""What cases and parties have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import Model, QuerySet
from rest_framework.exceptions import NotFound

from cases.models import Case
from workspaces.api.filtering import Filter, Time

NO_CASE = "No case can be found."

TIMES: Mapping[str, Filter] = {
    "created_at": Time("created_at"),
    "updated_at": Time("updated_at"),
    "last_activity_at": Time("updated_at"),
}


def find_case(rows: QuerySet[Case], name: str) -> Case:
    """The case with this id, else the one with this external_id. Raises 404."""
    found = _with_id(rows, name) or _with_external_id(rows, name)
    if found is None:
        raise NotFound(NO_CASE)
    return found


def _with_id(rows: QuerySet[Case], name: str) -> Case | None:
    try:
        return rows.filter(pk=UUID(name)).first()
    except ValueError:
        return None


def _with_external_id(rows: QuerySet[Case], name: str) -> Case | None:
    return rows.filter(external_id=name).first() if name.strip() and "\0" not in name else None


def update(instance: Model, data: Mapping[str, Any]) -> None:
    """Sets what was sent; save() writes what differs. The row is locked: parts of it were merged with what was sent."""
    for name, value in data.items():
        setattr(instance, name, value)
    instance.save()

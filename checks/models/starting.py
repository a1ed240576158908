"""How checks begin: one or many, whoever makes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import prefetch_related_objects

from cases.models import Case
from checks import data
from checks.choices import CheckType, EntityType
from workspaces.timestamps import iso

from .document_types import usable_types
from .rules import refuse_misfit

if TYPE_CHECKING:
    from .check import Check


def begin(checks: Sequence[Check]) -> None:
    """Fills in what checks that were never saved begin with, in a constant number of queries.

    What they have already stays. Raises ValidationError for a type that is not about such a subject, and for settings
    that are wrong or missing.
    """
    prefetch_related_objects(checks, "individual", "company")
    for check in checks:
        subject = check.subject
        if subject is None or (check.individual and check.company):
            raise ValidationError("A check is about exactly one individual or one company.")
        refuse_misfit(check.type, check.company is not None)
        check.case_id = subject.case_id
        _name_subtype(check)
        check.data = data.begun(check.type, _about(check), check.data)
    _embed_types([check for check in checks if check.type == CheckType.DOCUMENT])


def _about(check: Check) -> data.About:
    is_company, key = check.company is not None, check.subtype.partition(":")[2]
    return data.About(str(check.pk), iso(check.created_at), is_company, key, check.subject)


def _settings(check: Check) -> dict[str, Any]:
    """Those of its data, which are made where there are none."""
    check.data = check.data if isinstance(check.data, dict) else {}
    if not isinstance(check.data.get("settings"), dict):
        check.data = check.data | {"settings": {}}
    settings: dict[str, Any] = check.data["settings"]
    return settings


def _name_subtype(check: Check) -> None:
    """The key stands in the settings, and for lists and filters in columns; it may have been given as either."""
    if check.type not in data.KEYS:
        return
    name, prefix = data.KEYS[check.type]
    settings = _settings(check)
    key = settings.get(name) or check.document_type_key or check.subtype.removeprefix(prefix)
    check.data = check.data | {"settings": settings | {name: key}}
    check.subtype = f"{prefix}{key}" if key else ""
    check.document_type_key = str(key) if check.type == CheckType.DOCUMENT else ""


def _embed_types(checks: Sequence[Check]) -> None:
    """Whatever was given as the type: the workspace's own is taken."""
    if not checks:
        return
    workspaces = _workspaces([check.case_id for check in checks])
    wanted = [(workspaces[c.case_id], c.document_type_key, _entity(c)) for c in checks]
    types = usable_types(wanted, workspaces.keys())
    for check in checks:
        row = types[workspaces[check.case_id], check.document_type_key]
        check.data = check.data | {"settings": _settings(check) | {"document_type": data.shown_type(row)}}


def _entity(check: Check) -> str:
    return (EntityType.INDIVIDUAL if check.company is None else EntityType.COMPANY).value


def _workspaces(case_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    return dict(Case.objects.filter(pk__in=set(case_ids)).values_list("pk", "workspace_id"))

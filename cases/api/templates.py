"""/v1/templates. They are written in the admin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from django.db.models import Q, QuerySet

from cases.models import Template
from workspaces.api.filtering import Exact, Text, Time
from workspaces.api.views import Json, WorkspaceViewSet
from workspaces.timestamps import iso


@dataclass(frozen=True)
class AutoApproval(Exact):
    """Whether the cases of a template are approved without a review. Here none is."""

    @property
    def schema(self) -> dict[str, Any]:
        return {"type": "string", "enum": ["true", "false"]}

    def condition(self, operator: str, value: str) -> Q:
        if value not in ("true", "false"):
            raise ValueError("This must be true or false.")
        every = (value == "false") == (operator == "eq")
        return Q() if every else Q(pk__in=())


class TemplateViewSet(WorkspaceViewSet[Template]):
    model = Template
    workspace_lookup = "workspace"
    not_found = "No template can be found."
    shown = "CaseTemplate"
    filters: ClassVar = {
        "name": Text("name"),
        "key": Text("key"),
        "case_auto_approval": AutoApproval("case_auto_approval"),
        "created_at": Time("created_at"),
        "updated_at": Time("updated_at"),
    }
    sortable = ("created_at", "name", "updated_at")
    default_sort = "updated_at"

    def represent(self, rows: QuerySet[Template]) -> list[Json]:
        return [template(row) for row in rows]


def template(row: Template) -> Json:
    """Schema Template."""
    return {
        "id": str(row.pk),
        "name": row.name,
        "key": row.key,
        "description": row.description or None,
        "case_auto_approval": False,
        "created_at": iso(row.created_at),
        "updated_at": iso(row.updated_at),
    }

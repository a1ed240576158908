"""/v1/document_types."""

from __future__ import annotations

from typing import ClassVar

from django.db.models import QuerySet

from checks.data import shown_type
from checks.models import DocumentType
from checks.models.document_types import types_of
from workspaces.api.filtering import Text, Time
from workspaces.api.views import Json, WorkspaceViewSet


class DocumentTypeViewSet(WorkspaceViewSet[DocumentType]):
    """The list; the types are managed in the admin."""

    model = DocumentType
    shown = "DocumentType"
    workspace_lookup = "workspace"
    filters: ClassVar = {
        "label": Text("label"),
        "key": Text("key"),
        "created_at": Time("created_at"),
        "updated_at": Time("updated_at"),
    }
    sortable = ("created_at", "key", "label", "updated_at")
    default_sort = "created_at.desc"
    flags = ("include_archived",)

    def get_queryset(self) -> QuerySet[DocumentType]:
        rows = types_of(self.workspace.pk)
        return rows if self.flag("include_archived") else rows.filter(archived_at=None)

    def represent(self, rows: QuerySet[DocumentType]) -> list[Json]:
        return [shown_type(row) for row in rows.values()]

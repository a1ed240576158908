"""The admin of document types."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from checks.models import DocumentType, EntityType
from workspaces.forms import Words
from workspaces.typed import ModelAdmin, ModelForm


class DocumentTypeForm(ModelForm):
    target_entities = Words(EntityType.choices, required=True, help_text="Whom such a document is of.")


@admin.register(DocumentType)
class DocumentTypeAdmin(ModelAdmin):
    """Checks that were started keep the type as it was then."""

    form = DocumentTypeForm
    fields = ("workspace", "key", "label", "target_entities", "is_internal", "archived_at")
    list_display = ("label", "key", "target_entities", "is_internal", "archived_at", "workspace")
    list_filter = ("workspace", "is_internal")
    list_select_related = ("workspace",)
    search_fields = ("label", "key")
    autocomplete_fields = ("workspace",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Checks are found by the key of their type."""
        return () if obj is None else ("workspace", "key")

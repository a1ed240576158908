"""The admin of workspaces and people; that of API keys is beside it."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin

from .key_admin import ApiKeyAdmin
from .models import User, Workspace
from .typed import ModelAdmin

__all__ = ["ApiKeyAdmin", "WorkspaceAdmin"]

admin.site.register(User, UserAdmin)


@admin.register(Workspace)
class WorkspaceAdmin(ModelAdmin):
    list_display = ("name", "id", "created_at")
    search_fields = ("name", "id")
    filter_horizontal = ("members",)
    readonly_fields = ("id", "created_at", "updated_at")

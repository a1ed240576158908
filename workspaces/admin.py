"""The admin of workspaces, people and API keys."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers

from .models import ApiKey, User, Workspace
from .typed import ModelAdmin, ModelForm

admin.site.register(User, UserAdmin)


@admin.register(Workspace)
class WorkspaceAdmin(ModelAdmin):
    list_display = ("name", "id", "created_at")
    search_fields = ("name", "id")
    filter_horizontal = ("members",)
    readonly_fields = ("id", "created_at", "updated_at")


@admin.register(ApiKey)
class ApiKeyAdmin(ModelAdmin):
    """Keys are issued and revoked, never edited: their text is shown once, after creation."""

    list_display = ("name", "identifier", "workspace", "last_used_at", "expires_at", "revoked_at")
    list_filter = ("workspace",)
    search_fields = ("name", "identifier")
    fields: ClassVar = ["workspace", "name", "identifier", "expires_at", "last_used_at", "revoked_at", "created_at"]
    readonly_fields = ("identifier", "last_used_at", "revoked_at", "created_at")
    autocomplete_fields = ("workspace",)
    actions = ("revoke",)

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        return self.readonly_fields if obj is None else (*self.readonly_fields, "workspace")

    def save_model(self, request: HttpRequest, obj: ApiKey, form: ModelForm, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        issued, text = ApiKey.objects.issue(obj.workspace, obj.name, expires_at=obj.expires_at)
        obj.__dict__.update(issued.__dict__)
        obj.text = text

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:
        """The key itself, on this one page: a message would travel in a cookie."""
        context = {**self.admin_site.each_context(request), "opts": self.opts, "original": obj, "text": obj.text}
        shown = TemplateResponse(request, "workspaces/admin/issued.html", {**context, "title": "The new API key"})
        add_never_cache_headers(shown)
        return shown

    @admin.action(description="Revoke selected keys", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        count = queryset.filter(revoked_at=None).update(revoked_at=timezone.now())
        self.message_user(request, f"{count} key(s) revoked; they are refused from now on.")

"""The admin of cases. Verdicts are actions, because a status that is typed in would skip the review."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest

from workspaces.models import User
from workspaces.typed import ModelAdmin, ModelForm, TabularInline

from . import services
from .models import Case, CaseReview, CaseStatus, Company, Individual, ReviewerType, ReviewStatus, Tag, Template


class CaseForm(ModelForm):
    def clean_status(self) -> str:
        wanted: str = self.cleaned_data["status"]
        if wanted != self.initial.get("status") and wanted not in (CaseStatus.DRAFT, CaseStatus.OPEN):
            raise ValidationError(
                "Set a case to draft or open here; to approve, reject or close it, select it in the list and use the "
                "action of that name, which keeps a review."
            )
        return wanted

    def clean(self) -> dict[str, Any]:
        """Templates and tags are the workspace's own."""
        data = super().clean() or self.cleaned_data
        workspace_id = data["workspace"].pk if data.get("workspace") else self.instance.workspace_id
        template = data.get("template")
        if template and template.workspace_id != workspace_id:
            self.add_error("template", "This template belongs to another workspace.")
        if any(tag.workspace_id != workspace_id for tag in data.get("tags") or ()):
            self.add_error("tags", "A tag belongs to another workspace.")
        return data


class Listed(TabularInline):
    """Rows of the case, to look at; they are edited on a page of their own."""

    extra = 0
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class IndividualInline(Listed):
    model = Individual
    fields = ("first_name", "last_name", "roles", "is_relevant", "updated_at")
    readonly_fields = ("updated_at",)


class CompanyInline(Listed):
    model = Company
    fields = ("name", "type", "country", "status", "is_relevant", "updated_at")
    readonly_fields = ("updated_at",)


class ReviewInline(Listed):
    model = CaseReview
    show_change_link = False
    fields = ("status", "comment", "reviewer_type", "user", "reviewed_at", "next_review_at")


@admin.register(Case)
class CaseAdmin(ModelAdmin):
    form = CaseForm
    list_display = ("name", "status", "workspace", "external_id", "assignee", "updated_at")
    list_filter = ("status", "workspace", "tags")
    list_select_related = ("workspace", "assignee")
    search_fields = ("name", "external_id", "id")
    autocomplete_fields = ("assignee", "template", "tags")
    readonly_fields = ("id", "created_at", "updated_at")
    inlines: ClassVar = [IndividualInline, CompanyInline, ReviewInline]
    actions = ("approve", "reject", "close")

    def get_readonly_fields(self, request: HttpRequest, obj: Case | None = None) -> Any:
        return self.readonly_fields if obj is None else (*self.readonly_fields, "workspace")

    @admin.action(description="Approve selected cases")
    def approve(self, request: HttpRequest, queryset: QuerySet[Case]) -> None:
        self._review(request, queryset, ReviewStatus.APPROVED)

    @admin.action(description="Reject selected cases")
    def reject(self, request: HttpRequest, queryset: QuerySet[Case]) -> None:
        self._review(request, queryset, ReviewStatus.REJECTED)

    @admin.action(description="Close selected cases")
    def close(self, request: HttpRequest, queryset: QuerySet[Case]) -> None:
        self._review(request, queryset, ReviewStatus.CLOSED)

    def _review(self, request: HttpRequest, cases: QuerySet[Case], status: str) -> None:
        user = request.user if isinstance(request.user, User) else None
        done = 0
        for case in cases.order_by("pk"):
            try:
                services.review_case(case, status, reviewer_type=ReviewerType.USER, user=user)
                done += 1
            except ValidationError as error:
                self.message_user(request, f"{case}: {' '.join(error.messages)}", messages.ERROR)
        if done:
            self.message_user(request, f"{done} case(s) {status}.", messages.SUCCESS)


class PartyAdmin(ModelAdmin):
    autocomplete_fields = ("case",)
    readonly_fields = ("id", "created_at", "updated_at")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.readonly_fields if obj is None else (*self.readonly_fields, "case")


@admin.register(Individual)
class IndividualAdmin(PartyAdmin):
    list_display = ("first_name", "last_name", "case", "roles", "is_relevant", "updated_at")
    list_filter = ("is_relevant", "case__workspace")
    list_select_related = ("case",)
    search_fields = ("first_name", "last_name", "email", "id")


@admin.register(Company)
class CompanyAdmin(PartyAdmin):
    list_display = ("name", "type", "case", "country", "status", "is_relevant", "updated_at")
    list_filter = ("type", "status", "is_relevant", "case__workspace")
    list_select_related = ("case",)
    search_fields = ("name", "registration_number", "id")


@admin.register(Tag)
class TagAdmin(ModelAdmin):
    list_display = ("label", "workspace")
    list_filter = ("workspace",)
    search_fields = ("label",)


@admin.register(Template)
class TemplateAdmin(ModelAdmin):
    list_display = ("name", "key", "workspace")
    list_filter = ("workspace",)
    search_fields = ("name", "key")

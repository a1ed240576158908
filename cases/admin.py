"""The admin of cases. Verdicts are actions, because a status that is typed in would skip the review."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from workspaces.editing import EditingAdmin
from workspaces.models import User
from workspaces.typed import ModelAdmin, ModelForm, TabularInline
from workspaces.verdicts import VerdictAdmin

from . import services
from .forms import CaseForm, CompanyForm, IndividualForm, WrittenForm
from .models import Case, CaseReview, Company, Individual, Note, NoteComment, ReviewerType, ReviewStatus, Tag, Template
from .models.notes import COMMENTS_PER_NOTE
from .models.rules import DERIVED_FLAGS

ACTIONS = {"approve": ReviewStatus.APPROVED, "reject": ReviewStatus.REJECTED, "close": ReviewStatus.CLOSED}


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


class NoteInline(Listed):
    model = Note
    fields = ("created_at", "author", "author_type")
    readonly_fields = fields


@admin.register(Case)
class CaseAdmin(VerdictAdmin):
    form = CaseForm
    list_display = ("name", "status", "workspace", "external_id", "assignee", "updated_at")
    list_filter = ("status", "workspace", "tags")
    list_select_related = ("workspace", "assignee")
    search_fields = ("name", "external_id", "id")
    autocomplete_fields = ("assignee", "template", "tags")
    readonly_fields = ("derived_flags", "review_due_at", "id", "created_at", "updated_at")
    inlines: ClassVar = [IndividualInline, CompanyInline, ReviewInline, NoteInline]
    actions = ("approve", "reject", "close")

    def get_readonly_fields(self, request: HttpRequest, obj: Case | None = None) -> Any:
        return self.readonly_fields if obj is None else (*self.readonly_fields, "workspace")

    @admin.display(description="flags that follow from the checks")
    def derived_flags(self, row: Case) -> str:
        return ", ".join(flag for flag in row.flags if flag in DERIVED_FLAGS) or "none"

    def verdicts(self, row: Case) -> list[str]:
        possible = services.DECISIONS[row.status]
        return [name for name, s in ACTIONS.items() if s in possible or services.confirms(row, s)]

    @admin.action(description="Approve selected cases", permissions=["change"])
    def approve(self, request: HttpRequest, queryset: QuerySet[Case]) -> HttpResponse | None:
        return self._review(request, queryset, ReviewStatus.APPROVED)

    @admin.action(description="Reject selected cases", permissions=["change"])
    def reject(self, request: HttpRequest, queryset: QuerySet[Case]) -> HttpResponse | None:
        return self._review(request, queryset, ReviewStatus.REJECTED)

    @admin.action(description="Close selected cases", permissions=["change"])
    def close(self, request: HttpRequest, queryset: QuerySet[Case]) -> HttpResponse | None:
        return self._review(request, queryset, ReviewStatus.CLOSED)

    def _review(self, request: HttpRequest, cases: QuerySet[Case], status: str) -> HttpResponse | None:
        def review(case: Case, user: User | None) -> None:
            services.review_case(case, status, reviewer_type=ReviewerType.USER, user=user)

        return self.decide(request, cases, review, status)


class PartyAdmin(EditingAdmin):
    autocomplete_fields = ("case",)
    readonly_fields = ("id", "created_at", "updated_at")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.readonly_fields if obj is None else (*self.readonly_fields, "case")


@admin.register(Individual)
class IndividualAdmin(PartyAdmin):
    form = IndividualForm
    list_display = ("first_name", "last_name", "case", "roles", "is_relevant", "updated_at")
    list_filter = ("is_relevant", "case__workspace")
    list_select_related = ("case",)
    search_fields = ("first_name", "last_name", "email", "id")


@admin.register(Company)
class CompanyAdmin(PartyAdmin):
    form = CompanyForm
    list_display = ("name", "type", "case", "country", "status", "is_relevant", "updated_at")
    list_filter = ("type", "status", "is_relevant", "case__workspace")
    list_select_related = ("case",)
    search_fields = ("name", "registration_number", "id")


class CommentInline(TabularInline):
    model = NoteComment
    form = WrittenForm
    fields = ("content", "author", "author_type", "created_at")
    readonly_fields = ("author", "author_type", "created_at")
    extra = 0
    max_num = COMMENTS_PER_NOTE

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        return super().get_formset(request, obj, **{**kwargs, "validate_max": True})


@admin.register(Note)
class NoteAdmin(EditingAdmin):
    """Content is HTML that anybody may have written: it is shown as text, for editing."""

    form = WrittenForm
    list_display = ("__str__", "case", "author", "author_type", "updated_at")
    list_filter = ("author_type", "case__workspace")
    list_select_related = ("case", "author")
    search_fields = ("id", "case__name")
    autocomplete_fields = ("case",)
    readonly_fields = ("author", "author_type", "id", "created_at", "updated_at")
    inlines: ClassVar = [CommentInline]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.readonly_fields if obj is None else (*self.readonly_fields, "case")

    def save_model(self, request: HttpRequest, obj: Note, form: ModelForm, change: bool) -> None:
        if not change:
            obj.author_id = request.user.pk
        super().save_model(request, obj, form, change)

    def save_formset(self, request: HttpRequest, form: ModelForm, formset: Any, change: bool) -> None:
        for added in formset.extra_forms:
            added.instance.author_id = request.user.pk
        super().save_formset(request, form, formset, change)


class OwnedAdmin(ModelAdmin):
    """Rows that stay in their workspace: cases of it may use them."""

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.readonly_fields if obj is None else (*self.readonly_fields, "workspace")


@admin.register(Tag)
class TagAdmin(OwnedAdmin):
    list_display = ("label", "workspace")
    list_filter = ("workspace",)
    search_fields = ("label",)


@admin.register(Template)
class TemplateAdmin(OwnedAdmin):
    list_display = ("name", "key", "workspace")
    list_filter = ("workspace",)
    search_fields = ("name", "key")

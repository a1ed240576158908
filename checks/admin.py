"""The admin of checks. Verdicts are actions, because a status that is typed in would skip the review."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest

from cases.models import ReviewerType
from workspaces.models import User
from workspaces.typed import ModelAdmin, ModelForm

from . import services
from .models import Check, CheckStatus


class CheckForm(ModelForm):
    key = forms.CharField(
        required=False, max_length=200, help_text="Of the document type or template; for those two types of checks."
    )

    def clean_status(self) -> str:
        wanted: str = self.cleaned_data["status"]
        if wanted != self.initial.get("status") and wanted in services.DECIDED:
            raise ValidationError(
                "To approve or reject a check, select it in the list and use the action of that name, which keeps "
                "a review."
            )
        return wanted

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("type") in services.SUBTYPES and not data.get("key") and self.instance._state.adding:
            self.add_error("key", "Say which document this check is about.")
        return data


@admin.register(Check)
class CheckAdmin(ModelAdmin):
    form = CheckForm
    list_display = ("id", "type", "status", "individual", "company", "case", "updated_at")
    list_filter = ("status", "type", "is_internal", "case__workspace")
    list_select_related = ("individual", "company", "case")
    search_fields = ("id", "case__name", "individual__last_name", "company__name")
    autocomplete_fields = ("individual", "company")
    readonly_fields = ("id", "case", "subtype", "document_type_key", "created_at", "updated_at")
    actions = ("approve", "reject")

    def get_readonly_fields(self, request: HttpRequest, obj: Check | None = None) -> Any:
        fixed = ("type", "individual", "company")
        return self.readonly_fields if obj is None else (*self.readonly_fields, *fixed)

    def get_fields(self, request: HttpRequest, obj: Check | None = None) -> Any:
        new = ("type", "individual", "company", "is_internal")
        return (*new, "key") if obj is None else (*new, "status", "data", *self.readonly_fields)

    def save_model(self, request: HttpRequest, obj: Check, form: ModelForm, change: bool) -> None:
        if not change:
            key = services.SUBTYPES.get(obj.type, ("", ""))[0]
            services.describe(obj, {key: form.cleaned_data["key"]} if key else {})
        super().save_model(request, obj, form, change)

    @admin.action(description="Approve selected checks")
    def approve(self, request: HttpRequest, queryset: QuerySet[Check]) -> None:
        self._review(request, queryset, "approve", CheckStatus.APPROVED)

    @admin.action(description="Reject selected checks")
    def reject(self, request: HttpRequest, queryset: QuerySet[Check]) -> None:
        self._review(request, queryset, "reject", CheckStatus.REJECTED)

    def _review(self, request: HttpRequest, checks: QuerySet[Check], action: str, status: CheckStatus) -> None:
        user = request.user if isinstance(request.user, User) else None
        done = 0
        for check in checks.order_by("pk"):
            try:
                # An earlier verdict may be changed here, but not repeated.
                override = check.status in services.DECIDED and check.status != status
                services.review_check(check, action, reviewer_type=ReviewerType.USER, user=user, override=override)
                done += 1
            except ValidationError as error:
                self.message_user(request, f"{check}: {' '.join(error.messages)}", messages.ERROR)
        if done:
            self.message_user(request, f"{done} check(s) {status}.", messages.SUCCESS)

"""The admin of checks. Verdicts are actions, because a status that is typed in would skip the review."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.html import format_html

from cases.models import ReviewerType
from workspaces.models import User
from workspaces.typed import ModelForm
from workspaces.verdicts import VerdictAdmin

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
                "To approve or reject a check, use the button or the action of that name, which keeps a review."
            )
        return wanted

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("type") in services.SUBTYPES and not data.get("key") and self.instance._state.adding:
            self.add_error("key", "Say which document this check is about.")
        return data


@admin.register(Check)
class CheckAdmin(VerdictAdmin):
    change_form_template = "checks/admin/check.html"
    form = CheckForm
    list_display = ("id", "type", "status", "individual", "company", "case", "updated_at")
    list_filter = ("status", "type", "is_internal", "case__workspace")
    list_select_related = ("individual", "company", "case")
    search_fields = ("id", "case__name", "individual__last_name", "company__name")
    autocomplete_fields = ("individual", "company")
    readonly_fields = ("shown_data", "id", "case", "subtype", "document_type_key", "created_at", "updated_at")
    actions = ("approve", "reject")

    def get_readonly_fields(self, request: HttpRequest, obj: Check | None = None) -> Any:
        fixed = ("type", "individual", "company")
        return self.readonly_fields if obj is None else (*self.readonly_fields, *fixed)

    def get_fields(self, request: HttpRequest, obj: Check | None = None) -> Any:
        new = ("type", "individual", "company", "is_internal")
        return (*new, "key") if obj is None else (*new, "status", *self.readonly_fields)

    def save_model(self, request: HttpRequest, obj: Check, form: ModelForm, change: bool) -> None:
        if not change:
            key = services.SUBTYPES.get(obj.type, ("", ""))[0]
            services.describe(obj, {key: form.cleaned_data["key"]} if key else {})
        super().save_model(request, obj, form, change)

    @admin.display(description="data")
    def shown_data(self, row: Check) -> str:
        text = json.dumps(row.data, indent=2, ensure_ascii=False)
        return format_html('<details><summary>As JSON</summary><pre class="text">{}</pre></details>', text)

    def verdicts(self, row: Check) -> list[str]:
        try:
            services.refuse_review(row, override=True)
        except ValidationError:
            return []
        return [name for name, status in services.VERDICTS.items() if status != row.status]

    @admin.action(description="Approve selected checks", permissions=["change"])
    def approve(self, request: HttpRequest, queryset: QuerySet[Check]) -> HttpResponse | None:
        return self._review(request, queryset, "approve", CheckStatus.APPROVED)

    @admin.action(description="Reject selected checks", permissions=["change"])
    def reject(self, request: HttpRequest, queryset: QuerySet[Check]) -> HttpResponse | None:
        return self._review(request, queryset, "reject", CheckStatus.REJECTED)

    def _review(
        self, request: HttpRequest, checks: QuerySet[Check], action: str, status: CheckStatus
    ) -> HttpResponse | None:
        def review(check: Check, user: User | None) -> None:
            # An earlier verdict may be changed here, but not repeated.
            override = check.status in services.DECIDED and check.status != status
            services.review_check(check, action, reviewer_type=ReviewerType.USER, user=user, override=override)

        return self.decide(request, checks, review, status)

    # --- Hits of AML checks -------------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        reviewed = self.admin_site.admin_view(self.review_hits)
        return [path("<uuid:pk>/hits/", reviewed, name="checks_check_hits"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        shown = {
            "hits": row.data.get("hits", []) if row else [],
            "may_review_hits": self.has_change_permission(request, row),
        }
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **shown})

    def review_hits(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Confirms or ignores the hits that were ticked on the page of the check."""
        row = self.get_object(request, str(pk))
        if row is None or request.method != "POST":
            raise Http404
        if not self.has_change_permission(request, row):
            raise PermissionDenied
        try:
            count = self._review_hits(request, row)
            self.message_user(request, f"{count} hit(s) reviewed.", messages.SUCCESS)
        except ValidationError as error:
            self.message_user(request, " ".join(error.messages), messages.ERROR)
        return redirect("admin:checks_check_change", row.pk)

    def _review_hits(self, request: HttpRequest, row: Check) -> int:
        ticked, action = request.POST.getlist("hit"), request.POST.get("verdict", "")
        if not ticked or action not in services.HIT_VERDICTS:
            raise ValidationError("Tick the hits first, then confirm or ignore them.")
        user = request.user if isinstance(request.user, User) else None
        comment = request.POST.get("comment", "").replace("\0", "").strip()
        services.review_hits(row, ticked, action, reviewer_type=ReviewerType.USER, user=user, comment=comment)
        self.log_change(request, row, f"Reviewed {len(ticked)} hit(s): {action}.")
        return len(ticked)

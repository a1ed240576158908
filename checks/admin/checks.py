"""The admin of checks. Verdicts are actions, because a status that is typed in would skip the review."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.safestring import SafeString

from cases.models import ReviewerType
from checks import services
from checks.documents.admin import DocumentInline
from checks.models import DECIDED, Check, CheckStatus, CheckType
from checks.projection import whole_data
from workspaces.models import User
from workspaces.verdicts import VerdictAdmin

from . import showing, vendors
from .forms import CheckForm, StartForm

# What a button does on a check that is decided already: it says what it changes.
AFTER_ALL = "_after_all"


@admin.register(Check)
class CheckAdmin(VerdictAdmin):
    change_form_template = "checks/admin/check.html"
    list_display = ("id", "type", "status", "individual", "company", "case", "expires_at", "updated_at")
    list_filter = ("status", "type", "is_internal", "case__workspace")
    list_select_related = ("individual", "company", "case")
    search_fields = ("id", "case__name", "individual__last_name", "company__name")
    autocomplete_fields = ("individual", "company")
    readonly_fields = ("shown_data", "id", "case", "subtype", "document_type_key", "created_at", "updated_at")
    actions = (
        "approve",
        "reject",
        "approve_after_all",
        "reject_after_all",
        "force_review",
        "start_monitoring",
        "stop_monitoring",
    )

    def get_inlines(self, request: HttpRequest, obj: Check | None = None) -> Any:
        return [DocumentInline] if obj is not None and obj.type == CheckType.DOCUMENT else []

    def get_readonly_fields(self, request: HttpRequest, obj: Check | None = None) -> Any:
        fixed = ("type", "individual", "company")
        return self.readonly_fields if obj is None else (*self.readonly_fields, *fixed)

    def get_fields(self, request: HttpRequest, obj: Check | None = None) -> Any:
        new = ("type", "individual", "company", "is_internal")
        return (*new, "key", "settings") if obj is None else (*new, "status", "expires_at", *self.readonly_fields)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, **{"form": CheckForm if change else StartForm, **kwargs})

    @admin.display(description="data")
    def shown_data(self, row: Check) -> SafeString:
        return showing.as_page(whole_data(row.stored()))

    def verdicts(self, row: Check) -> list[str]:
        return [*self._reviews(row), *self._measures(row)]

    def _reviews(self, row: Check) -> list[str]:
        try:
            services.refuse_review(row, override=True)
        except ValidationError:
            return []
        suffix = AFTER_ALL if row.status in DECIDED else ""
        return [f"{name}{suffix}" for name, status in services.VERDICTS.items() if status != row.status]

    def _measures(self, row: Check) -> list[str]:
        monitored = services.is_monitored(row)
        offered = [] if monitored is None else ["stop_monitoring" if monitored else "start_monitoring"]
        try:
            services.refuse_force(row)
        except ValidationError:
            return offered
        return offered if row.status == CheckStatus.NEED_REVIEW else ["force_review", *offered]

    @admin.action(description="Approve selected checks", permissions=["change"])
    def approve(self, request: HttpRequest, queryset: QuerySet[Check]) -> HttpResponse | None:
        return self._review(request, queryset, "approve")

    @admin.action(description="Reject selected checks", permissions=["change"])
    def reject(self, request: HttpRequest, queryset: QuerySet[Check]) -> HttpResponse | None:
        return self._review(request, queryset, "reject")

    @admin.action(description="Approve selected checks, also those that were rejected", permissions=["change"])
    def approve_after_all(self, request: HttpRequest, queryset: QuerySet[Check]) -> HttpResponse | None:
        return self._review(request, queryset, "approve", override=True)

    @admin.action(description="Reject selected checks, also those that were approved", permissions=["change"])
    def reject_after_all(self, request: HttpRequest, queryset: QuerySet[Check]) -> HttpResponse | None:
        return self._review(request, queryset, "reject", override=True)

    def _review(
        self, request: HttpRequest, checks: QuerySet[Check], action: str, override: bool = False
    ) -> HttpResponse | None:
        status = services.VERDICTS[action]

        def review(check: Check, user: User | None) -> None:
            # An earlier verdict may be changed, but not repeated.
            over = override and check.status != status
            services.review_check(check, action, reviewer_type=ReviewerType.USER, user=user, override=over)

        return self.decide(request, checks, review, status)

    @admin.action(description="Force the review of selected documents", permissions=["change"])
    def force_review(self, request: HttpRequest, queryset: QuerySet[Check]) -> HttpResponse | None:
        return self._do(request, queryset, services.force_review, "up for review")

    @admin.action(description="Start monitoring selected checks", permissions=["change"])
    def start_monitoring(self, request: HttpRequest, queryset: QuerySet[Check]) -> HttpResponse | None:
        return self._do(request, queryset, lambda check: services.set_monitoring(check, True), "monitored")

    @admin.action(description="Stop monitoring selected checks", permissions=["change"])
    def stop_monitoring(self, request: HttpRequest, queryset: QuerySet[Check]) -> HttpResponse | None:
        return self._do(request, queryset, lambda check: services.set_monitoring(check, False), "no longer monitored")

    def _do(
        self, request: HttpRequest, checks: QuerySet[Check], step: Callable[[Check], object], done: str
    ) -> HttpResponse | None:
        return self.decide(request, checks, lambda check, user: step(check), done)

    # --- Forms of their own on the page of a check --------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path("<uuid:pk>/hits/", wrap(self.review_hits), name="checks_check_hits"),
            path("<uuid:pk>/answer/", wrap(self.record_answer), name="checks_check_answer"),
        ]
        return [*own, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        may = row is not None and self.has_change_permission(request, row)
        shown = {
            "hits": whole_data(row.stored()).get("hits", []) if row else [],
            "may_review_hits": may,
            "answers": vendors.answers(row) if row and may else {},
        }
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **shown})

    def review_hits(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Confirms or ignores the hits that were ticked."""
        return self._posted(request, pk, self._review_hits)

    def record_answer(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """What a vendor says."""
        return self._posted(request, pk, self._record_answer)

    def _posted(self, request: HttpRequest, pk: Any, act: Callable[[HttpRequest, Check], str]) -> HttpResponse:
        row = self.get_object(request, str(pk))
        if row is None or request.method != "POST":
            raise Http404
        if not self.has_change_permission(request, row):
            raise PermissionDenied
        try:
            self.message_user(request, act(request, row), messages.SUCCESS)
        except ValidationError as error:
            self.message_user(request, " ".join(error.messages), messages.ERROR)
        return redirect("admin:checks_check_change", row.pk)

    def _review_hits(self, request: HttpRequest, row: Check) -> str:
        ticked, action = request.POST.getlist("hit"), request.POST.get("verdict", "")
        if not ticked or action not in services.HIT_VERDICTS:
            raise ValidationError("Tick the hits first, then confirm or ignore them.")
        user = request.user if isinstance(request.user, User) else None
        comment = request.POST.get("comment", "").replace("\0", "").strip()
        services.review_hits(row, ticked, action, reviewer_type=ReviewerType.USER, user=user, comment=comment)
        self.log_change(request, row, f"Reviewed {len(ticked)} hit(s): {action}.")
        return f"{len(ticked)} hit(s) reviewed."

    def _record_answer(self, request: HttpRequest, row: Check) -> str:
        check = vendors.say(row, request.POST.dict())
        self.log_change(request, row, f"Recorded what the vendor said: {check.status}.")
        return f"Recorded. The check is {check.get_status_display().lower()}."

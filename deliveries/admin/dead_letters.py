"""The admin of dead letters: what finally failed or is held, why, since when; to be retried."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from deliveries.models import Attempt, DeadLetter, Delivery
from workspaces.identifiers import made_at

from .base import REASONS, link, moment, state_badge
from .deliveries import DeliveryRows
from .filters import NameFilter, SubscriptionFilter

State = Delivery.State
OF = {State.FAILED: ("retries_used_up", "gone", "skipped", "subscription_deleted", "expired"), State.HELD: ("offline",)}


class StandingFilter(admin.SimpleListFilter):
    """One or the other: the index that finds them is ordered within each."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("failed", "Finally failed"), ("held", "Held")]

    def choices(self, changelist: Any) -> Iterator[Any]:
        for value, title in self.lookup_choices:
            address = changelist.get_query_string({self.parameter_name: value}, ["reason"])
            yield {"selected": value == (self.value() or "failed"), "query_string": address, "display": title}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(state=State.HELD if self.value() == "held" else State.FAILED)


class ReasonFilter(admin.SimpleListFilter):
    title = "reason"
    parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        reasons = OF[State.HELD if request.GET.get("state") == "held" else State.FAILED]
        return [(reason, REASONS[reason].capitalize()) for reason in reasons]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(reason=self.value()) if self.value() else queryset


@admin.register(DeadLetter)
class DeadLetterAdmin(DeliveryRows):
    list_display = ("event_label", "subscription_label", "why", "last_error", "since", "attempts")
    list_display_links = None
    list_filter = (StandingFilter, ReasonFilter, SubscriptionFilter, NameFilter)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        return super().get_queryset(request).filter(state__in=list(OF))

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """What went wrong last is asked once for all rows of a page."""
        changes: Any = super().get_changelist_instance(request)
        changes.result_list = list(changes.result_list)
        latest = Attempt.objects.of([row.pk for row in changes.result_list]).order_by("delivery_id", "-started_at")
        errors = dict(latest.distinct("delivery_id").values_list("delivery_id", "error"))
        for row in changes.result_list:
            row.error = errors.get(row.pk, "")
        return changes

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """A delivery has one page."""
        return HttpResponseRedirect(reverse("admin:deliveries_delivery_change", args=[object_id]))

    @admin.display(description="event", ordering="event_name")
    def event_label(self, row: Delivery) -> SafeString:
        return link(Delivery(pk=row.pk), super().event_label(row))

    @admin.display(description="why", ordering="reason")
    def why(self, row: Delivery) -> SafeString:
        return state_badge(row)

    @admin.display(description="last answer")
    def last_error(self, row: Any) -> str:
        return self.status(row) if row.status_code else row.error.replace("_", " ") or self.status(row)

    @admin.display(description="since", ordering="last_attempt_at")
    def since(self, row: Delivery) -> SafeString:
        """And when it is removed for its age."""
        expires = made_at(row.pk) + timedelta(days=settings.RETENTION_DAYS)
        last = moment(row.last_attempt_at) if row.last_attempt_at else "never tried"
        return format_html("{}<br>expires {}", last, f"{timezone.localtime(expires):%Y-%m-%d}")

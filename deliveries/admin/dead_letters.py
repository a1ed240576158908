"""The admin of dead letters: what finally failed or is held, why, since when; to be retried."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import SafeString

from deliveries.models import Attempt, DeadLetter, Delivery

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
        latest = Attempt.objects.filter(delivery=OuterRef("pk")).order_by("-started_at").values("error")[:1]
        rows = super().get_queryset(request).filter(state__in=list(OF))
        return rows.annotate(error=Subquery(latest))

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
        return self.status(row) if row.status_code else (row.error or "").replace("_", " ") or self.status(row)

    @admin.display(description="since", ordering="last_attempt_at")
    def since(self, row: Delivery) -> str:
        return moment(row.last_attempt_at) if row.last_attempt_at else "never tried"

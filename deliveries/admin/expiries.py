"""The admin of expiries: what was removed for its age and had not been delivered."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Prefetch, QuerySet, Sum
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from deliveries.models import Expiry, Subscription
from workspaces.models import Workspace

from .base import DASH, REASONS, ExactSearch, ReadOnly, badge, link, moment
from .filters import SubscriptionFilter

KINDS = {
    Expiry.State.PENDING: ("waiting", "waiting"),
    Expiry.State.FAILED: ("bad", "failed"),
    Expiry.State.HELD: ("quiet", "held"),
    Expiry.State.BLOCKED: ("quiet", "blocked"),
    Expiry.State.UNBUILT: ("bad", "never built"),
    Expiry.State.UNBUILDABLE: ("bad", "could not be built"),
}


class ReasonFilter(admin.SimpleListFilter):
    title = "reason"
    parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(reason, text.capitalize()) for reason, text in REASONS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(reason=self.value()) if self.value() else queryset


@admin.register(Expiry)
class ExpiryAdmin(ReadOnly, ExactSearch):
    list_display = ("removed", "workspace_label", "subscription_label", "count", "left", "days")
    list_filter = ("state", ReasonFilter, SubscriptionFilter)
    date_hierarchy = "day"
    ordering = ("-day", "-id")
    search_help_text = "The whole identifier of a subscription or a workspace."
    fields = (("workspace_label", "subscription_label"), ("count", "left"), "first", "last", "expired")
    readonly_fields = ("workspace_label", "subscription_label", "count", "left", "first", "last", "expired")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Expiry]:
        """Two more queries for all rows; joins would lose what outlived its workspace or subscription."""
        owners = Prefetch("subscription", Subscription.objects.only("id", "name", "url"))
        return super().get_queryset(request).prefetch_related(owners, "workspace")

    def related_to(self, queryset: QuerySet[Expiry], key: UUID) -> QuerySet[Expiry]:
        of_subscription = queryset.filter(subscription_id=key)
        return of_subscription if of_subscription.exists() else queryset.filter(workspace_id=key)

    @admin.display(description="workspace")
    def workspace_label(self, row: Expiry) -> str:
        try:
            return str(row.workspace)
        except Workspace.DoesNotExist:
            return "deleted"

    @admin.display(description="subscription")
    def subscription_label(self, row: Expiry) -> str:
        if row.subscription_id is None:
            return DASH
        return link(row.subscription) if row.subscription else "deleted"

    @admin.display(description="was", ordering="state")
    def left(self, row: Expiry) -> SafeString:
        reason = REASONS.get(row.reason, row.reason.replace("_", " "))
        return format_html("{} {}", badge(*KINDS[Expiry.State(row.state)]), reason)

    @admin.display(description="removed", ordering="day")
    def removed(self, row: Expiry) -> str:
        return row.day.isoformat()

    @admin.display(description="how many", ordering="number")
    def count(self, row: Expiry) -> str:
        return f"{row.number:,}"

    @admin.display(description="recorded", ordering="oldest")
    def days(self, row: Expiry) -> SafeString:
        """Of the events; on its own page to the second."""
        begin, end = self.first(row)[:10], self.last(row)[:10]
        return format_html('<span class="nowrap">{}<br>to {}</span>', begin, end)

    @admin.display(description="first event recorded")
    def first(self, row: Expiry) -> str:
        return moment(row.oldest)

    @admin.display(description="last event recorded")
    def last(self, row: Expiry) -> str:
        return moment(row.newest)

    @admin.display(description="removed")
    def expired(self, row: Expiry) -> str:
        return moment(row.expired_at)


def total(subscription_id: str) -> int:
    """How many deliveries of a subscription have expired undelivered."""
    try:
        rows = Expiry.objects.filter(subscription_id=UUID(subscription_id))
    except ValueError:
        return 0
    return rows.aggregate(total=Sum("number"))["total"] or 0

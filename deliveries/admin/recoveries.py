"""The admin of recoveries: how far each job is, what it waits for, and how to cancel it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from deliveries import recovery
from deliveries.models import Recovery

from .base import DASH, ExactSearch, ReadOnly, badge, moment, progress_bar
from .filters import SubscriptionFilter
from .lanes import SECRETS

KINDS = {Recovery.State.RUNNING: "waiting", Recovery.State.DONE: "good", Recovery.State.CANCELLED: "quiet"}


@admin.register(Recovery)
class RecoveryAdmin(ReadOnly, ExactSearch):
    list_display = ("started", "subscription", "range", "standing", "progress", "requested_by")
    list_filter = ("state", SubscriptionFilter)
    list_select_related = ("subscription",)
    ordering = ("-id",)
    search_help_text = "The whole identifier of a recovery or a subscription."
    readonly_fields = (
        *("id", "subscription", "range", "held_only", "standing", "progress", "reached", "requested_by"),
        *("started", "finished"),
    )
    fields = (
        *("id", "subscription", ("range", "held_only"), "standing", ("progress", "reached"), "requested_by"),
        ("started", "finished"),
    )
    actions = ("cancel",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Recovery]:
        return super().get_queryset(request).select_related("subscription").defer(*SECRETS)

    def related_to(self, queryset: QuerySet[Recovery], key: UUID) -> QuerySet[Recovery]:
        return queryset.filter(subscription_id=key)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """What the jobs of a page wait for is asked once for all."""
        changes: Any = super().get_changelist_instance(request)
        changes.result_list = list(changes.result_list)
        waits = recovery.waits_for(changes.result_list)
        for row in changes.result_list:
            row.waits_for = waits.get(row.pk, "")
        return changes

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "change")

    @admin.action(description="Cancel selected recoveries", permissions=["cancel"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Recovery]) -> None:
        done = [row.pk for row in queryset if recovery.cancel(row)]
        self.log_each(request, done, "Cancelled.")
        level = messages.SUCCESS if done else messages.WARNING
        said = (
            f"Cancelled: {len(done)}. What they made due already is still sent." if done else "None of them is running."
        )
        self.message_user(request, said, level)

    @admin.display(description="started", ordering="id")
    def started(self, row: Recovery) -> str:
        return moment(row.created_at)

    @admin.display(description="ended")
    def finished(self, row: Recovery) -> str:
        return moment(row.finished_at)

    @admin.display(description="events recorded")
    def range(self, row: Recovery) -> str:
        return f"{moment(row.since)} to {moment(row.until)}"

    @admin.display(description="state", ordering="state")
    def standing(self, row: Any) -> SafeString:
        if not hasattr(row, "waits_for"):
            row.waits_for = recovery.waits_for([row]).get(row.pk, "")
        word = badge(KINDS[Recovery.State(row.state)], row.get_state_display().lower())
        return format_html("{} {}", word, recovery.WAITS.get(row.waits_for, ""))

    @admin.display(description="made due")
    def progress(self, row: Recovery) -> SafeString:
        total = "?" if row.total is None else f"{row.total:,}"
        pace = f"{row.recovered:,} of {total}, {row.rate:g} a second"
        return format_html("{}<br>{}", progress_bar(recovery.share(row)), pace)

    @admin.display(description="reached")
    def reached(self, row: Recovery) -> str:
        return moment(row.reached_at) if row.reached_at else DASH

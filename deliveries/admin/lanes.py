"""The admin of lanes: who is served when, by whom, and which lanes are parked."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from deliveries import services
from deliveries.engine.lanes import PARK_AFTER
from deliveries.models import Lane

from .base import ExactSearch, ReadOnly, badge, moment

SECRETS = ("subscription__secret", "subscription__previous_secret", "subscription__headers")


def is_parked(lane: Lane) -> bool:
    return lane.takeovers >= PARK_AFTER


def paused(lane: Lane) -> SafeString | None:
    """Until when nothing is sent, because its receiver failed; not when only its rate is used up."""
    if lane.resume_at is None or lane.resume_at <= timezone.now() or not lane.health.get("trips"):
        return None
    return badge("waiting", f"paused until {timezone.localtime(lane.resume_at):%H:%M:%S}")


class ParkedFilter(admin.SimpleListFilter):
    title = "parked"
    parameter_name = "parked"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Parked: its couriers vanished, again and again"), ("no", "In service")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Lane]) -> QuerySet[Lane]:
        if self.value() == "yes":
            return queryset.filter(takeovers__gte=PARK_AFTER)
        return queryset.filter(takeovers__lt=PARK_AFTER) if self.value() == "no" else queryset


@admin.register(Lane)
class LaneAdmin(ReadOnly, ExactSearch):
    list_display = ("subscription", "workspace", "service", "due", "served", "holder", "takeovers")
    list_filter = (ParkedFilter, "open", "proven")
    list_select_related = ("subscription__workspace",)
    ordering = ("subscription_id",)
    fields = ("subscription", "service", "due", "served", "holder", "leased_until", "proven", "takeovers")
    readonly_fields = fields
    actions = ("unpark",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Lane]:
        return super().get_queryset(request).select_related("subscription__workspace").defer(*SECRETS)

    def has_unpark_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "change")

    @admin.display(description="workspace")
    def workspace(self, row: Lane) -> str:
        return row.subscription.workspace.name

    @admin.display(description="service")
    def service(self, row: Lane) -> SafeString:
        if is_parked(row):
            return badge("bad", "parked")
        if not row.open:
            return badge("quiet", "closed: offline")
        return paused(row) or badge("good", "open")

    @admin.display(description="due", ordering="due_at")
    def due(self, row: Lane) -> str:
        return moment(row.due_at)

    @admin.display(description="last served", ordering="served_at")
    def served(self, row: Lane) -> str:
        return moment(row.served_at)

    @admin.action(description="Unpark selected lanes", permissions=["unpark"])
    def unpark(self, request: HttpRequest, queryset: QuerySet[Lane]) -> None:
        done = [row for row in queryset if services.unpark(row)]
        for row in done:
            self.log_change(request, row, "Unparked.")
        level = messages.SUCCESS if done else messages.WARNING
        self.message_user(request, f"Back in service: {len(done)}." if done else "None of them is parked.", level)

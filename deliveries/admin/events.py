"""The admin of events: what was recorded, what it says, and to whom it went."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from deliveries import services
from deliveries.models import Delivery, Event, Payload

from .base import (
    ExactSearch,
    ReadOnly,
    badge,
    deliveries_of,
    link,
    moment,
    pretty,
    state_badge,
    subscription_link,
    with_subscriptions,
)
from .filters import EventNameFilter

DELIVERIES_SHOWN = 100
"""On an event's page: a workspace has 50 subscriptions."""

KINDS = {Event.State.WAITING: "waiting", Event.State.BUILT: "good", Event.State.FAILED: "bad"}


@admin.register(Event)
class EventAdmin(ReadOnly, ExactSearch):
    change_form_template = "admin/deliveries/event/change_form.html"
    list_display = ("recorded", "name", "workspace_id", "case_id", "sequence", "built")
    list_display_links = ("recorded", "name")
    list_filter = ("state", EventNameFilter)
    ordering = ("-id",)
    search_help_text = "The whole identifier of an event or a case."
    actions = ("build_again",)
    readonly_fields = (
        *("id", "name", "recorded", "workspace_id", "case_id", "individual_id", "company_id", "entity_id"),
        *("sequence", "built", "builds", "error"),
    )
    fields = (
        *("id", ("name", "recorded"), ("built", "builds", "error"), "workspace_id", ("case_id", "sequence")),
        *("individual_id", "company_id", "entity_id"),
    )

    def related_to(self, queryset: QuerySet[Event], key: UUID) -> QuerySet[Event]:
        """What waits and what was built have an index each, so the states are named."""
        state = Event.State
        return queryset.filter(Q(state=state.WAITING) | Q(state__in=[state.BUILT, state.FAILED]), case_id=key)

    def has_build_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "change")

    @admin.action(description="Build selected events again (failed ones)", permissions=["build"])
    def build_again(self, request: HttpRequest, queryset: QuerySet[Event]) -> None:
        done = services.build_again(queryset.values_list("pk", flat=True))
        self.log_each(request, done, "To be built again.")
        level = messages.SUCCESS if done else messages.WARNING
        said = f"To be built again now: {len(done)}." if done else "None of them has failed, so nothing was changed."
        self.message_user(request, said, level)

    @admin.display(description="recorded")
    def recorded(self, row: Event) -> str:
        return moment(row.created_at)

    @admin.display(description="state")
    def built(self, row: Event) -> SafeString:
        return badge(KINDS[Event.State(row.state)], row.get_state_display().lower())

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        event = self.get_object(request, object_id)
        context = _told(event) if event and self.has_view_permission(request, event) else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **context})


def _told(event: Event) -> dict[str, Any]:
    rows = list(with_subscriptions(deliveries_of(event, Delivery.objects.all()))[:DELIVERIES_SHOWN])
    return {"deliveries": [_shown(row) for row in rows], "payloads": _payloads_of(rows)}


def _shown(row: Delivery) -> dict[str, Any]:
    return {"link": link(row), "subscription": subscription_link(row), "state": state_badge(row), "row": row}


def _payloads_of(rows: list[Delivery]) -> list[str]:
    """One for each shape; nothing when it is not built yet, or nobody asked for it."""
    found = Payload.objects.filter(pk__in={row.payload_id for row in rows}).order_by("pk")
    return [pretty(f'{{"context":{{{each.context}}},{each.entity}}}') for each in found]

"""The admin of subscriptions. The secret is on a page of its own, shown when asked for, and never in a list."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from django.conf import settings
from django.contrib import admin, messages
from django.db import connection
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

from deliveries import recovery, services
from deliveries.models import Lane, Subscription

from . import expiries
from .base import DASH, ExactSearch, badge
from .forms import SubscriptionForm, shown_headers
from .lanes import is_parked, paused
from .picker import summary
from .tools import SubscriptionTools, recovery_range

TURNED_OFFLINE = "Turned offline in the admin."
DEFAULTS = (
    f"Left empty: {settings.DELIVERY_MAX_RETRIES} retries, {settings.DELIVERY_TIMEOUT:g} seconds, "
    f"{settings.DELIVERY_LANE_IN_FLIGHT} requests at a time, as many a second as the receiver answers."
)
SENDING = ("header_lines", "max_retries", "timeout", "max_in_flight", "rate", "ordered", "promoted")
OFFERED = 10
"""Subscriptions whose held deliveries are named after they were turned online together."""
HEAVY = ("secret", "previous_secret", "headers", "lane__token")


@admin.register(Subscription)
class SubscriptionAdmin(SubscriptionTools, ExactSearch):
    form = SubscriptionForm
    change_form_template = "admin/deliveries/subscription/change_form.html"
    list_display = ("label", "workspace", "host", "state", "event_count", "last_answer")
    list_filter = ("status", "type")
    list_select_related = ("workspace", "lane")
    search_fields = ("name", "url", "workspace__name")
    autocomplete_fields = ("workspace",)
    readonly_fields = ("id", "offline_reason", "offline_since", "created_at", "updated_at")
    actions = ("turn_online", "turn_offline")
    save_on_top = True
    fieldsets: ClassVar = [
        (None, {"fields": ["workspace", "name", "description", "url", "status", "type"]}),
        ("Events", {"fields": ["events"], "classes": ["events"]}),
        ("Payload", {"fields": ["payload", "without"]}),
        ("Sending", {"fields": SENDING, "description": DEFAULTS}),
    ]
    first_secret: ClassVar = ("Secret", {"fields": ["secret"]})
    facts: ClassVar = ("Facts", {"fields": readonly_fields, "classes": ["collapse"]})

    class Media:
        css = {"all": ["workspaces/admin.css", "deliveries/admin.css"]}

    # --- Lists --------------------------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Subscription]:
        """What is encrypted is not decrypted for a list."""
        return super().get_queryset(request).defer(*HEAVY[:3])

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        try:
            return queryset.filter(pk=UUID(search_term.strip())), False
        except ValueError:
            return super(ExactSearch, self).get_search_results(request, queryset, search_term)

    @admin.display(description="name", ordering="name")
    def label(self, row: Subscription) -> str:
        return row.name or "(no name)"

    @admin.display(description="host", ordering="url")
    def host(self, row: Subscription) -> str:
        return urlsplit(row.url).netloc

    @admin.display(description="status", ordering="status")
    def state(self, row: Subscription) -> SafeString:
        if row.is_online:
            return paused(row.lane) or (badge("bad", "parked") if is_parked(row.lane) else badge("good", "online"))
        return format_html("{} {}", badge("bad", "offline"), row.offline_reason)

    @admin.display(description="events")
    def event_count(self, row: Subscription) -> str:
        return summary(row.events)

    @admin.display(description="last answer")
    def last_answer(self, row: Subscription) -> SafeString | str:
        lane: Lane = row.lane
        if lane.served_at is None:
            return DASH
        when = f"{timesince(lane.served_at, depth=1)} ago"
        return format_html("{} {}", badge("good", "2xx") if lane.proven else badge("bad", "not 2xx"), when)

    @admin.action(description="Turn selected subscriptions online", permissions=["change"])
    def turn_online(self, request: HttpRequest, queryset: QuerySet[Subscription]) -> None:
        self._turn(request, queryset, online=True)

    @admin.action(description="Turn selected subscriptions offline", permissions=["change"])
    def turn_offline(self, request: HttpRequest, queryset: QuerySet[Subscription]) -> None:
        self._turn(request, queryset, online=False)

    def _turn(self, request: HttpRequest, queryset: QuerySet[Subscription], *, online: bool) -> None:
        word, reason = ("online", "") if online else ("offline", TURNED_OFFLINE)
        changed = services.set_online(queryset.values_list("pk", flat=True), online=online, reason=reason)
        for row in changed:
            self.log_change(request, row, f"Turned {word}.")
        level = messages.SUCCESS if changed else messages.WARNING
        sentence = f"Turned {word}: {len(changed)}." if changed else f"All of them were {word} already."
        self.message_user(request, sentence, level)
        if online:
            self._offer(request, changed)

    def _offer(self, request: HttpRequest, rows: Collection[Subscription]) -> None:
        """What was held while they were offline, and where to recover it; in ordered mode that has begun."""
        held = recovery.held(row.pk for row in rows)
        for row in [row for row in rows if row.pk in held][:OFFERED]:
            self.message_user(request, _told_of_held(row, *held[row.pk]), messages.INFO)

    # --- The form -----------------------------------------------------------------------------------------------------

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return [*self.fieldsets, self.first_secret if obj is None else self.facts]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A subscription stays in its workspace: elsewhere its history would be another tenant's."""
        return self.readonly_fields if obj is None else (*self.readonly_fields, "workspace")

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Subscription | None:
        """Locked while it is being saved: a rotation or an outage at the same moment is not undone."""
        if request.method != "POST" or not connection.in_atomic_block:  # the history's page is in no transaction
            return super().get_object(request, object_id, from_field)
        try:
            return Subscription.objects.select_for_update(of=("self",)).filter(pk=UUID(object_id)).first()
        except ValueError:
            return None

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Says how much of its deliveries expired, if any did."""
        number = expiries.total(object_id)
        context = {**(extra_context or {}), "expired": f"{number:,}" if number else ""}
        return super().change_view(request, object_id, form_url, context)

    def header_lines(self, row: Subscription) -> str:
        """For those who may only look."""
        return shown_headers(row) or DASH

    def save_model(self, request: HttpRequest, obj: Subscription, form: Any, change: bool) -> None:
        if "status" in form.changed_data and not obj.is_online:
            obj.offline_reason = TURNED_OFFLINE
        super().save_model(request, obj, form, change)
        if change and "status" in form.changed_data and obj.is_online:
            self._offer(request, [obj])

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """The lane goes with its subscription; nobody needs a permission for it."""
        listed, counts, needed, protected = super().get_deleted_objects(objs, request)
        return listed, counts, needed - {Lane._meta.verbose_name}, protected


def _told_of_held(row: Subscription, number: int, first: datetime) -> SafeString:
    what = f"{row}: {number:,} {'delivery was' if number == 1 else 'deliveries were'} held while it was offline."
    if row.ordered:
        address = f"{reverse('admin:deliveries_recovery_changelist')}?{urlencode({'q': row.pk})}"
        return format_html('{} They are being sent now, in their order: <a href="{}">see how far</a>.', what, address)
    address = reverse("admin:deliveries_webhook_recover", args=[row.pk])
    query = urlencode(recovery_range(first, timezone.now()) | {"rate": recovery.DEFAULT_RATE})
    return format_html('{} <a href="{}?{}">Recover them…</a>', what, address, query)

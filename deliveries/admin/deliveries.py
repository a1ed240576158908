"""The admin of deliveries: what was sent, what came back. Only a retry changes anything."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from deliveries import sent, services
from deliveries.models import Attempt, Delivery, Event, Payload

from .base import (
    DASH,
    ExactSearch,
    ReadOnly,
    deliveries_of,
    indented,
    link,
    moment,
    pretty,
    state_badge,
    subscription_link,
    with_subscriptions,
)
from .filters import NameFilter, SubscriptionFilter

ATTEMPTS_SHOWN = 50
"""Newest attempts on a delivery's page; automatic retries end after 20."""


class DeliveryRows(ReadOnly, ExactSearch):
    """What every list of deliveries shows, and their retry."""

    ordering = ("-id",)
    search_help_text = "The whole identifier of a delivery, an event or a case."
    actions = ("retry",)

    def may(self, request: HttpRequest, action: str) -> bool:
        return request.user.has_perm(f"deliveries.{action}_delivery")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        return with_subscriptions(super().get_queryset(request))

    def related_to(self, queryset: QuerySet[Delivery], key: UUID) -> QuerySet[Delivery]:
        event = Event.objects.filter(pk=key).first()
        return deliveries_of(event, queryset) if event else queryset.filter(case_id=key)

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "change")

    @admin.display(description="event", ordering="event_name")
    def event_label(self, row: Delivery) -> str:
        return f"{row.event_name} › {row.sub_event}" if row.sub_event else row.event_name

    @admin.display(description="recorded")
    def recorded(self, row: Delivery) -> str:
        return moment(row.created_at)

    @admin.display(description="last attempt")
    def last_tried(self, row: Delivery) -> str:
        return moment(row.last_attempt_at)

    @admin.display(description="event id")
    def event_link(self, row: Delivery) -> SafeString:
        return link(Event(pk=row.event_id), str(row.event_id))

    @admin.display(description="subscription")
    def subscription_label(self, row: Delivery) -> str:
        return subscription_link(row)

    @admin.display(description="state", ordering="state")
    def progress(self, row: Delivery) -> SafeString:
        return state_badge(row)

    @admin.display(description="state", ordering="state")
    def state_and_due(self, row: Delivery) -> SafeString:
        """In a list: a column of its own for the next attempt would not fit beside the filters."""
        is_pending = row.state == Delivery.State.PENDING
        return format_html("{} next at {}", state_badge(row), moment(row.due_at)) if is_pending else state_badge(row)

    @admin.display(description="last answer")
    def status(self, row: Delivery) -> str:
        return str(row.status_code or ("none came" if row.last_attempt_at else DASH))

    @admin.display(description="next attempt")
    def due(self, row: Delivery) -> str:
        return moment(row.due_at if row.state == Delivery.State.PENDING else None)

    # --- Retries ------------------------------------------------------------------------------------------------------

    @admin.action(description="Retry selected deliveries now (failed, held and waiting ones)", permissions=["retry"])
    def retry(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        chosen = queryset.values_list("pk", flat=True)[: services.MOST_AT_ONCE + 1]
        self._retry(request, list(chosen), replay=False)

    def _retry(self, request: HttpRequest, chosen: list[UUID], *, replay: bool) -> None:
        try:
            retried = services.retry_deliveries(chosen, replay=replay)
        except services.Refused as refused:
            self.message_user(request, str(refused), messages.ERROR)
            return
        self.log_each(request, retried, "Retried.")
        level = messages.SUCCESS if retried else messages.WARNING
        self.message_user(request, _told_of_retry(len(retried), len(chosen)), level)


@admin.register(Delivery)
class DeliveryAdmin(DeliveryRows):
    change_form_template = "admin/deliveries/delivery/change_form.html"
    list_display = ("recorded", "event_label", "subscription_label", "state_and_due", "status", "attempts")
    list_display_links = ("recorded", "event_label")
    list_filter = ("state", SubscriptionFilter, NameFilter)
    readonly_fields = (
        *("id", "event_label", "event_link", "subscription_label", "progress", "status", "attempts", "due"),
        *("recorded", "last_tried", "case_id", "individual_id", "company_id", "sequence"),
    )
    fields = (
        *("id", ("event_label", "subscription_label"), ("progress", "status", "attempts")),
        *(("recorded", "last_tried", "due"), "event_link", ("case_id", "sequence"), "individual_id", "company_id"),
    )

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.retry_one))
        return [path("<uuid:pk>/retry/", view, name="deliveries_delivery_retry"), *super().get_urls()]

    def retry_one(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Also replays what succeeded: somebody who presses the button on its page has seen that."""
        if not self.has_retry_permission(request):
            raise PermissionDenied("Ask for the permission to change deliveries.")
        if not Delivery.objects.filter(pk=pk).exists():
            raise Http404("This delivery does not exist any more.")
        self._retry(request, [pk], replay=True)
        return HttpResponseRedirect(reverse("admin:deliveries_delivery_change", args=[pk]))

    # --- One delivery's page ------------------------------------------------------------------------------------------

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        delivery = self.get_object(request, object_id)
        context = _told(delivery) if delivery and self.has_view_permission(request, delivery) else {}
        rests = delivery is not None and services.may_retry(delivery)
        context["may_retry"] = rests and self.has_retry_permission(request)
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **context})


def _told_of_retry(retried: int, chosen: int) -> str:
    if not retried:
        return "Nothing was retried: it is due already, or has succeeded."
    left = chosen - retried
    return f"Sent again now: {retried}." + (f" Left alone, because due already or succeeded: {left}." if left else "")


def _told(delivery: Delivery) -> dict[str, Any]:
    """The attempts of a delivery, newest first, and the body that the newest one sent."""
    rows = list(Attempt.objects.of([delivery.pk]).order_by("-started_at", "-id")[:ATTEMPTS_SHOWN])
    attempts = [{"row": row, "counters": sent.counters(row)} for row in rows]
    return {"attempts": attempts, "body": _body(delivery, rows[0] if rows else None)}


def _body(delivery: Delivery, attempt: Attempt | None) -> str:
    """What the attempt sent; before the first one, what will be sent but for the counters."""
    payload = Payload.objects.filter(pk=delivery.payload_id).first()
    if payload is None:
        return ""
    if attempt:
        return pretty(sent.sent_body(delivery, payload, attempt))
    return indented(sent.unsent_body(delivery, payload))

"""What the admin's pages of deliveries share: read-only history, big tables, exact search, and small pieces of HTML."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar
from uuid import UUID

from django.contrib.admin import ShowFacets
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.paginator import Paginator
from django.db.models import Model, Prefetch, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from deliveries.models import Delivery, Event, Subscription
from workspaces.typed import ModelAdmin

COUNTED = 10_000
"""Rows of a list that are counted and can be paged through; counting millions would take seconds."""
LOGGED = 1000
"""Entries of the admin's log that one statement writes: some 50 ms."""
SHOWN = 64 * 1024
"""Characters of a payload that a page shows."""
DASH = "–"


class BoundedPaginator(Paginator):  # type: ignore[type-arg]  # generic for type checkers only
    """Counts no further than COUNTED rows."""

    object_list: QuerySet[Any]

    @cached_property
    def count(self) -> int:
        return self.object_list.order_by()[:COUNTED].count()  # in any order: it need not be sorted


class ExactSearch(ModelAdmin):
    """Searches by identifiers, each through an index; never by a part of a text, which would read the whole table."""

    search_fields: ClassVar[tuple[str, ...]] = ("id",)  # shows the box; the search itself is below
    search_help_text = "A whole identifier."

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        try:
            key = UUID(term)
        except ValueError:
            return queryset.none(), False
        found = queryset.filter(pk=key)
        return found if found.exists() else self.related_to(queryset, key), False

    def related_to(self, queryset: QuerySet[Any], key: UUID) -> QuerySet[Any]:
        """The rows of something else that has this identifier."""
        return queryset.none()


class ReadOnly(ModelAdmin):
    """History is looked at, never written."""

    show_full_result_count = False
    show_facets = ShowFacets.NEVER  # they count each filter's rows
    paginator = BoundedPaginator
    list_per_page = 50

    class Media:
        css = {"all": ["workspaces/admin.css", "deliveries/admin.css"]}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def may(self, request: HttpRequest, action: str) -> bool:
        """The model's own permission, which the methods above hide."""
        return request.user.has_perm(f"{self.opts.app_label}.{action}_{self.opts.model_name}")

    def log_each(self, request: HttpRequest, keys: Iterable[UUID], text: str) -> None:
        """An entry in each row's history, a thousand to a statement; a proxy's rows have the history of their model."""
        chosen, rows_of = list(keys), (self.opts.concrete_model or self.model)._base_manager
        for start in range(0, len(chosen), LOGGED):
            rows = rows_of.filter(pk__in=chosen[start : start + LOGGED])
            LogEntry.objects.log_actions(str(request.user.pk), rows, CHANGE, text)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may(request, "view") or self.may(request, "change")


def with_subscriptions(rows: QuerySet[Delivery]) -> QuerySet[Delivery]:
    """One more query for all rows; not a join, which would lose the history of deleted subscriptions."""
    return rows.prefetch_related(Prefetch("subscription", Subscription.objects.only("id", "name", "url")))


def deliveries_of(event: Event, rows: QuerySet[Delivery]) -> QuerySet[Delivery]:
    """Found through the log's index: a delivery has the workspace and the time of its event."""
    return rows.filter(workspace_id=event.workspace_id, created_at=event.created_at, event_id=event.pk)


def subscription_link(row: Any) -> str:
    """The subscription of a delivery, if it is still there."""
    try:
        return link(row.subscription)
    except Subscription.DoesNotExist:
        return "deleted"


STATES = {
    Delivery.State.PENDING: "waiting",
    Delivery.State.SUCCEEDED: "good",
    Delivery.State.FAILED: "bad",
    Delivery.State.HELD: "quiet",
    Delivery.State.BLOCKED: "quiet",
}
REASONS = {
    "offline": "the subscription is offline",
    "gone": "the receiver says that it is gone",
    "retries_used_up": "retries used up",
    "skipped": "retries used up; later events of its case went on",
    "subscription_deleted": "the subscription is deleted",
    "expired": "what it says is no longer kept",
    "earlier_event": "waits for an earlier event of its case",
}


def state_badge(row: Delivery) -> SafeString:
    """How far a delivery has come, and why it stands still."""
    word = badge(STATES[Delivery.State(row.state)], row.get_state_display().lower())
    return format_html("{} {}", word, REASONS.get(row.reason, row.reason.replace("_", " ")))


def link(row: Model, text: str = "") -> SafeString:
    """To a row's own page."""
    address = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
    return format_html('<a href="{}">{}</a>', address, text or str(row))


def badge(kind: str, text: str) -> SafeString:
    """A word on a coloured ground: `kind` is good, bad, waiting or quiet."""
    return format_html('<span class="badge badge-{}">{}</span>', kind, text)


def moment(value: datetime | None) -> str:
    """To the second: what is a minute apart to Django's own format may be many attempts apart here."""
    return f"{timezone.localtime(value):%Y-%m-%d %H:%M:%S}" if value else DASH


def progress_bar(share: float) -> SafeString:
    """`share` is from 0 to 1."""
    percent = int(share * 100)
    return format_html('<progress max="100" value="{}">{} %</progress> {} %', percent, percent, percent)


def pretty(text: str | bytes) -> str:
    """JSON with indents, cut off where it gets long."""
    return indented(json.loads(text))


def indented(value: Any) -> str:
    """A value as JSON with indents, cut off where it gets long."""
    shown = json.dumps(value, indent=2, ensure_ascii=False)
    return shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}\n… (shortened)"

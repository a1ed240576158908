"""Filters of the history. Their choices come from small tables: a DISTINCT over millions of rows would take seconds."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from deliveries.events.catalogue import NAMES
from deliveries.models import Delivery, Subscription


class NameFilter(admin.SimpleListFilter):
    """By the event's name, from the catalogue."""

    title = "event"
    parameter_name = "event"
    template = "deliveries/admin/closed_filter.html"
    column: ClassVar[str] = "event_name"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in sorted(NAMES)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{self.column: self.value()}) if self.value() else queryset


class EventNameFilter(NameFilter):
    column = "name"


class SubscriptionFilter(admin.SimpleListFilter):
    """The newest hundred, by name; any other by `?subscription=<id>`."""

    title = "subscription"
    parameter_name = "subscription"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        rows = Subscription.objects.only("id", "name", "url").order_by("-pk")[:100]
        return sorted(((str(row.pk), str(row)) for row in rows), key=lambda choice: choice[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> QuerySet[Delivery]:
        try:
            return queryset.filter(subscription_id=UUID(self.value() or "")) if self.value() else queryset
        except ValueError:
            return queryset.none()

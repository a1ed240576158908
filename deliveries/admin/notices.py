"""The admin of notices: which e-mails about subscriptions that went offline were sent, wait, or were given up."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from deliveries import notices
from deliveries.models import Notice

from .base import ExactSearch, ReadOnly, badge, moment
from .lanes import SECRETS


class OutcomeFilter(admin.SimpleListFilter):
    title = "outcome"
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("sent", "Sent"), ("waiting", "Waiting for the mail server"), ("given_up", "Given up")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Notice]) -> QuerySet[Notice]:
        chosen: dict[str, dict[str, Any]] = {
            "sent": {"sent_at__isnull": False},
            "waiting": {"sent_at": None, "try_at__isnull": False},
            "given_up": {"sent_at": None, "try_at": None},
        }
        return queryset.filter(**chosen.get(self.value() or "", {}))


@admin.register(Notice)
class NoticeAdmin(ReadOnly, ExactSearch):
    list_display = ("subscription", "reason", "went_offline", "outcome", "tries", "next_try", "error")
    list_filter = (OutcomeFilter,)
    list_select_related = ("subscription",)
    ordering = ("-id",)
    fields = ("subscription", "reason", "went_offline", "outcome", "reached", "tries", "next_try", "error")
    readonly_fields = fields
    actions = ("send_again",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Notice]:
        return super().get_queryset(request).select_related("subscription").defer(*SECRETS)

    def has_send_again_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "change")

    @admin.display(description="since", ordering="created_at")
    def went_offline(self, row: Notice) -> str:
        return moment(row.created_at)

    @admin.display(description="outcome")
    def outcome(self, row: Notice) -> SafeString:
        if row.sent_at:
            return badge("good", "sent")
        return badge("waiting", "waiting") if row.try_at else badge("bad", "given up")

    @admin.display(description="people told")
    def reached(self, row: Notice) -> int:
        return len(row.told)

    @admin.display(description="next try", ordering="try_at")
    def next_try(self, row: Notice) -> str:
        return moment(row.try_at)

    @admin.action(description="Send again what was given up", permissions=["send_again"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Notice]) -> None:
        chosen = list(queryset.filter(sent_at=None, try_at=None))
        for row in chosen:
            notices.send_again(row)
            self.log_change(request, row, "Sent again.")
        level = messages.SUCCESS if chosen else messages.WARNING
        self.message_user(request, f"On their way: {len(chosen)}." if chosen else "None of them was given up.", level)

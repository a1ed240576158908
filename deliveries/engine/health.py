"""Taking a subscription offline. While it is, nothing is sent, and what waits is held (aside.py)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import DateTimeField, Func
from django.db.models.signals import post_delete
from django.dispatch import Signal

from deliveries.models import Delivery, Subscription

GONE = "The receiver answered 410 Gone."

went_offline = Signal()
"""Sent with the subscription as `instance`, in the transaction in which its receiver's failures took it offline."""


def go_offline(subscription_id: UUID, reason: str, forgiven: int | None = None) -> bool:
    """Closes the lane and says why; False when it was offline already, is deleted, or is promoted (but for 410).

    With `forgiven`, as the judge of its failures knew it: False, too, when people brought it online since.
    """
    with transaction.atomic():
        row = Subscription.objects.select_for_update().filter(pk=subscription_id).first()
        if row is None or not row.is_online or (row.promoted and reason != GONE):
            return False
        if forgiven is not None and row.lane.health.get("forgiven", 0) != forgiven:
            return False
        row.status, row.offline_reason = Subscription.Status.OFFLINE, reason
        row.save()
        went_offline.send(Subscription, instance=row)
    return True


def on_deleted(sender: type[Subscription], instance: Subscription, **kwargs: Any) -> None:
    """In the transaction of the delete: its lane is gone, so nobody else would ever look at these."""
    state, rows = Delivery.State, Delivery.objects.filter(subscription_id=instance.pk)
    # What is to be sent, and what waits behind it in ordered mode: each is found through an index of its own.
    for waiting in (rows.filter(state=state.PENDING), rows.filter(state=state.BLOCKED, ordered=True)):
        waiting.update(state=state.FAILED, reason="subscription_deleted")


class ClockTimestamp(Func):
    """The database's clock as it is now, not when the transaction began."""

    template = "clock_timestamp()"
    output_field = DateTimeField()


def connect() -> None:
    """Called once, when Django is ready."""
    post_delete.connect(on_deleted, sender=Subscription, dispatch_uid="deliveries.subscription_deleted")

"""Taking a subscription offline, and bringing it back. While it is offline nothing is sent and deliveries are held."""

from __future__ import annotations

import logging
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import DateTimeField, Func, QuerySet
from django.db.models.signals import post_delete, post_save
from django.dispatch import Signal

from deliveries.models import Delivery, Lane, Subscription

from . import doorbell

logger = logging.getLogger(__name__)

SET_ASIDE_TASK = "deliveries.chores.set_aside"
# Rows per statement: locks are held for milliseconds.
CHUNK = 1000

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


def on_saved(sender: type[Subscription], instance: Subscription, raw: bool, **kwargs: Any) -> None:
    if not raw and not instance.is_online:
        transaction.on_commit(lambda: set_aside_soon(instance.pk), robust=True)


def on_deleted(sender: type[Subscription], instance: Subscription, **kwargs: Any) -> None:
    """In the transaction of the delete: its lane is gone, so nobody else would ever look at these."""
    for waiting in _waiting(instance.pk):
        waiting.update(state=Delivery.State.FAILED, reason="subscription_deleted")


def set_aside_soon(subscription_id: UUID) -> None:
    """Asks a chore to hold what waits for an offline subscription. If that is lost, the sweep asks again."""
    try:
        doorbell.chore(SET_ASIDE_TASK, str(subscription_id))
    except Exception as error:
        logger.warning("the broker is away (%s); the sweep will see to it", type(error).__name__)


def set_aside(subscription_id: UUID) -> bool:
    """Holds what waits for an offline subscription, a thousand rows a transaction.

    False when a courier still holds the lane: its outcomes must be settled first.
    """
    while True:
        with transaction.atomic():
            lane = Lane.objects.select_for_update().filter(pk=subscription_id, open=False).first()
            if lane is None or lane.due_at is None:
                return True  # online again, deleted, or done
            if Lane.objects.filter(pk=subscription_id, leased_until__gt=ClockTimestamp()).exists():
                return False
            if not _hold(subscription_id):
                Lane.objects.filter(pk=subscription_id).update(due_at=None)


def _waiting(subscription_id: UUID) -> tuple[QuerySet[Delivery], QuerySet[Delivery]]:
    """What is to be sent, and what waits behind it in ordered mode: each is found through an index of its own."""
    rows, state = Delivery.objects.filter(subscription_id=subscription_id), Delivery.State
    # In the order of its index: by any other, each thousand would cost a look at all that wait.
    pending = rows.filter(state=state.PENDING).order_by("due_at", "id")
    return pending, rows.filter(state=state.BLOCKED, ordered=True)


def _hold(subscription_id: UUID) -> int:
    """Those at the end of a case first: what waits behind another is not left behind alone."""
    for waiting in reversed(_waiting(subscription_id)):
        if ids := list(waiting.values_list("id", flat=True)[:CHUNK]):
            return waiting.filter(pk__in=ids).update(state=Delivery.State.HELD, reason="offline")
    return 0


class ClockTimestamp(Func):
    """The database's clock as it is now, not when the transaction began."""

    template = "clock_timestamp()"
    output_field = DateTimeField()


def connect() -> None:
    """Called once, when Django is ready."""
    post_save.connect(on_saved, sender=Subscription, dispatch_uid="deliveries.subscription_saved")
    post_delete.connect(on_deleted, sender=Subscription, dispatch_uid="deliveries.subscription_deleted")

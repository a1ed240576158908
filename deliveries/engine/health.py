"""Taking a subscription offline, and bringing it back. While it is offline nothing is sent and deliveries are held."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.utils import timezone

from deliveries.models import Delivery, Lane, Subscription

from . import doorbell

SET_ASIDE_TASK = "deliveries.chores.set_aside"
# Rows per statement: locks are held for milliseconds.
CHUNK = 1000

GONE = "The receiver answered 410 Gone."


def go_offline(subscription_id: UUID, reason: str) -> bool:
    """Closes the lane and says why; False when it was offline already or is deleted."""
    with transaction.atomic():
        row = Subscription.objects.select_for_update().filter(pk=subscription_id).first()
        if row is None or not row.is_online:
            return False
        row.status, row.offline_reason = Subscription.Status.OFFLINE, reason
        row.save()
    return True


def on_saved(sender: type[Subscription], instance: Subscription, raw: bool, **kwargs: Any) -> None:
    if not raw and not instance.is_online:
        set_aside_later(instance.pk)


def on_deleted(sender: type[Subscription], instance: Subscription, **kwargs: Any) -> None:
    set_aside_later(instance.pk)


def set_aside_later(subscription_id: UUID) -> None:
    """Has what waits for an offline or deleted subscription set aside, by a chore, when this transaction commits."""
    transaction.on_commit(partial(doorbell.chore, SET_ASIDE_TASK, str(subscription_id)), robust=True)


def set_aside(subscription_id: UUID) -> bool:
    """Holds what waits for an offline subscription, fails what waits for a deleted one; a thousand rows a statement.

    False when a courier still holds the lane: its outcomes must be settled first.
    """
    lane = Lane.objects.select_related("subscription").filter(pk=subscription_id).first()
    if lane and lane.subscription.is_online:
        return True
    if lane and lane.leased_until and lane.leased_until > timezone.now():
        return False
    state, reason = (Delivery.State.HELD, "offline") if lane else (Delivery.State.FAILED, "subscription_deleted")
    waiting = Delivery.objects.filter(subscription_id=subscription_id, state=Delivery.State.PENDING)
    while ids := list(waiting.order_by("due_at", "id").values_list("id", flat=True)[:CHUNK]):
        waiting.filter(pk__in=ids).update(state=state, reason=reason)
    return True


def connect() -> None:
    """Called once, when Django is ready."""
    post_save.connect(on_saved, sender=Subscription, dispatch_uid="deliveries.subscription_saved")
    post_delete.connect(on_deleted, sender=Subscription, dispatch_uid="deliveries.subscription_deleted")

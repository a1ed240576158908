"""What people do with subscriptions and deliveries: the admin, the API and commands call these functions.

Rows are locked in one order everywhere: workspace, subscription, deliveries, lanes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from workspaces.models import Workspace

from . import validation
from .engine import fanout, lanes, outbound, signing, trial
from .engine.trial import Trial
from .events import outbox
from .models import Delivery, Lane, Subscription

State = Delivery.State
RETRIED = frozenset({State.FAILED, State.HELD})
REPLAYED = RETRIED | {State.SUCCEEDED}


class Refused(Exception):
    """What was asked for cannot be done now; the text says why, and what to do."""


def validate_url(url: str) -> str:
    """The URL, if our policy lets it be called. Raises ValidationError."""
    return validation.url(url, outbound.policy())


def check_room(workspace: Workspace) -> None:
    """Raises ValidationError when the workspace has all the webhooks it may have; call it in a transaction.

    The workspace's row stays locked until then, so that two requests at once cannot both take the last place.
    """
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
    limit = settings.WEBHOOKS_PER_WORKSPACE
    if Subscription.objects.filter(workspace=workspace).count() >= limit:
        raise ValidationError(f"Maximum items reached ({limit} webhooks). Delete one you no longer need.", code="full")


def create_subscription(workspace: Workspace, fields: Mapping[str, Any]) -> Subscription:
    """A new subscription with these validated fields. Raises ValidationError when the workspace is full."""
    with transaction.atomic():
        check_room(workspace)
        row = Subscription(workspace=workspace, **fields)
        row.save()
    return row


def update_subscription(row: Subscription, fields: Mapping[str, Any], offline_reason: str) -> None:
    """Sets validated fields; a new secret is a rotation. The row must have been locked by the caller's transaction."""
    was_online = row.is_online
    for name, value in fields.items():
        if name == "secret":
            _rotate(row, value, settings.SECRET_GRACE)
        else:
            setattr(row, name, value)
    if was_online and not row.is_online:
        row.offline_reason = offline_reason
    row.save()


def rotate_secret(subscription: Subscription, new: str | None = None, grace: int | None = None) -> Subscription:
    """Gives it a new secret, generated unless given; the old one signs too for `grace` seconds (SECRET_GRACE).

    There is one previous secret at most: that of an earlier rotation ends at once. Answers with the row as it is now.
    """
    with transaction.atomic():
        row = Subscription.objects.select_for_update().get(pk=subscription.pk)
        _rotate(row, new or signing.generate_secret(), settings.SECRET_GRACE if grace is None else grace)
        row.save()
    return row


def _rotate(row: Subscription, new: str, grace: int) -> None:
    if new == row.secret:
        return
    previous, until = (row.secret, timezone.now() + timedelta(seconds=grace)) if grace > 0 else (None, None)
    row.secret, row.previous_secret, row.previous_secret_until = new, previous, until


def set_online(ids: Iterable[UUID], *, online: bool, reason: str = "") -> list[Subscription]:
    """Turns subscriptions on or off; answers with those that were not so before."""
    wanted = Subscription.Status.ONLINE if online else Subscription.Status.OFFLINE
    with transaction.atomic():
        found = Subscription.objects.select_for_update().filter(pk__in=list(ids)).exclude(status=wanted)
        rows = list(found.order_by("pk"))
        for row in rows:
            row.status, row.offline_reason = wanted, reason
            row.save()
    return rows


def send_trial(subscription: Subscription) -> Trial:
    """Sends a test event now, and answers with what the receiver said. It is not retried and leaves no history."""
    return trial.send_trial(subscription, outbound.policy())


def retry_deliveries(chosen: QuerySet[Delivery] | Iterable[UUID], *, replay: bool = False) -> list[UUID]:
    """Makes failed and held deliveries (with `replay`, succeeded ones too) due again; answers with their ids.

    They keep their event's id, count as manual retries, and have all automatic retries before them again. Those that
    wait already are left alone. Raises Refused, and changes nothing, when a subscription is offline or deleted.
    """
    ids = list(chosen.values_list("pk", flat=True)) if isinstance(chosen, QuerySet) else list(chosen)
    states = REPLAYED if replay else RETRIED
    with transaction.atomic():
        owners = set(Delivery.objects.filter(pk__in=ids, state__in=states).values_list("subscription_id", flat=True))
        _lock_online(owners)
        # The state is asked for once more, under the rows' locks: whoever was first has retried them.
        rows = Delivery.objects.filter(pk__in=ids, state__in=states, subscription_id__in=owners)
        found = list(rows.select_for_update().order_by("pk").values_list("pk", flat=True))
        next_type = Delivery.Next.MANUAL_RETRY
        Delivery.objects.filter(pk__in=found).update(
            state=State.PENDING, reason="", retries=0, next_type=next_type, due_at=Now()
        )
        if found:
            _make_due(owners)
    return found


def _lock_online(ids: Collection[UUID]) -> None:
    """Locks subscriptions, so that none goes offline meanwhile. Raises Refused when one is offline or gone."""
    rows = Subscription.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")
    found = list(rows.only("id", "name", "url", "status"))
    if offline := [row for row in found if not row.is_online]:
        raise Refused(f"{offline[0]} is offline; turn it online first, then retry.")
    if len(found) < len(ids):
        raise Refused("The subscription of a chosen delivery is deleted, so nothing can be sent to it any more.")


def _make_due(subscriptions: Collection[UUID]) -> None:
    """Wakes the lanes. Locked after the deliveries: whoever gives one back waits for us and then sees them."""
    with connection.cursor() as cursor:
        cursor.execute(fanout.DUE, [[str(key) for key in subscriptions]])
    transaction.on_commit(outbox.wake, robust=True)


def unpark(lane: Lane) -> bool:
    """Lets couriers serve a parked lane again; False when it is not parked."""
    with transaction.atomic():
        parked = Lane.objects.filter(pk=lane.pk, takeovers__gte=lanes.PARK_AFTER).update(takeovers=0)
        transaction.on_commit(outbox.wake, robust=True)
    return bool(parked)

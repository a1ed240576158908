"""What people do with subscriptions and deliveries: the admin, the API and commands call these functions.

Rows are locked in one order everywhere: workspace, subscription, lanes, deliveries; rows of one table by key.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from workspaces.models import Workspace

from . import validation
from .engine import fanout, lanes, lookup, outbound, signing, trial
from .engine.envelope import Parts
from .engine.trial import Trial
from .events import examples, outbox, shapes
from .events.catalogue import sent_as
from .models import Delivery, Event, Lane, Subscription

CHUNK = 2000
"""Keys in one statement: some 100 KB of SQL."""
MOST_AT_ONCE = 10_000
"""Deliveries that one retry takes: their lanes are locked for a quarter of a second."""
TOO_MANY = (
    f"At most {MOST_AT_ONCE:,} deliveries are retried at a time. Choose fewer, or recover a range of time on the "
    "subscription's page: that sends what failed or is held slowly, oldest first."
)

State = Delivery.State
# What waits for a later attempt, too; never what is due already: a courier may have it in its hand.
RETRIED = Q(state__in=[State.FAILED, State.HELD]) | Q(state=State.PENDING, due_at__gt=Now())
REPLAYED = RETRIED | Q(state=State.SUCCEEDED)


class Refused(Exception):
    """What was asked for cannot be done now; the text says why, and what to do."""


def validate_url(url: str) -> str:
    """The URL as it is to be stored, if our policy lets it be called. Raises ValidationError."""
    return validation.url(url, outbound.policy())


def check_public(url: str) -> None:
    """Raises ValidationError for a valid URL whose name leads to an address that may not be called.

    It asks name servers, for URL_LOOKUP_TIMEOUT at most: call it before you lock a row.
    """
    if settings.URL_LOOKUP_TIMEOUT:
        validation.public(url, outbound.policy(), _addresses_of)


def _addresses_of(name: str) -> tuple[str, ...]:
    return lookup.addresses_of(name, settings.EGRESS_DNS_SERVERS, settings.URL_LOOKUP_TIMEOUT)


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
    """Sets validated fields; a new secret is a rotation. Where nothing differs nothing is saved.

    The row must have been locked by the caller's transaction.
    """
    changed = {name: value for name, value in fields.items() if getattr(row, name) != value}
    if not changed:
        return
    was_online = row.is_online
    for name, value in changed.items():
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


def send_trial(subscription: Subscription, event: str = trial.EVENT) -> Trial:
    """Sends a test event now, and answers with what the receiver said. It is not retried and leaves no history.

    It says `Webhook.Test`, or the example of an event that arises. Raises KeyError for any other name.
    """
    if event == trial.EVENT:
        return trial.send_trial(subscription, outbound.policy(), _trial_parts(subscription))
    example = examples.body(event)
    parts = _example_parts(subscription, event, example)
    return trial.send_trial(subscription, outbound.policy(), parts, event, example.get("sub_event", ""))


def _example_parts(row: Subscription, event: str, example: Mapping[str, Any]) -> Parts:
    """What an example says, in the subscription's own shape. `context.test` tells it from what happened."""
    kind = sent_as(event)[0].entity
    told = {name: value for name, value in example["context"].items() if name not in trial.COUNTED}
    context = {**told, **_workspace_of(row), "test": True}
    gone = event.endswith(".Deleted")
    return shapes.parts(row.shape, kind, context, example[kind], settings.PUBLIC_URL, gone=gone)


def _workspace_of(row: Subscription) -> dict[str, Any]:
    return {"workspace": {"id": str(row.workspace.pk), "name": row.workspace.name}}


def _trial_parts(row: Subscription) -> Parts:
    """What a test event says, in the subscription's own shape."""
    context = _workspace_of(row)
    webhook = {"id": str(row.pk), "name": row.name, "url": row.url}
    return shapes.parts(row.shape, "webhook", context, webhook, settings.PUBLIC_URL)


def retry_deliveries(chosen: QuerySet[Delivery] | Iterable[UUID], *, replay: bool = False) -> list[UUID]:
    """Makes deliveries due that failed, are held or wait for a later attempt (with `replay`, succeeded ones too).

    They keep their event's id, count as manual retries, and have all automatic retries before them again. Those that
    are due already are left alone. Answers with the ids of the others. Raises Refused, and changes nothing, when a
    subscription is offline or deleted, or when more than MOST_AT_ONCE are chosen.
    """
    keys = chosen.values_list("pk", flat=True)[: MOST_AT_ONCE + 1] if isinstance(chosen, QuerySet) else set(chosen)
    if len(keys) > MOST_AT_ONCE:
        raise Refused(TOO_MANY)
    parts = list(_chunks(sorted(keys)))  # rows are locked in order of their keys
    wanted = REPLAYED if replay else RETRIED
    with transaction.atomic():
        owners: set[UUID] = set()
        for part in parts:
            owners |= set(Delivery.objects.filter(wanted, pk__in=part).values_list("subscription_id", flat=True))
        _lock_online(owners)
        _end_pauses(owners)
        found = [key for part in parts for key in _retry(part, wanted, owners)]
        if found:
            _make_due(owners)
    return found


def _end_pauses(subscriptions: Collection[UUID]) -> None:
    """A person who retries wants to see it tried now: the retry is the next probe.

    Locks all the lanes, by key and before the deliveries, as fan-out and couriers do: a part of them now and the rest
    later would be a circle.
    """
    rows = Lane.objects.select_for_update().filter(pk__in=subscriptions).order_by("pk")
    resting = [lane.pk for lane in rows if lane.resume_at]
    Lane.objects.filter(pk__in=resting).update(resume_at=None)


def _chunks(keys: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    return (keys[start : start + CHUNK] for start in range(0, len(keys), CHUNK))


def _retry(keys: Sequence[UUID], wanted: Q, owners: Collection[UUID]) -> list[UUID]:
    # The state is asked for once more, under the rows' locks: whoever was first has retried them.
    rows = Delivery.objects.filter(wanted, pk__in=keys, subscription_id__in=owners)
    found = list(rows.select_for_update().order_by("pk").values_list("pk", flat=True))
    Delivery.objects.filter(pk__in=found).update(
        state=State.PENDING, reason="", retries=0, next_type=Delivery.Next.MANUAL_RETRY, due_at=Now()
    )
    return found


def may_retry(delivery: Delivery) -> bool:
    """Whether retry_deliveries(replay=True) would make it due."""
    if delivery.state == State.BLOCKED:
        return False  # its turn comes by itself
    return delivery.state != State.PENDING or delivery.due_at > timezone.now()


def build_again(chosen: Iterable[UUID]) -> list[UUID]:
    """Lets workers build failed events once more, with all tries before them again; answers with their ids."""
    built: list[UUID] = []
    with transaction.atomic():
        for part in _chunks(sorted(chosen)):
            rows = Event.objects.filter(pk__in=part, state=Event.State.FAILED)
            found = list(rows.select_for_update().order_by("pk").values_list("pk", flat=True))
            Event.objects.filter(pk__in=found).update(state=Event.State.WAITING, builds=0, build_at=Now())
            built += found
        if built:
            transaction.on_commit(outbox.wake, robust=True)
    return built


def _lock_online(ids: Collection[UUID]) -> None:
    """Locks subscriptions, so that none goes offline meanwhile. Raises Refused when one is offline or gone."""
    rows = Subscription.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")
    found = list(rows.only("id", "name", "url", "status"))
    if offline := [row for row in found if not row.is_online]:
        raise Refused(f"{offline[0]} is offline; turn it online first, then retry.")
    if len(found) < len(ids):
        raise Refused("The subscription of a chosen delivery is deleted, so nothing can be sent to it any more.")


def _make_due(subscriptions: Collection[UUID]) -> None:
    """Wakes the lanes. Whoever gives one back at this moment waits for us and then sees what we made due."""
    with connection.cursor() as cursor:
        cursor.execute(fanout.DUE.sql, [[str(key) for key in subscriptions]])
    transaction.on_commit(outbox.wake, robust=True)


def unpark(lane: Lane) -> bool:
    """Lets couriers serve a parked lane again; False when it is not parked."""
    with transaction.atomic():
        parked = Lane.objects.filter(pk=lane.pk, takeovers__gte=lanes.PARK_AFTER).update(takeovers=0)
        transaction.on_commit(outbox.wake, robust=True)
    return bool(parked)

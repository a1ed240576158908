"""Recorded events, built and fanned out by the worker that runs. Import it once Django is set up (site.running)."""

from __future__ import annotations

import time
from collections.abc import Sequence

from django.db import connection, transaction
from django.db.models import Count

from deliveries.models import Delivery, Event, Payload, Subscription

from . import runs, site, world
from .draining import GLANCE, PATIENCE, moment
from .runs import Run

# Somebody else's, it seems, for an hour: couriers build deliveries and must leave them lying.
OCCUPY = """
UPDATE deliveries_lane SET holder = 'bench', token = gen_random_uuid(),
    leased_until = clock_timestamp() + interval '1 hour' WHERE subscription_id = ANY(%s::uuid[])
"""
FREE = """
UPDATE deliveries_lane SET holder = '', token = NULL, leased_until = NULL WHERE subscription_id = ANY(%s::uuid[])
"""


def build(found: site.Site, what: str, to: Sequence[Subscription], count: int) -> Run:
    """Records events in one transaction; from its commit on they are built for each of `to`, all of one workspace.

    Nothing is sent meanwhile. The ledger is in the run, whose rate is that of events. Raises StartError.
    """
    world.clear()
    world.tidy()
    _execute(OCCUPY, to)
    with transaction.atomic():
        world.create_in_bulk(to[0].workspace, count)
        world.gather_statistics()
        before = found.cpu()
    began = time.time()
    site.wait_until(lambda: not Event.objects.filter(state=Event.State.WAITING).exists(), PATIENCE, what, GLANCE)
    cpu = runs.spent(before, found.cpu())
    seconds = _last_delivery() - began
    wrong = problems(count, len(to))
    world.clear()
    _execute(FREE, to)
    return Run(what, count, seconds, cpu, wrong)


def _execute(statement: str, to: Sequence[Subscription]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, [[str(row.pk) for row in to]])


def _last_delivery() -> float:
    return max(moment(key) for key in Delivery.objects.order_by("-id").values_list("id", flat=True)[:1])


def problems(events: int, subscriptions: int) -> list[str]:
    """Each event is built once, and each subscription is to be told of each event once."""
    built = Event.objects.filter(state=Event.State.BUILT).count()
    waiting = Delivery.objects.filter(state=Delivery.State.PENDING)
    told = waiting.aggregate(rows=Count("id"), events=Count("event_id", distinct=True))
    counts = {
        "built": (built, events),
        "payloads": (Payload.objects.count(), events),
        "events with deliveries": (told["events"], events),
        "deliveries": (told["rows"], events * subscriptions),
    }
    return [f"{is_} {what}, not {wanted}" for what, (is_, wanted) in counts.items() if is_ != wanted]

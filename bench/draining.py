"""Built deliveries, drained by the worker that runs. Import it once Django is set up (site.running)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from uuid import UUID

from django.db import connection

from deliveries.events import outbox
from deliveries.models import Attempt, Delivery, Subscription

from . import runs, site, world
from .runs import Run, Tally

PATIENCE = 600.0
GLANCE = 0.1
"""Seconds between two looks at the receiver's count: a look costs a millisecond of CPU."""
FULL = 50
"""Subscriptions that the API allows in a workspace."""
COUNTS = """
SELECT count(*) FILTER (WHERE status_code = 200), count(DISTINCT delivery_id) FROM deliveries_attempt
"""


def subscribe(found: site.Site, count: int) -> list[Subscription]:
    """So many new ones, in full workspaces."""
    workspaces = [world.workspace(f"{count} subscriptions, {n}") for n in range(-(-count // FULL))]
    urls = (found.url(path) for path in world.numbered(f"ok/{count}", count))
    return [world.subscribe(workspaces[n // FULL], url) for n, url in enumerate(urls)]


def drain(found: site.Site, what: str, to: Sequence[Subscription], count: int) -> Run:
    """Fills empty tables, wakes the worker and waits until all is settled; the ledger is in the run.

    Raises StartError when it takes longer than PATIENCE.
    """
    fill(to, count)
    requests, before = found.received(), found.cpu()
    world.make_due(*to)
    began = time.time()
    outbox.wake()
    site.wait_until(lambda: found.received() - requests >= count and not _waits(), PATIENCE, what, GLANCE)
    cpu = runs.spent(before, found.cpu())
    tally = _tally(count, found.received() - requests)
    return Run(what, count, _last_attempt() - began, cpu, tally.problems())


def fill(to: Sequence[Subscription], count: int) -> None:
    """As many deliveries for each, in the state that vacuum leaves tables in. No lane is due yet."""
    world.clear()
    world.build_up(to, count)
    world.tidy()


def moment(key: UUID) -> float:
    """When a row with a UUIDv7 was written, to the millisecond (seconds since the epoch)."""
    return (key.int >> 80) / 1000


def _waits() -> bool:
    return Delivery.objects.filter(state=Delivery.State.PENDING).exists()


def _last_attempt() -> float:
    return max(moment(key) for key in Attempt.objects.order_by("-id").values_list("id", flat=True)[:1])


def _tally(count: int, requests: int) -> Tally:
    with connection.cursor() as cursor:
        cursor.execute(COUNTS)
        attempts, attempted = cursor.fetchone()
    succeeded = Delivery.objects.filter(state=Delivery.State.SUCCEEDED).count()
    return Tally(count, succeeded, attempts, attempted, requests)

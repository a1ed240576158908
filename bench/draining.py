"""Built deliveries, drained by the worker that runs. Import it once Django is set up (site.running)."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit
from uuid import UUID

from django.db.models import Count, QuerySet

from deliveries.events import outbox
from deliveries.models import Attempt, Delivery, Subscription

from . import ledger, runs, site, world
from .receiver import Post
from .runs import Run, Tally

PATIENCE = 600.0
GLANCE = 0.1
"""Seconds between two looks at the receiver's count: a look costs a millisecond of CPU."""
FULL = 50
"""Subscriptions that the API allows in a workspace."""


def subscribe(found: site.Site, count: int) -> list[Subscription]:
    """So many new ones, in full workspaces."""
    workspaces = [world.workspace(f"{count} subscriptions, {n}") for n in range(-(-count // FULL))]
    urls = (found.url(path) for path in world.numbered(f"ok/{count}", count))
    return [world.subscribe(workspaces[n // FULL], url) for n, url in enumerate(urls)]


def drain(found: site.Site, what: str, to: Sequence[Subscription], count: int) -> Run:
    """Fills empty tables, wakes the worker and waits until all is settled; the ledger is in the run.

    The receiver must write down what it gets. Raises StartError when it takes longer than PATIENCE.
    """
    fill(to, count)
    mark, requests, before = found.mark(), found.received(), found.cpu()
    world.make_due(*to)
    began = time.time()
    outbox.wake()
    site.wait_until(lambda: found.received() - requests >= count and not _waits(), PATIENCE, what, GLANCE)
    cpu = runs.spent(before, found.cpu())
    posts = found.posts(mark)
    wrong = problems(to, count, posts, found.received() - requests)
    ended = last_attempt()
    return Run(what, count, moment(ended) - began if ended else PATIENCE, cpu, wrong)


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


def problems(to: Sequence[Subscription], count: int, posts: Sequence[Post], requests: int) -> list[str]:
    """Why it does not add up that so many deliveries, all that `to` ever had, were made by these requests."""
    return tally(to, count, requests).problems() + strangers(Delivery.objects.filter(subscription__in=to), posts)


def tally(to: Sequence[Subscription], count: int, requests: int) -> Tally:
    """Of all deliveries of these subscriptions. Every attempt counts, whatever came of it."""
    attempts = Attempt.objects.filter(subscription__in=to).order_by()
    made = attempts.aggregate(rows=Count("id"), deliveries=Count("delivery_id", distinct=True))
    succeeded = Delivery.objects.filter(subscription__in=to, state=Delivery.State.SUCCEEDED).count()
    return Tally(count, succeeded, made["rows"], made["deliveries"], requests)


def unaccounted(after: UUID | None, posts: Sequence[Post], requests: int) -> list[str]:
    """Why attempts since this one, of a backlog that is not drained, and these requests are not the same."""
    made = Attempt.objects.order_by().filter(id__gt=after or UUID(int=0))
    keys = list(made.values_list("delivery_id", flat=True))
    sent = Delivery.objects.filter(id__in=set(keys))
    succeeded = sent.filter(state=Delivery.State.SUCCEEDED).count()
    return Tally(len(posts), succeeded, len(keys), len(set(keys)), requests).problems() + strangers(sent, posts)


def last_attempt() -> UUID | None:
    """The latest there is."""
    return Attempt.objects.order_by("-id").values_list("id", flat=True).first()


def strangers(deliveries: QuerySet[Delivery], posts: Iterable[Post]) -> list[str]:
    """What these requests told each path, by the ids of events, against the deliveries that were to be made."""
    paths = {key: urlsplit(url).path for key, url in Subscription.objects.values_list("id", "url")}
    told = deliveries.order_by().values_list("subscription_id", "event_id")
    wanted = {(paths[key], str(event)): 0.0 for key, event in told.iterator()}
    return ledger.compare(wanted, posts).problems

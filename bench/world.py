"""Workspaces, subscriptions and changes to tell of. Import it once Django is set up (site.running)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar
from uuid import UUID

from django.db import connection, transaction

from cases.models import Case
from cases.services import review_case
from deliveries.models import Attempt, Delivery, Event, Subscription
from workspaces.models import Workspace

__all__ = ["Case", "Workspace", "review_case"]

T = TypeVar("T")

BACKLOG = """
WITH target AS (
    SELECT * FROM unnest(%(subscriptions)s::uuid[], %(workspaces)s::uuid[])
    WITH ORDINALITY AS target(subscription_id, workspace_id, n)
), made AS (
    SELECT deliveries_uuid7() AS id, deliveries_uuid7() AS case_id, target.*
    FROM generate_series(0, %(count)s - 1) AS number
    JOIN target ON target.n = 1 + number %% cardinality(%(subscriptions)s::uuid[])
), event AS (
    INSERT INTO deliveries_event (id, workspace_id, name, case_id, entity_id, sequence, state, build_at, builds, error,
                                  created_at)
    SELECT id, workspace_id, 'Case.Created', case_id, case_id, 1, 1, clock_timestamp(), 0, '', clock_timestamp()
    FROM made
), payload AS (
    INSERT INTO deliveries_payload (id, event_id, context, entity)
    SELECT id, id, '"workspace":{"id":"' || workspace_id || '","name":"waiting"},"sequence":1',
           '"case":{"id":"' || case_id || '","name":"' || repeat('x', %(filler)s) || '"}'
    FROM made
)
INSERT INTO deliveries_delivery (id, workspace_id, subscription_id, event_id, payload_id, event_name, sub_event,
                                 case_id, sequence, state, reason, due_at, attempts, retries, next_type, created_at)
SELECT deliveries_uuid7(), workspace_id, subscription_id, id, id, 'Case.Created', '', case_id, 1, 0, '',
       clock_timestamp(), 0, 0, 0, clock_timestamp() FROM made
"""
FILLER = 1150
"""Characters that make a body 1.5 kB long."""
QUEUE = ("event", "payload", "delivery", "attempt", "casesequence")


def workspace(name: str) -> Workspace:
    return Workspace.objects.create(name=name)


def subscribe(of: Workspace, url: str, **fields: Any) -> Subscription:
    return Subscription.objects.create(**{"workspace": of, "url": url, "events": ["Case.Created"], **fields})


def timed(change: Callable[[], T]) -> tuple[T, float]:
    """Makes a change in a transaction of its own; the moment (unix seconds) just after its commit."""
    moments: list[float] = []
    with transaction.atomic():
        transaction.on_commit(lambda: moments.append(time.time()))  # before the hook that rings
        made = change()
    return made, moments[0]


def create_case(of: Workspace) -> tuple[UUID, float]:
    """One save(); answers with the case's key and the moment (unix seconds) just after its commit."""
    case, committed = timed(lambda: Case.objects.create(workspace=of, name="Dotfile"))
    return case.pk, committed


def create_steadily(of: Sequence[Workspace], rate: float, seconds: float) -> dict[UUID, float]:
    """So many save()s a second, in all workspaces in turn; when each case was committed."""
    began, committed = time.monotonic(), {}
    for number in range(int(rate * seconds)):
        time.sleep(max(0.0, began + number / rate - time.monotonic()))
        key, moment = create_case(of[number % len(of)])
        committed[key] = moment
    return committed


def cases_of_events(committed: dict[UUID, float]) -> dict[str, float]:
    """When each event was committed, by its id as receivers see it."""
    events = Event.objects.filter(case_id__in=list(committed), name="Case.Created").values_list("id", "case_id")
    return {str(key): committed[case] for key, case in events if case}


def events_of(cases: Iterable[str]) -> dict[tuple[str, str], str]:
    """The ids of their events, by case and name."""
    rows = Event.objects.filter(case_id__in=list(cases)).values_list("case_id", "name", "id")
    return {(str(case), name): str(key) for case, name, key in rows}


def create_in_bulk(of: Workspace, count: int, chunk: int = 1000) -> None:
    for start in range(0, count, chunk):
        Case.objects.bulk_create([Case(workspace=of, name="Dotfile") for _ in range(min(chunk, count - start))])


def pile_up(of: Subscription, count: int) -> None:
    """Deliveries that wait, built already, as if nobody had served the subscription for long."""
    build_up([of], count)
    gather_statistics()


def build_up(of: Sequence[Subscription], count: int, filler: int = FILLER) -> None:
    """Deliveries that wait, built already, an event each, for these subscriptions in turn."""
    values: dict[str, Any] = {
        "subscriptions": [str(row.pk) for row in of],
        "workspaces": [str(row.workspace_id) for row in of],
        "count": count,
        "filler": filler,
    }
    with connection.cursor() as cursor:
        cursor.execute(BACKLOG, values)


def gather_statistics() -> None:
    """As autovacuum has on any server older than a minute: a table that it never saw is read and sorted whole."""
    with connection.cursor() as cursor:
        for table in ("event", "payload", "delivery", "lane"):
            cursor.execute(f"ANALYZE deliveries_{table}")


def tidy() -> None:
    """As a server is between two waves: vacuumed, and with nothing left to write to the disk."""
    with connection.cursor() as cursor:
        for table in (*QUEUE, "lane"):
            cursor.execute(f"VACUUM ANALYZE deliveries_{table}")
        cursor.execute("CHECKPOINT")


def clear() -> None:
    """No event was ever recorded; workspaces, subscriptions and their lanes stay."""
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(f'deliveries_{table}' for table in QUEUE)}")
        cursor.execute("UPDATE deliveries_lane SET due_at = NULL")


def make_due(*of: Subscription) -> None:
    """Their lanes, with what piled up; a courier finds them within a second."""
    keys = [str(row.pk) for row in of]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE deliveries_lane SET due_at = clock_timestamp() WHERE subscription_id = ANY(%s::uuid[])", [keys]
        )


def is_drained() -> bool:
    """Nothing waits to be built or sent."""
    waiting = Delivery.objects.filter(state__in=[Delivery.State.PENDING, Delivery.State.BLOCKED])
    return not Event.objects.filter(state=Event.State.WAITING).exists() and not waiting.exists()


def processes_that_sent(to: Sequence[Subscription]) -> int:
    keys = [row.pk for row in to]
    return Attempt.objects.filter(subscription_id__in=keys).order_by().values("worker").distinct().count()


def numbered(of: str, count: int) -> Iterator[str]:
    return (f"{of}/{number}" for number in range(count))

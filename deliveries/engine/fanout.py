"""From recorded events to deliveries: who asked for what, built once, one row per event and subscription."""

from __future__ import annotations

import itertools
import json
import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection, transaction
from psycopg2.errors import LockNotAvailable

from .envelope import Parts, Shape
from .statements import AS_USUAL_HERE, BY_INDEX_HERE, Prepared, array, texts, together

logger = logging.getLogger(__name__)

# Events of one transaction: some 40 ms of work, so that two processes share a burst fairly.
BATCH = 200
# Builds of one event before it is given up and shown to people. The last of them comes about four minutes later.
MAX_BUILDS = 8

TAKE = Prepared(
    "take_events",
    """
SELECT id, workspace_id, name, entity_id, case_id, individual_id, company_id, sequence, fields::text, created_at,
    deliveries_uuid7()
FROM deliveries_event
WHERE state = 0 AND build_at <= statement_timestamp()
ORDER BY build_at, id LIMIT %s FOR UPDATE SKIP LOCKED
""",
)
# A payload that was sent must not be built again, so this transaction alone waits for the disk.
WAIT_FOR_THE_DISK = "SET LOCAL synchronous_commit = on"
SUBSCRIBERS = Prepared(
    "read_subscribers",
    """
SELECT id, workspace_id, events, status = 'online', ordered, created_at, payload, without
FROM deliveries_subscription WHERE workspace_id = ANY(%s::uuid[]) ORDER BY id
""",
)
# For what events say in further shapes; TAKE makes the first's.
KEYS = Prepared("make_payload_keys", "SELECT deliveries_uuid7() FROM generate_series(1, %s::int)")
# Deliveries of a subscription that is offline are held; the others are due at once, and their lanes with them.
# Lanes are locked in key order; whoever gives one back waits for this transaction and then sees its rows.
DELIVER = Prepared(
    "insert_deliveries",
    """
WITH payload AS (
    INSERT INTO deliveries_payload (id, event_id, context, entity)
    SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::text[])
)
INSERT INTO deliveries_delivery (id, workspace_id, subscription_id, event_id, payload_id, event_name, sub_event,
    case_id, individual_id, company_id, sequence, state, reason, ordered, due_at, attempts, retries, next_type,
    created_at)
SELECT deliveries_uuid7(), e.workspace_id, m.subscription_id, e.id, m.payload_id, m.event_name, m.sub_event, e.case_id,
    e.individual_id, e.company_id, e.sequence, CASE WHEN m.online THEN 0 ELSE 3 END,
    CASE WHEN m.online THEN '' ELSE 'offline' END, m.ordered AND e.case_id IS NOT NULL, clock_timestamp(), 0, 0, 0,
    e.created_at
FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::bool[], %s::bool[])
    WITH ORDINALITY AS m(event_id, payload_id, subscription_id, event_name, sub_event, online, ordered, n)
JOIN deliveries_event e ON e.id = m.event_id
ORDER BY m.n
""",
)
# A lane that rests is not due before its rest is over.
DUE = Prepared(
    "make_lanes_due",
    """
WITH locked AS (
    SELECT subscription_id, due_at, open, resume_at FROM deliveries_lane WHERE subscription_id = ANY(%s::uuid[])
    ORDER BY subscription_id FOR UPDATE
), touched AS (
    UPDATE deliveries_lane l SET due_at = greatest(clock_timestamp(), locked.resume_at) FROM locked
    WHERE l.subscription_id = locked.subscription_id
      AND locked.open AND (locked.due_at IS NULL OR locked.due_at > greatest(clock_timestamp(), locked.resume_at))
)
SELECT subscription_id FROM locked WHERE open
""",
)
# For subscriptions that were deleted or went offline since we read them: whoever did it has not seen our rows. Those
# became due in this transaction: through their index, whatever else waits.
ASIDE = """
UPDATE deliveries_delivery d
SET state = CASE WHEN l.subscription_id IS NULL THEN 2 ELSE 3 END,
    reason = CASE WHEN l.subscription_id IS NULL THEN 'subscription_deleted' ELSE 'offline' END
FROM unnest(%s::uuid[]) AS s(id) LEFT JOIN deliveries_lane l ON l.subscription_id = s.id
WHERE d.subscription_id = s.id AND d.state = 0 AND d.event_id = ANY(%s::uuid[])
  AND d.due_at BETWEEN transaction_timestamp() AND statement_timestamp()
"""
# For subscriptions that came online since we read them: what recovers held deliveries has not seen our rows.
AHEAD = """
UPDATE deliveries_delivery SET state = 0, reason = ''
WHERE subscription_id = ANY(%s::uuid[]) AND state = 3 AND event_id = ANY(%s::uuid[]) AND created_at >= %s
"""
# Those of a deleted case stay: they tell later builds what it was (payloads.py).
BUILT = """
UPDATE deliveries_event SET state = 1, error = '',
    fields = CASE WHEN name = 'Case.Deleted' THEN fields END
WHERE id = ANY(%s::uuid[])
"""
# By the keys themselves, too: they tell PostgreSQL in which partitions it need not look.
FAILED = """
UPDATE deliveries_event e SET builds = e.builds + 1, error = f.error,
    state = CASE WHEN e.builds + 1 >= %s THEN 2 ELSE 0 END,
    build_at = clock_timestamp() + interval '2 s' * (2 ^ e.builds)
FROM unnest(%s::uuid[], %s::text[]) AS f(id, error) WHERE e.id = f.id AND e.id = ANY(%s::uuid[])
"""


class FormLike(Protocol):
    """The names under which an event is sent."""

    @property
    def event(self) -> str: ...
    @property
    def sub_event(self) -> str: ...


class Recorded(NamedTuple):
    """An event as recorded: the columns of TAKE."""

    id: UUID
    workspace_id: UUID
    name: str
    entity_id: UUID
    case_id: UUID | None
    individual_id: UUID | None
    company_id: UUID | None
    sequence: int | None
    fields: Any
    """The entity's own columns, by attribute name."""
    created_at: datetime
    payload_id: UUID
    """The key of what it will say, in the first shape: made when it is built, as those of its deliveries, and kept as
    long as they are."""

    def __repr__(self) -> str:
        return f"Recorded({self.name} {self.id})"  # never the fields: they are personal data


class Subscriber(NamedTuple):
    """The part of a subscription that decides what it is sent."""

    id: UUID
    workspace_id: UUID
    events: list[str]
    online: bool
    ordered: bool
    created_at: datetime
    shape: Shape


Told = Mapping[Shape, Parts]
"""What an event says, in each shape that somebody wants."""


@dataclass(frozen=True)
class Match:
    """An event that goes to a subscription, and how it is named there."""

    event: Recorded
    subscriber: Subscriber
    form: FormLike


@dataclass(frozen=True)
class Domain:
    """What the domain's side gives: how events are named for a subscription, and what they say."""

    form_for: Callable[[str, Sequence[str]], FormLike | None]
    build: Callable[[Sequence[Recorded], Mapping[UUID, Collection[Shape]]], Mapping[UUID, Told | Exception]]
    """The events, and the shapes that are wanted of each."""


def fan_out(domain: Domain, limit: int = BATCH) -> int:
    """Builds a batch of waiting events and inserts their deliveries, in one transaction and few statements.

    Answers how many there were. An event that fails does so alone: its error, its tries and the next one stand on its
    row.
    """
    try:
        with transaction.atomic():
            return _deliver(domain, _take(limit))
    except Exception as error:
        if is_the_database_away(error):
            raise
        # One event, or one subscription's lock, spoils it for all: find it by taking one at a time.
        return sum(itertools.islice(iter(lambda: _fan_out_one(domain), 0), limit))


def _fan_out_one(domain: Domain) -> int:
    with transaction.atomic():
        events = _take(1)
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '100ms'")
        try:
            with transaction.atomic():
                return _deliver(domain, events)
        except Exception as error:
            if is_the_database_away(error):
                raise
            _fail({events[0].id: error})
            return 1


def is_the_database_away(error: Exception) -> bool:
    """Nobody's payload is at fault then. A lock that somebody holds for long is an event's own trouble."""
    locked = isinstance(error.__cause__, LockNotAvailable)
    return isinstance(error, (OperationalError, InterfaceError)) and not locked


def _take(limit: int) -> list[Recorded]:
    with connection.cursor() as cursor:
        TAKE.execute(cursor, [limit])
        rows = [Recorded(*row) for row in cursor.fetchall()]
    # Not orjson: it would take a whole number beyond 64 bits for a float, and lose digits.
    return [row._replace(fields=json.loads(row.fields)) for row in rows]


def _deliver(domain: Domain, events: list[Recorded]) -> int:
    if not events:
        return 0
    matches = _match(domain, events, _subscribers({event.workspace_id for event in events}))
    wanted = {match.event.id: match.event for match in matches}
    built = domain.build(list(wanted.values()), _shapes(matches)) if wanted else {}
    failed = {key: told for key, told in built.items() if isinstance(told, Exception)}
    told = {key: value for key, value in built.items() if not isinstance(value, Exception)}
    matches = [match for match in matches if match.event.id in told]
    if failed:
        _fail(failed)
    steps: list[tuple[Prepared | str, Sequence[Any]]] = [
        (BY_INDEX_HERE, ()),
        (WAIT_FOR_THE_DISK, ()),
        (BUILT, [array(event.id for event in events if event.id not in failed)]),
    ]
    with connection.cursor() as cursor:
        if matches:
            lanes = array({match.subscriber.id for match in matches})
            together(cursor, *steps, (DELIVER, _columns(matches, told)), (DUE, [lanes]))
            _reconsider(matches, open_now={row[0] for row in cursor.fetchall()})
        else:
            together(cursor, *steps)
    return len(events)


def _reconsider(matches: list[Match], open_now: set[UUID]) -> None:
    """For subscriptions turned on or off since we read them. The lanes are locked: who does so later sees our rows."""
    keys = array({match.event.id for match in matches})
    matched = {match.subscriber.id: match.subscriber.online for match in matches}
    with connection.cursor() as cursor:
        if closed := [key for key, online in matched.items() if online and key not in open_now]:
            cursor.execute(ASIDE, [array(closed), keys])
        if opened := [key for key, online in matched.items() if not online and key in open_now]:
            cursor.execute(AHEAD, [array(opened), keys, min(match.event.created_at for match in matches)])


def _subscribers(workspaces: set[UUID]) -> dict[UUID, list[Subscriber]]:
    result: dict[UUID, list[Subscriber]] = {key: [] for key in workspaces}
    with connection.cursor() as cursor:
        together(cursor, (AS_USUAL_HERE, ()), (SUBSCRIBERS, [array(workspaces)]))
        for row in cursor.fetchall():
            subscriber = Subscriber._make((*row[:-2], Shape.of(*row[-2:])))
            result[subscriber.workspace_id].append(subscriber)
    return result


def _match(domain: Domain, events: list[Recorded], subscribers: dict[UUID, list[Subscriber]]) -> list[Match]:
    """As of now; never an event that is older than the subscription, or about that very subscription."""
    asked: dict[tuple[UUID, str], list[tuple[Subscriber, FormLike]]] = {}
    for workspace, name in {(event.workspace_id, event.name) for event in events}:
        forms = [(one, domain.form_for(name, one.events)) for one in subscribers[workspace]]
        asked[workspace, name] = [(one, form) for one, form in forms if form]
    return [
        Match(event, one, form)
        for event in events
        for one, form in asked[event.workspace_id, event.name]
        if one.created_at <= event.created_at and one.id != event.entity_id
    ]


def _shapes(matches: Iterable[Match]) -> dict[UUID, dict[Shape, None]]:
    """Those that are wanted of each event, each once."""
    found: dict[UUID, dict[Shape, None]] = {}
    for match in matches:
        found.setdefault(match.event.id, {})[match.subscriber.shape] = None
    return found


def _payload_keys(matches: list[Match], told: Mapping[UUID, Told]) -> dict[tuple[UUID, Shape], UUID]:
    """A key for each body: one statement more for the whole batch, if any of its events has several."""
    first = {match.event.id: match.event.payload_id for match in matches}
    keys = {(event, next(iter(told[event]))): key for event, key in first.items()}
    if further := [(event, shape) for event in first for shape in list(told[event])[1:]]:
        with connection.cursor() as cursor:
            KEYS.execute(cursor, [len(further)])
            keys.update(zip(further, (key for (key,) in cursor.fetchall()), strict=True))
    return keys


def _columns(matches: list[Match], told: Mapping[UUID, Told]) -> list[str]:
    """The parameters of DELIVER."""
    keys = _payload_keys(matches, told)
    parts = [told[event][shape] for event, shape in keys]
    return [
        array(keys.values()),
        array(event for event, _ in keys),
        texts(each.context for each in parts),
        texts(each.entity for each in parts),
        array(match.event.id for match in matches),
        array(keys[match.event.id, match.subscriber.shape] for match in matches),
        array(match.subscriber.id for match in matches),
        texts(match.form.event for match in matches),
        texts(match.form.sub_event for match in matches),
        array(match.subscriber.online for match in matches),
        array(match.subscriber.ordered for match in matches),
    ]


def _fail(errors: Mapping[UUID, Exception]) -> None:
    for key, error in errors.items():
        logger.error("event %s could not be built: %s", key, type(error).__name__)
    with connection.cursor() as cursor:
        keys = array(errors)
        cursor.execute(FAILED, [MAX_BUILDS, keys, texts(map(describe, errors.values())), keys])


def describe(error: Exception) -> str:
    """Class and place of a fault of ours, never its text: that may hold what a person typed."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    place = f" at {trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}" if trace else ""
    return f"{type(error).__name__}{place}"

"""Outcomes, written in bulk: one attempt row each, and the delivery's new state if the lane is still ours."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.db import DataError, connection, transaction

from . import order
from .due import Due
from .statements import Prepared, array, documents, texts

logger = logging.getLogger(__name__)

# States of a delivery, as in models.Delivery.State.
PENDING, SUCCEEDED, FAILED, HELD = range(4)

# One statement: the update is guarded by the lane's token, and an attempt whose lane was lost says so.
SETTLE = Prepared(
    "settle",
    """
WITH outcome AS (
    SELECT * FROM ROWS FROM (
        unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::smallint[], %s::text[], %s::float8[], %s::int[], %s::smallint[],
            %s::smallint[], %s::smallint[], %s::text[], %s::smallint[], %s::text[], %s::text[], %s::float8[], %s::int[],
            %s::smallint[]),
        jsonb_array_elements(%s::jsonb),
        jsonb_array_elements(%s::jsonb)
    ) AS o(delivery_id, subscription_id, token, state, reason, delay, attempts, retries, next_type, type, url,
           status_code, error, response_body, ago, duration_ms, remaining, request_headers, response_headers)
), settled AS (
    UPDATE deliveries_delivery d SET state = o.state, reason = o.reason, attempts = o.attempts, retries = o.retries,
        next_type = o.next_type, status_code = o.status_code,
        due_at = clock_timestamp() + o.delay * interval '1 s',
        last_attempt_at = clock_timestamp() - o.ago * interval '1 s'
    FROM outcome o JOIN deliveries_lane l ON l.subscription_id = o.subscription_id AND l.token = o.token
    WHERE d.id = o.delivery_id AND d.state = 0
    RETURNING d.id
)
INSERT INTO deliveries_attempt (id, delivery_id, subscription_id, type, number, url, status_code, error,
    request_headers, response_headers, response_body, started_at, duration_ms, remaining, worker, late)
SELECT deliveries_uuid7(), o.delivery_id, o.subscription_id, o.type, o.attempts, o.url, o.status_code, o.error,
    o.request_headers, nullif(o.response_headers, 'null'), o.response_body,
    clock_timestamp() - o.ago * interval '1 s', o.duration_ms, o.remaining, %s,
    o.delivery_id NOT IN (SELECT id FROM settled)
FROM outcome o
""",
)
# Not fenced by the lane's token: what is gone is gone for whoever serves the lane.
GIVE_UP = "UPDATE deliveries_delivery SET state = 2, reason = 'expired' WHERE id = ANY(%s::uuid[]) AND state = 0"


@dataclass(slots=True)  # frozen ones take three times as long to make
class Outcome:
    """What came of one request, in the order of SETTLE's columns."""

    delivery_id: str
    subscription_id: UUID
    token: UUID
    state: int
    reason: str
    delay: float
    """Seconds from now to the next attempt."""
    attempts: int
    """Made so far, this one included."""
    retries: int
    next_type: int
    type: int
    url: str
    status_code: int | None
    error: str
    response_body: str = field(repr=False)
    ago: float
    """Seconds since it was sent."""
    duration_ms: int
    remaining: int
    """Automatic retries that its body said were still to come."""
    request_headers: dict[str, str] = field(repr=False)
    response_headers: dict[str, str] | None = field(repr=False)
    in_order: UUID | None = None
    """The case within which its delivery keeps its order (ordered mode)."""


# PostgreSQL's refusal, psycopg2's (of NUL) and orjson's (of what is not Unicode).
UNSTORABLE = (DataError, ValueError, TypeError)
_COLUMNS: dict[str, Callable[[Iterable[Any]], str]] = {entry.name: array for entry in fields(Outcome)}
_COLUMNS |= dict.fromkeys(("reason", "url", "error", "response_body"), texts)
_COLUMNS |= dict.fromkeys(("request_headers", "response_headers"), documents)
del _COLUMNS["in_order"]  # no column
_VALUES = attrgetter(*_COLUMNS)


def settle(outcomes: Sequence[Outcome], worker: str) -> None:
    """Writes all outcomes in one statement; one that the database refuses is written without what it answered."""
    try:
        _write(outcomes, worker)
    except UNSTORABLE as error:
        if len(outcomes) > 1:
            for outcome in outcomes:
                settle([outcome], worker)
            return
        # The database's own text quotes what it refused.
        logger.error("the answer to delivery %s cannot be stored: %s", outcomes[0].delivery_id, type(error).__name__)
        _write([replace(outcomes[0], response_headers=None, response_body="")], worker)


def _write(outcomes: Sequence[Outcome], worker: str) -> None:
    ordered = [outcome for outcome in outcomes if outcome.in_order]
    if not ordered:
        _insert(outcomes, worker)
        return
    with transaction.atomic():
        order.hold({outcome.subscription_id: outcome.token for outcome in ordered})
        _insert(outcomes, worker)
        order.unblock((row.subscription_id, row.in_order) for row in ordered if row.in_order and row.state != PENDING)


def _insert(outcomes: Sequence[Outcome], worker: str) -> None:
    columns = zip(*map(_VALUES, outcomes), strict=True)
    parameters = [literal(values) for literal, values in zip(_COLUMNS.values(), columns, strict=True)]
    with connection.cursor() as cursor:
        SETTLE.execute(cursor, [*parameters, worker])


def give_up(gone: Sequence[Due], tokens: Mapping[UUID, UUID]) -> None:
    """Ends deliveries whose payloads are no longer kept: they can never be sent, and people see them as failed.

    `tokens` are those of their lanes.
    """
    ordered = [(due.subscription_id, due.in_order) for due in gone if due.in_order]
    with transaction.atomic():
        order.hold({owner: tokens[owner] for owner, _ in ordered})
        with connection.cursor() as cursor:
            cursor.execute(GIVE_UP, [array(due.id for due in gone)])
        order.unblock(ordered)

"""Outcomes, written in bulk: one attempt row each, and the delivery's new state if the lane is still ours."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from operator import attrgetter
from typing import Any
from uuid import UUID

import orjson
from django.db import DataError, connection, transaction

from . import order

logger = logging.getLogger(__name__)

# States of a delivery, as in models.Delivery.State.
PENDING, SUCCEEDED, FAILED, HELD = range(4)

# One statement: the update is guarded by the lane's token, and an attempt whose lane was lost says so.
SETTLE = """
WITH outcome AS (
    SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::smallint[], %s::text[], %s::float8[], %s::int[],
        %s::smallint[], %s::smallint[], %s::smallint[], %s::text[], %s::smallint[], %s::text[], %s::jsonb[],
        %s::jsonb[], %s::text[], %s::float8[], %s::int[], %s::smallint[])
    AS o(delivery_id, subscription_id, token, state, reason, delay, attempts, retries, next_type, type, url,
         status_code, error, request_headers, response_headers, response_body, ago, duration_ms, remaining)
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
    o.request_headers, o.response_headers, o.response_body, clock_timestamp() - o.ago * interval '1 s', o.duration_ms,
    o.remaining, %s, settled.id IS NULL
FROM outcome o LEFT JOIN settled ON settled.id = o.delivery_id
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one request, in the order of SETTLE's columns."""

    delivery_id: UUID
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
    request_headers: dict[str, str] = field(repr=False)
    response_headers: dict[str, str] | None = field(repr=False)
    response_body: str = field(repr=False)
    ago: float
    """Seconds since it was sent."""
    duration_ms: int
    remaining: int
    """Automatic retries that its body said were still to come."""
    in_order: UUID | None = None
    """The case within which its delivery keeps its order (ordered mode)."""


_NAMES = [entry.name for entry in fields(Outcome)]
_ID_FIELDS = attrgetter(*_NAMES[:3])
_PLAIN_FIELDS = attrgetter(*_NAMES[3 : _NAMES.index("request_headers")])


def settle(outcomes: Sequence[Outcome], worker: str) -> None:
    """Writes all outcomes in one statement; one that the database refuses is written without what it answered."""
    try:
        _write(outcomes, worker)
    except DataError as error:
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
    columns = [list(column) for column in zip(*map(_row, outcomes), strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(SETTLE, [*columns, worker])


def _row(outcome: Outcome) -> tuple[Any, ...]:
    """The outcome's fields in their order, as PostgreSQL reads them."""
    ids, plain = _ID_FIELDS(outcome), _PLAIN_FIELDS(outcome)
    sent, received = outcome.request_headers, outcome.response_headers
    headers = (_json(sent), None if received is None else _json(received))
    return (
        *map(str, ids),
        *plain,
        *headers,
        outcome.response_body,
        outcome.ago,
        outcome.duration_ms,
        outcome.remaining,
    )


def _json(headers: dict[str, str]) -> str:
    return orjson.dumps(headers).decode()

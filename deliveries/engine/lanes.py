"""Lanes: who serves which subscription. A courier leases due lanes, renews them while it works, and gives them back.

All times are PostgreSQL's; what is due is compared with statement_timestamp(), since an index is of no help with a
clock that runs on meanwhile. A lease is fenced by a token: whoever finds another token on the lane has lost it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings
from django.db import connection

from .statements import Prepared, array, texts, together

# Leases in a row that ended without being given back: such a lane kills its couriers, and people must look at it.
PARK_AFTER = 5

LEASE = Prepared(
    "lease_lanes",
    """
WITH due AS (
    SELECT subscription_id, holder <> '' AS taken_over FROM deliveries_lane
    WHERE open AND due_at <= statement_timestamp() AND (leased_until IS NULL OR leased_until < clock_timestamp())
      AND takeovers < %s
    ORDER BY served_at NULLS FIRST LIMIT %s FOR UPDATE SKIP LOCKED
)
UPDATE deliveries_lane l SET holder = %s, token = gen_random_uuid(), served_at = clock_timestamp(),
    leased_until = clock_timestamp() + %s * interval '1 s', takeovers = takeovers + due.taken_over::int
FROM due WHERE l.subscription_id = due.subscription_id
RETURNING l.subscription_id, l.token, l.proven, due.taken_over,
    (SELECT updated_at FROM deliveries_subscription s WHERE s.id = l.subscription_id), l.health::text,
    extract(epoch FROM clock_timestamp())::float8
""",
)
# Who leased the lane before people brought it online again knows failures that count no more.
FORGIVEN = "coalesce({}.health->'forgiven', '0')"
# A lane that has answered 2xx under its lease kills nobody, whatever becomes of its courier.
RENEW = f"""
WITH held AS (
    SELECT l.subscription_id, h.succeeded, h.health FROM deliveries_lane l
    JOIN unnest(%s::uuid[], %s::uuid[], %s::bool[], %s::jsonb[]) AS h(subscription_id, token, succeeded, health)
      ON h.subscription_id = l.subscription_id AND h.token = l.token
    WHERE l.open ORDER BY l.subscription_id FOR UPDATE OF l
)
UPDATE deliveries_lane l SET leased_until = clock_timestamp() + %s * interval '1 s',
    health = CASE WHEN {FORGIVEN.format("l")} = {FORGIVEN.format("held")} THEN held.health ELSE l.health END,
    takeovers = CASE WHEN held.succeeded THEN 0 ELSE takeovers END
FROM held WHERE l.subscription_id = held.subscription_id
RETURNING l.subscription_id
"""  # noqa: S608  # of constants
# Two statements: the second sees what whoever held the row lock before us has committed, and that decides when the
# lane is next due. Fan-out inserts deliveries first and touches the lane last, so nothing falls between.
LOCK = Prepared(
    "lock_lanes",
    """
SELECT subscription_id FROM deliveries_lane
WHERE subscription_id = ANY(%s::uuid[]) AND token = ANY(%s::uuid[]) ORDER BY subscription_id FOR UPDATE
""",
)
RELEASE = Prepared(
    "release_lanes",
    f"""
UPDATE deliveries_lane l SET holder = '', token = NULL, leased_until = NULL, takeovers = 0, proven = r.proven,
    health = CASE WHEN {FORGIVEN.format("l")} = {FORGIVEN.format("r")} THEN r.health ELSE l.health END,
    resume_at = r.resume_at, due_at = (
        SELECT greatest(d.due_at, r.resume_at) FROM deliveries_delivery d
        WHERE d.subscription_id = l.subscription_id AND d.state = 0 ORDER BY d.due_at LIMIT 1
    )
FROM (
    SELECT subscription_id, token, proven, health::jsonb,
        CASE WHEN rest > 0 THEN clock_timestamp() + rest * interval '1 s' END
    FROM unnest(%s::uuid[], %s::uuid[], %s::bool[], %s::text[], %s::float8[])
    AS r(subscription_id, token, proven, health, rest)
) AS r(subscription_id, token, proven, health, resume_at)
WHERE l.subscription_id = r.subscription_id AND l.token = r.token
RETURNING l.open AND l.due_at <= clock_timestamp()
""",  # noqa: S608  # of constants
)
NEXT_DUE = """
SELECT extract(epoch FROM min(due_at) - clock_timestamp())::float8 FROM deliveries_lane
WHERE open AND leased_until IS NULL AND takeovers < %s
"""


@dataclass(frozen=True)
class Lease:
    """The right to serve one subscription for a while."""

    subscription_id: UUID
    token: UUID
    proven: bool
    taken_over: bool
    """The courier before us never gave the lane back."""
    version: datetime
    """When the subscription was last changed."""
    health: dict[str, Any] = field(repr=False, hash=False)
    """As breaker.Health.dump() gave it."""
    ends: float
    """On the monotonic clock; the database's own idea of it is a little later."""
    paced: float
    """Seconds until its rate allows a request, whatever ended the lane's rest early."""


@dataclass(frozen=True)
class Report:
    """What the holder of a lane knows of it: written when the lease is renewed or given back."""

    lease: Lease
    proven: bool
    """The last answer was 2xx."""
    succeeded: bool
    """An answer under this lease was 2xx."""
    health: dict[str, Any] = field(repr=False)
    rest: float
    """Seconds during which nothing more may be sent; 0: none."""


def lease(holder: str, limit: int) -> list[Lease]:
    """Takes up to `limit` due lanes, the least recently served first."""
    began = time.monotonic()
    seconds = settings.DELIVERY_LEASE
    with connection.cursor() as cursor:
        LEASE.execute(cursor, [PARK_AFTER, limit, holder, seconds])
        rows: list[tuple[UUID, UUID, bool, bool, datetime, str, float]] = cursor.fetchall()
    return [_leased(row, began + seconds) for row in rows]


def _leased(row: tuple[UUID, UUID, bool, bool, datetime, str, float], ends: float) -> Lease:
    health = orjson.loads(row[5])
    return Lease(*row[:5], health=health, ends=ends, paced=max(0.0, health.get("paced_until", 0.0) - row[6]))


def renew(reports: Sequence[Report]) -> tuple[set[UUID], float]:
    """Extends leases that are still ours.

    Answers whose they are, and their new end on the monotonic clock. A lane that was closed meanwhile (its subscription
    went offline) counts as lost.
    """
    began = time.monotonic()
    succeeded, health = [report.succeeded for report in reports], _healths(reports)
    with connection.cursor() as cursor:
        cursor.execute(RENEW, [*_keys(reports), succeeded, health, settings.DELIVERY_LEASE])
        return {row[0] for row in cursor.fetchall()}, began + settings.DELIVERY_LEASE


def release(reports: Sequence[Report]) -> bool:
    """Gives lanes back; one that was lost is left alone. Answers whether one of them is due again already."""
    keys = [array(column) for column in _keys(reports)]
    columns = [
        array(report.proven for report in reports),
        texts(_healths(reports)),
        array(report.rest for report in reports),
    ]
    with connection.cursor() as cursor:
        together(cursor, (LOCK, keys), (RELEASE, [*keys, *columns]))
        return any(row[0] for row in cursor.fetchall())


def _keys(reports: Sequence[Report]) -> tuple[list[str], list[str]]:
    leases = [report.lease for report in reports]
    return [str(row.subscription_id) for row in leases], [str(row.token) for row in leases]


def _healths(reports: Sequence[Report]) -> list[str]:
    return [orjson.dumps(report.health).decode() for report in reports]


def seconds_until_due() -> float | None:
    """Until the earliest lane that nobody holds is due; negative when it is due already, None when none will be."""
    with connection.cursor() as cursor:
        cursor.execute(NEXT_DUE, [PARK_AFTER])
        seconds: float | None = cursor.fetchone()[0]
    return seconds


def prolonged(held: Lease, ends: float) -> Lease:
    """The same lease with a later end."""
    return replace(held, ends=ends)

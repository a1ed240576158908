"""Rows of other days: their keys say when they were made."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from deliveries.engine import partitions
from deliveries.models import Attempt, Delivery, Event, Payload, Subscription
from workspaces.identifiers import RANDOM_BITS, lowest_id, new_id
from workspaces.models import Workspace

LONG_AGO = datetime(2020, 2, 28, 12, tzinfo=UTC)
DAY = LONG_AGO.date()
DAY_AFTER = date(2020, 2, 29)


def key(moment: datetime = LONG_AGO) -> UUID:
    """As if made then."""
    return UUID(int=lowest_id(moment).int | secrets.randbits(RANDOM_BITS))


def event(of: Workspace, moment: datetime = LONG_AGO, **fields: Any) -> Event:
    defaults = {"workspace": of, "name": "Case.Created", "entity_id": new_id(), "state": Event.State.BUILT}
    return Event.objects.create(**defaults | {"id": key(moment), "build_at": moment, "created_at": moment} | fields)


def delivery(to: Subscription, moment: datetime = LONG_AGO, **fields: Any) -> Delivery:
    """With its event and payload."""
    recorded = event(to.workspace, moment, case_id=fields.get("case_id"), sequence=fields.get("sequence"))
    payload = Payload.objects.create(id=recorded.pk, event=recorded, context='"sequence":null', entity='"case":{}')
    defaults = {
        "workspace": to.workspace,
        "subscription": to,
        "event": recorded,
        "payload": payload,
        "event_name": recorded.name,
    }
    times = {"id": key(moment), "due_at": moment, "created_at": moment}
    return Delivery.objects.create(**defaults | times | fields)


def attempt(of: Delivery, moment: datetime = LONG_AGO, **fields: Any) -> Attempt:
    defaults = {"id": key(moment), "delivery": of, "subscription": of.subscription, "type": 0, "number": 1}
    told = {"url": "https://example.com/", "status_code": 200, "request_headers": {}, "worker": "test"}
    return Attempt.objects.create(**defaults | told | {"started_at": moment, "duration_ms": 1} | fields)


def partition_of(row: Event | Payload | Attempt) -> str:
    """The name of the table that holds it."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT tableoid::regclass::text FROM {row._meta.db_table} WHERE id = %s", [row.pk])
        name: str = cursor.fetchone()[0]
    return name


def names(table: str) -> set[str]:
    return {row.name for row in partitions.attached(table)}


@contextmanager
def partitions_of(*days: date) -> Iterator[None]:
    """Of all three tables; gone afterwards, whatever the test did with them."""
    rows = [partitions.of_day(table, day) for table in partitions.TABLES for day in days]
    try:
        assert all(partitions.make(row) for row in rows)
        yield
    finally:
        for row in rows:
            partitions.drop_detached(row)

"""Turns what a run left behind into evidence: the files of load and receivers, and the engine's rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db import connection

from deliveries.models import Delivery
from dotfile_hooks.dev.recording import Post

from . import history
from .evidence import AttemptRow, DeliveryRow, Evidence, Span, receipts
from .site import Site
from .world import World

DELIVERIES = """
SELECT d.id::text, d.subscription_id::text, d.event_id::text, d.state, d.attempts,
    coalesce(nullif(d.sub_event, ''), d.event_name),
    CASE WHEN d.state IN (2, 3) THEN
        (SELECT coalesce(e.value->>'name', e.value->>'last_name') FROM jsonb_each(('{' || p.entity || '}')::jsonb) e)
    END
FROM deliveries_delivery d JOIN deliveries_payload p ON p.id = d.payload_id
"""
ATTEMPTS = """
SELECT delivery_id::text, late, coalesce(request_headers->>'webhook-signature', ''), number, status_code IS NOT NULL
FROM deliveries_attempt
"""
TAKEOVERS = "SELECT subscription_id::text, count(*) FROM chaos_takeover GROUP BY 1"
SWITCHES = """
SELECT subscription_id::text, online, extract(epoch FROM at)::float8 FROM chaos_status ORDER BY at
"""
UNBUILT = "SELECT count(*) FROM deliveries_event WHERE state <> 1"


def evidence(site: Site, world: World) -> Evidence:
    """Of a run whose product is at rest."""
    facts = list(history.read(sorted(site.ground.folder.glob("history-?.jsonl"))))
    subscribers = world.subscribers(_offline(), settings.DELIVERY_LANE_IN_FLIGHT)
    found, strangers = receipts(_posts(site), subscribers)
    return Evidence(
        facts=facts,
        subscribers=subscribers,
        receipts=found,
        deliveries=list(_deliveries()),
        attempts=[AttemptRow(*row) for row in _rows(ATTEMPTS)],
        strangers=strangers,
        unbuilt=_rows(UNBUILT)[0][0],
        takeovers=dict(_rows(TAKEOVERS)),
        outages=site.outages,
    )


def _posts(site: Site) -> Iterator[Post]:
    with (site.ground.folder / "posts.jsonl").open() as file:
        for line in file:
            if line.endswith("\n"):
                yield Post.from_line(line)


def _deliveries() -> Iterator[DeliveryRow]:
    for key, subscription, event_id, state, attempts, event, mark in _rows(DELIVERIES):
        name = Delivery.State(state).name.lower()
        yield DeliveryRow(key, subscription, event_id, name, attempts, (event, mark) if mark else None)


def _offline() -> dict[str, tuple[Span, ...]]:
    """When each subscription was off, as the database noted it."""
    spans: dict[str, list[Span]] = {}
    for key, online, at in _rows(SWITCHES):
        found = spans.setdefault(key, [])
        if not online:
            found.append((at, float("inf")))
        elif found:
            found[-1] = (found[-1][0], at)
    return {key: tuple(found) for key, found in spans.items()}


def _rows(statement: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        found: list[Any] = cursor.fetchall()
    return found


def dump(path: str, figures: object) -> None:
    with open(path, "w") as file:
        json.dump(figures, file, indent=2)

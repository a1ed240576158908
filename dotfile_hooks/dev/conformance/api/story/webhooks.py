"""Webhooks, and the log of what they were sent."""

from __future__ import annotations

import time
from collections.abc import Iterator

from dotfile_hooks.dev.conformance.api.client import Client, Stuck

from .bodies import Body
from .place import Place

WEBHOOKS, WEBHOOK, LOGS = "/v1/webhooks", "/v1/webhooks/{id}", "/v1/webhook-logs"
PATIENCE = 60.0  # seconds; less than one is needed, on a busy machine some
LOOK = 0.1  # seconds between looks


def tell(client: Client, place: Place) -> None:
    every = client.words(f"POST {WEBHOOKS}", "events[]") or ["Case.Created"]
    about: Body = {"name": "All", "url": place.receiver, "events": every}
    webhook = client.post(WEBHOOKS, body=about | {"status": "online", "type": "user"})
    client.post(WEBHOOKS, body=about | {"status": "offline", "type": "system", "secret": "of-an-earlier-time-16"})
    client.get(WEBHOOKS)
    client.get(WEBHOOK, webhook["id"])
    for body in _changes(about):
        client.patch(WEBHOOK, webhook["id"], body=body)
    client.patch(WEBHOOK, webhook["id"], body={"status": "online"})
    client.post("/v1/cases", body={"name": "Told of"})
    _wait_for_logs(client)
    client.get(LOGS)
    client.delete(WEBHOOK, webhook["id"])


def _changes(about: Body) -> Iterator[Body]:
    yield about | {"name": "Renamed", "secret": "another-one-of-16-characters"}
    for name, words in (("status", ("offline", "online")), ("type", ("system", "user"))):
        for word in words:
            yield {name: word}


def _wait_for_logs(client: Client) -> None:
    """Looks past the client's judgement: a list that is empty says little of its rows."""
    deadline = time.monotonic() + PATIENCE
    while not client.looks_filled(LOGS):
        if time.monotonic() > deadline:
            raise Stuck(f"GET {LOGS} had nothing within {PATIENCE:g} s of an event")
        time.sleep(LOOK)

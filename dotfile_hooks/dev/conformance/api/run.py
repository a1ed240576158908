"""Tells the story to a running API. Imports models: Django must be set up."""

from __future__ import annotations

import contextlib

from dotfile_hooks.dev.conformance.contract import Contract

from . import story
from .client import Client
from .record import Row
from .story import place


def play(api: str, receiver: str, contract: Contract) -> tuple[list[Row], list[str]]:
    """What came of each operation of the document, and where the story ended early."""
    there = place.made(receiver)
    client = Client(api, there.key, contract)
    with contextlib.closing(client):
        stuck = story.tell(client, there)
    rows = [*client.rows.values()]
    for row in rows:
        row.finish(contract.root)
    return rows, stuck

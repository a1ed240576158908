"""What many attempts cost those who look back, and those who write while a day of them is dropped."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from .results import Report, percentile, say

if TYPE_CHECKING:
    from uuid import UUID

    from .backlog import Database

LONGEST_WAIT = 500.0
"""Milliseconds that a courier's whole round may take meanwhile: partitions.LOCK_TIMEOUT and a slow round."""
BEFORE = 50
"""Rounds of a quiet moment, to compare with."""


def look_back(report: Report, database: Database, count: int) -> None:
    """The history of some deliveries, one after another."""
    from deliveries.models import Attempt

    from . import rounds

    database.use()
    number = Attempt.objects.count()
    sample = list(Attempt.objects.filter(number=1).order_by("?").values_list("delivery_id", flat=True)[:count])
    took = [rounds.history(key) for key in sample]
    for share in (0.5, 0.95):
        report.add(f"history of a delivery beside {number:,} attempts: p{share * 100:g}", percentile(took, share), "ms")


def drop(report: Report, database: Database, subscription: list[UUID]) -> None:
    """The partition of today, with all attempts that there are, while a courier goes on: the next go to the default.

    If midnight (UTC) has passed since they were made, that of yesterday, too.
    """
    from deliveries.models import Attempt

    from . import rounds

    database.use()
    rounds.make_due(subscription)
    quiet = [sum(rounds.take(1).values()) for _ in range(BEFORE)]
    number, dropped = Attempt.objects.count(), threading.Event()
    say(f"a day with {number:,} attempts is dropped")
    with ThreadPoolExecutor(1) as other:
        dropping = other.submit(_drop, type(database)(database.waiting), dropped)
        beside = [sum(rounds.take(1).values())]
        while not dropped.is_set():
            beside.append(sum(rounds.take(1).values()))
    seconds = dropping.result()
    report.add(f"a day with {number:,} attempts dropped", seconds, "s")
    report.add("a courier's round before", percentile(quiet, 0.5), "ms")
    report.add("a courier's round meanwhile, the slowest", max(beside), "ms", at_most=LONGEST_WAIT)
    left = max(0, Attempt.objects.count() - len(beside) * rounds.BATCH)
    report.add("attempts left of those before", left, at_most=0)


def _drop(database: Database, dropped: threading.Event) -> float:
    """Seconds until it is gone."""
    from django.db import connection

    from deliveries.engine import partitions

    database.use()
    try:
        began = time.monotonic()
        for day in [row for row in partitions.attached("deliveries_attempt") if row.begin <= _today()]:
            if not partitions.drop(day):
                raise RuntimeError("Nobody holds the table for long: the drop must succeed.")
        return time.monotonic() - began
    finally:
        dropped.set()
        connection.close()


def _today() -> date:
    return datetime.now(UTC).date()

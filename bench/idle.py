"""What it costs to have nothing to do: statements, Redis commands and CPU, each for a minute.

`python -m bench.idle [--seconds 60] [--json PATH]`: web, worker, chores and beat, after a delivery and a rest.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections import Counter

from dotfile_hooks.dev import processes

from . import results, site
from .results import Report, say

PROGRAMS = ("web", "worker", "chores", "beat")
REST = 15.0
"""Seconds, after which couriers have gone to sleep."""
STATEMENTS = """
SELECT regexp_replace(left(query, 90), '\\s+', ' ', 'g'), sum(calls)::bigint FROM pg_stat_statements
WHERE query !~ 'pg_stat_statements' GROUP BY 1
"""
MOST_STATEMENTS = 120.0
"""A minute: one each second, and as many again for whatever else."""
MOST_CPU = 3.0
"""Seconds a minute for each: a twentieth of a core."""


def main() -> int:
    parser = results.parser(__doc__ or "")
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    report = Report("Idle, for a minute")
    with processes.sentences(), site.running(observed=True) as found:
        found.start(*PROGRAMS)
        deliver_once(found)
        say(f"resting {REST:g} s, then measuring {options.seconds:g} s")
        time.sleep(REST)
        measure(found, report, options.seconds)
    return report.finish(options.json)


def deliver_once(found: site.Site) -> None:
    """So that everything is awake and connected."""
    from . import world

    of = world.workspace("idle")
    world.subscribe(of, found.url("ok/idle"))
    world.create_case(of)
    site.wait_until(lambda: found.received() == 1 and world.is_drained(), 30, "the one delivery")


def measure(found: site.Site, report: Report, seconds: float) -> None:
    """Counts before and after; figures are for a minute, notes say which statement and command cost what."""
    minute = 60 / seconds
    before = statements(found), commands(found), cpu(found)
    time.sleep(seconds)
    after = statements(found), commands(found), cpu(found)
    sql, redis, used = (Counter(new) - Counter(old) for old, new in zip(before, after, strict=True))
    report.add("SQL statements", sum(sql.values()) * minute, at_most=MOST_STATEMENTS)
    report.add("Redis commands", sum(redis.values()) * minute)
    for name in cpu(found):
        report.add(f"CPU of {name}", used[name] * minute, "s", at_most=MOST_CPU)
    for title, counts in (("Statements", sql), ("Redis commands", redis)):
        report.notes.append(f"{title} a minute:")
        report.notes += [f"  {count * minute:7.1f}  {what}" for what, count in counts.most_common(15)]


def statements(found: site.Site) -> dict[str, float]:
    """Calls so far of each statement."""
    return {str(query): float(str(calls)) for query, calls in site.execute(found.database_url, STATEMENTS)}


def commands(found: site.Site) -> dict[str, float]:
    """Calls so far of each Redis command."""
    with contextlib.closing(found.valkey.client()) as client:
        info: dict[str, dict[str, float]] = client.info("commandstats")  # type: ignore[assignment]  # never awaitable
    ours = {"cmdstat_info", "cmdstat_auth", "cmdstat_client|setinfo"}
    return {name.removeprefix("cmdstat_"): each["calls"] for name, each in info.items() if name not in ours}


def cpu(found: site.Site) -> dict[str, float]:
    """Seconds so far of each program and of the servers; the receiver is no part of the product."""
    return {name: used for name, used in found.cpu().items() if name != "receiver"}


if __name__ == "__main__":
    sys.exit(main())

"""What it costs to have nothing to do: statements, Redis commands and CPU, each for a minute.

`python -m bench.idle [--seconds 60] [--json PATH]`: web, worker, chores and beat, after a delivery and a rest.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections import Counter
from pathlib import Path

from dotfile_hooks.dev import processes

from . import results, site
from .results import Report, say

PROGRAMS = ("web", "worker", "chores", "beat")
REST = 15.0
"""Seconds, after which couriers have gone to sleep."""
TICK = os.sysconf("SC_CLK_TCK")
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
    """Seconds so far of each program, its children included, and of the servers."""
    roots = {each.name: each.process.pid for each in found.programs.programs if each.name in PROGRAMS}
    postmaster = int((found.folder / "postgres" / "postmaster.pid").read_text().split()[0])
    family = parents()
    roots |= {"PostgreSQL": postmaster, "Valkey": found.valkey.pid}
    return {name: sum(map(_seconds, tree(pid, family))) for name, pid in roots.items()}


def parents() -> dict[int, int]:
    """Of all processes that live."""
    found: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            found[int(folder.name)] = int(_stat(int(folder.name))[1])
    return found


def tree(root: int, family: dict[int, int]) -> list[int]:
    """The process and all below it."""
    found = [root]
    for pid in found:
        found += [child for child, parent in family.items() if parent == pid]
    return found


def _seconds(pid: int) -> float:
    """CPU of a process and of those children that it has outlived."""
    with contextlib.suppress(OSError):
        return sum(map(int, _stat(pid)[11:15])) / TICK
    return 0.0


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the program's name, which may hold blanks."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


if __name__ == "__main__":
    sys.exit(main())

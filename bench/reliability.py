"""What the promises cost and keep, measured: runs the chaos and the programs beside it, and writes docs/reliability.md.

`make reliability`, or `python -m bench.reliability [--seed N] [--from FOLDER] [--keep FOLDER]`: about half an hour on
two cores. With `--from` nothing is run: the JSON of an earlier run is in that folder.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "reliability.md"
PROGRAMS = ("bench.isolation", "bench.idle", "bench.overload")

HEAD = """\
# Reliability, measured

Written by `make reliability`: {date}, {machine}, everything (PostgreSQL, Valkey, workers, receivers, load) on it.
`make chaos` repeats the first part alone; the same `--seed` brings the same faults at the same moments.

## Chaos

Real processes under load, while processes are killed (`kill -9`; at random and at named points: after a build, after a
send, before outcomes are written, before leases are renewed), stopped past their leases and let go, deployed anew and
given wrong clocks; Valkey is flushed, restarted, paused and cut off half-open; PostgreSQL is stopped at once and
started again, its connections are cut and its disk is "full"; receivers refuse, reset, drip and hang, and 60 names
have a silent DNS. Then everything drains, and a checker compares what was committed with what arrived. It knows what
was committed from the load's own notes, not from our tables. A ledger that does not add up makes a run void, not green.

- **Lost**: committed and asked for, but neither received nor visibly failed or held.
- **Unexpected**: rolled back, never committed, of another workspace, not asked for, older than the subscription, or
  sent to one that is offline for more than two seconds.
- **Duplicates**: received again with the same id. At most: what was in flight or not yet written down in the lanes
  that were taken over, and what a database that was stopped at once forgets of its last moment.

"""
NAMES = {
    "verdict": "verdict",
    "seed": "seed",
    "seconds": "seconds, drain and check included",
    "committed": "events committed",
    "rolled back": "changes rolled back",
    "unknown": "commits whose outcome the client never learned",
    "wanted": "deliveries wanted",
    "received": "requests received",
    "lost": "**lost**",
    "unexpected": "**unexpected**",
    "duplicates": "duplicates",
    "duplicates at most": "duplicates allowed at most",
    "takeovers": "lanes taken over",
    "finally failed": "finally failed (visibly)",
    "kills": "processes killed",
    "resumed after at most (s)": "seconds from a kill until its lanes were served again, at most",
}


def main() -> int:
    options = _arguments()
    with tempfile.TemporaryDirectory() as made:
        folder = options.read or options.keep or Path(made)
        folder.mkdir(parents=True, exist_ok=True)
        status = 0 if options.read else _run(folder, options.seed)
        DOCUMENT.write_text("".join(_document(folder)))
    print(f"Written: {DOCUMENT.name}")
    return status


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.reliability", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", type=int, help="of the chaos")
    parser.add_argument("--from", dest="read", type=Path, metavar="FOLDER", help="of an earlier run's JSON")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="for the JSON")
    return parser.parse_args()


def _run(folder: Path, seed: int | None) -> int:
    """The greatest exit status of the programs; each of them writes its figures whatever they are."""
    chosen = [] if seed is None else ["--seed", str(seed)]
    statuses = [_program("tests.chaos", folder, *chosen)]
    statuses += [_program(name, folder) for name in PROGRAMS]
    return max(statuses)


def _program(name: str, folder: Path, *arguments: str) -> int:
    print(f"== {name}", flush=True)
    return subprocess.call([sys.executable, "-m", name, "--json", str(_path(folder, name)), *arguments])


def _path(folder: Path, name: str) -> Path:
    return folder / f"{name.rpartition('.')[2]}.json"


def _document(folder: Path) -> Iterator[str]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    machine = f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}, Python {platform.python_version()}"
    yield HEAD.format(date=f"{datetime.now(UTC):%Y-%m-%d}", machine=machine)
    yield from _chaos(json.loads(_path(folder, "tests.chaos").read_text()))
    for name in PROGRAMS:
        yield from _measured(name, json.loads(_path(folder, name).read_text()))


def _chaos(figures: dict[str, Any]) -> Iterator[str]:
    yield "| what | |\n|---|---:|\n"
    figures = figures | {"seed": str(figures["seed"])}
    yield from (f"| {shown} | {_text(figures[name])} |\n" for name, shown in NAMES.items() if name in figures)
    for title, name in (("Killed", "kills by kind"), ("Faults", "faults")):
        told = ", ".join(f"{kind.replace('_', ' ')} {count}" for kind, count in figures[name].items())
        yield f"\n{title}: {told}.\n"
    yield from (f"\n- {rule}: {'; '.join(found)}\n" for rule, found in figures["problems"].items())


def _measured(name: str, report: dict[str, Any]) -> Iterator[str]:
    yield f"\n## {report['title']}\n\n`python -m {name}`\n\n| what | measured | bar | |\n|---|---:|---:|---|\n"
    for figure in report["figures"]:
        verdict = "" if not _bar(figure) else "holds" if figure["holds"] else "**broken**"
        yield f"| {figure['name']} | {_text(figure['value'])} {figure['unit']} | {_bar(figure)} | {verdict} |\n"
    if report["notes"]:
        yield "\n```\n" + "\n".join(report["notes"]) + "\n```\n"


def _bar(figure: dict[str, Any]) -> str:
    if figure["at_most"] is not None:
        return f"≤ {_text(figure['at_most'])}"
    return f"≥ {_text(figure['at_least'])}" if figure["at_least"] is not None else ""


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


if __name__ == "__main__":
    sys.exit(main())

"""What the promises cost and keep, measured: runs the chaos and the programs beside it, and writes docs/reliability.md.

`make reliability`, or `python -m bench.reliability [--seed N] [--from FOLDER] [--keep FOLDER]`: about half an hour on
two cores. With `--from` nothing is run: the JSON of an earlier run is in that folder.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import document
from .results import shown

DOCUMENT = document.DOCS / "reliability.md"
CHAOS = "tests.chaos"
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
    parser = document.parser("bench.reliability", __doc__ or "")
    parser.add_argument("--seed", type=int, help="of the chaos")
    options = parser.parse_args()
    with document.folder(options) as folder:
        status = 0 if options.read else _run(folder, options.seed)
        DOCUMENT.write_text("".join(_document(folder)))
    print(f"Written: {DOCUMENT.name}")
    return status


def _run(folder: Path, seed: int | None) -> int:
    """The greatest exit status of the programs; each of them writes its figures whatever they are."""
    chosen = [] if seed is None else ["--seed", str(seed)]
    return max(document.run(CHAOS, folder, *chosen), *(document.run(name, folder) for name in PROGRAMS))


def _document(folder: Path) -> Iterator[str]:
    yield HEAD.format(**document.where())
    yield from _chaos(document.load(folder, CHAOS))
    for name in PROGRAMS:
        yield from document.section(name, document.load(folder, name))


def _chaos(figures: dict[str, Any] | None) -> Iterator[str]:
    if figures is None:
        yield "It ended before it had found anything.\n"
        return
    yield "| what | |\n|---|---:|\n"
    figures = figures | {"seed": str(figures["seed"])}
    yield from (f"| {told} | {shown(figures[name])} |\n" for name, told in NAMES.items() if name in figures)
    for title, name in (("Killed", "kills by kind"), ("Faults", "faults")):
        told = ", ".join(f"{kind.replace('_', ' ')} {count}" for kind, count in figures[name].items())
        yield f"\n{title}: {told}.\n"
    yield from (f"\n- {rule}: {'; '.join(found)}\n" for rule, found in figures["problems"].items())


if __name__ == "__main__":
    sys.exit(main())

"""How fast the API answers, measured: runs two programs beside this one and writes docs/performance/api.md.

`make bench-api`, or `python -m bench.api [--from FOLDER] [--keep FOLDER]`: some minutes on two cores. With `--from`
nothing is run: the JSON of an earlier run is in that folder.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from . import document
from .document import Report

PROGRAMS = ("bench.reads", "bench.posts")
HEAD = """\
# The API, measured

Written by `make bench-api`: {date}, {machine}; {load}.
Everything shares these cores: gunicorn as the Procfile starts it, PostgreSQL with its default settings, Valkey, and the
one client, which sends one request after another on a connection that it keeps.

- "A case page of 20 with people and checks" is read in two ways, and the bar is held against both: a page of the list
  of cases, which shows no people, as Dotfile's does not; and one case with its people, companies and their checks, the
  larger of them with 20 people. Pages of people and of checks are beside them: what is counted for these is far more.
- Time **in the server** is gunicorn's own count, from the head of a request to the end of its answer: bars are held
  against its median. Time at the client is beside it.
- **CPU** is what the kernel counted for the web server and for PostgreSQL, divided by the requests. It says what a
  request costs, whatever else the machine does; what others took of the machine is said below the tables.
- Throttles are asked for each request, and allow more than there are.

## Bars
"""


def main() -> int:
    options = document.parser("bench.api", __doc__ or "").parse_args()
    with document.folder(options) as folder:
        status = 0 if options.read else max(document.run(name, folder) for name in PROGRAMS)
        written = write(folder, document.DOCS / "performance")
    print(f"Written: {written.name}")
    return status


def write(folder: Path, to: Path) -> Path:
    """The document, from the JSON in `folder`."""
    written = to / "api.md"
    written.write_text("".join(_document({name: document.load(folder, name) for name in PROGRAMS})))
    return written


def _document(reports: dict[str, Report | None]) -> Iterator[str]:
    yield HEAD.format(**document.where(), load=_load())
    found = [figure for report in reports.values() if report for figure in report["figures"]]
    yield from document.table(
        ["what", "measured", "bar", ""], (document.row(each) for each in found if document.bar(each))
    )
    for name, report in reports.items():
        yield from document.section(name, report)


def _load() -> str:
    """How busy the machine was, and whether we went before others."""
    niceness = os.getpriority(os.PRIO_PROCESS, 0)
    told = "load average at its end " + ", ".join(f"{each:.1f}" for each in os.getloadavg())
    return f"{told}, at niceness {niceness}" if niceness else told


if __name__ == "__main__":
    sys.exit(main())

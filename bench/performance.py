"""How fast it is, measured: runs the programs beside this one and writes docs/performance.md, with plots.

`make bench`, or `python -m bench.performance [--full] [--from FOLDER] [--keep FOLDER]`: a quarter of an hour on two
cores. `--full` fills larger backlogs. With `--from` nothing is run: the JSON of an earlier run is in that folder.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from . import document, plots
from .document import Report

NAME = "performance"
PROGRAMS = (
    "bench.drain",
    "bench.load",
    "bench.saves",
    "bench.waiting",
    "bench.memory",
    "bench.tls",
    "bench.explain",
)
FULL = {"bench.waiting": ("--full",)}
PLOTS: dict[str, tuple[str, Callable[[Report, Path], None]]] = {
    "bench.drain": ("Deliveries a second, beside the floor and a naive twin", plots.drain),
    "bench.load": ("Milliseconds from commit to receipt", plots.load),
    "bench.waiting": ("Milliseconds to take work, against how much waits", plots.waiting),
    "bench.memory": ("Memory of a worker's processes, against what they have sent", plots.memory),
}
HEAD = """\
# Performance, measured

Written by `make bench`: {date}, {machine}. Everything shares these cores: PostgreSQL (which waits for its disk),
Valkey, workers, receivers and the load. `make bench-full` adds 5,000,000 waiting rows and 10,000,000 attempts;
`make bench-quick` compares the delivery path with the floor in about a minute.

- **The floor** reads, signs, sends and settles in batches without Django, Celery, lanes or retries: what this machine
  could do at best, measured between the other cells. **The twin** is what many teams ship first: a Celery task for each
  delivery, `requests.post`, ORM rows.
- A **drain** is counted from the wake-up to the last attempt that was written down. Each delivery has an event and a
  payload of its own, and a body of 1.5 kB.
- CPU is what the kernel counted for each process, its children included, divided by what was done.
- A run is **void** when its ledger does not add up: deliveries, attempts and requests at the receiver must be one
  number, with nothing received twice. In drains of the delivery path, under load, beside a backlog and while memory is
  watched, the events that each path was told of must be those of its deliveries, too: none missing, none besides.

## Bars
"""


def main() -> int:
    parser = document.parser("bench.performance", __doc__ or "")
    parser.add_argument("--full", action="store_true", help="larger backlogs, too")
    options = parser.parse_args()
    with document.folder(options) as folder:
        status = 0 if options.read else _run(folder, options.full)
        written = write(folder, document.DOCS)
    print(f"Written: {written.name}")
    return status


def _run(folder: Path, full: bool) -> int:
    """The greatest exit status of the programs; each of them writes its figures whatever they are."""
    return max(document.run(name, folder, *(FULL.get(name, ()) if full else ())) for name in PROGRAMS)


def write(folder: Path, to: Path) -> Path:
    """The document, from the JSON in `folder`, with what belongs to it beside it."""
    reports = {name: document.load(folder, name) for name in PROGRAMS}
    beside = to / NAME
    beside.mkdir(exist_ok=True)
    written = to / f"{NAME}.md"
    written.write_text("".join(_document(reports, beside)))
    return written


def _document(reports: dict[str, Report | None], beside: Path) -> Iterator[str]:
    yield HEAD.format(**document.where())
    yield from document.table(["what", "measured", "bar", ""], _bars(reports))
    for name, report in reports.items():
        path = document.path(beside, name)
        links = _picture(name, report, path) + _texts(report, path) if report else ""
        yield from document.section(name, report, links)


def _bars(reports: dict[str, Report | None]) -> Iterator[list[str]]:
    """Of all programs; first what does not count."""
    found = [report for report in reports.values() if report]
    yield from ([void, "", "", "**void**"] for report in found for void in report["voids"])
    figures = (figure for report in found for figure in report["figures"])
    yield from (document.row(figure) for figure in figures if document.bar(figure))


def _picture(name: str, report: Report, path: Path) -> str:
    """Draws it; how the document shows it."""
    if name not in PLOTS or not report["series"]:
        return ""
    told, draw = PLOTS[name]
    draw(report, path.with_suffix(".svg"))
    return f"\n![{told}]({NAME}/{path.stem}.svg)\n"


def _texts(report: Report, path: Path) -> str:
    """Writes what is long into a document of its own; where to find it."""
    if not report["texts"]:
        return ""
    path.with_suffix(".md").write_text("".join(document.texts(report)))
    return f"\nAll of it, word by word: [{NAME}/{path.stem}.md]({NAME}/{path.stem}.md)\n"


if __name__ == "__main__":
    sys.exit(main())

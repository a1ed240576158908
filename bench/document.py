"""What programs have measured, as parts of a document in Markdown. They run one after another, each writes its JSON."""

from __future__ import annotations

import argparse
import contextlib
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

from .results import shown

DOCS = Path(__file__).resolve().parents[1] / "docs"
Report = dict[str, Any]
"""As results.Report.finish wrote it."""


def parser(name: str, description: str) -> argparse.ArgumentParser:
    """With what all documents take."""
    made = argparse.ArgumentParser(prog=f"python -m {name}", description=description.splitlines()[0])
    made.add_argument("--from", dest="read", type=Path, metavar="FOLDER", help="of an earlier run's JSON")
    made.add_argument("--keep", type=Path, metavar="FOLDER", help="for the JSON")
    return made


@contextlib.contextmanager
def folder(options: argparse.Namespace) -> Iterator[Path]:
    """Where the JSON is, or goes."""
    with tempfile.TemporaryDirectory() as made:
        chosen: Path = options.read or options.keep or Path(made)
        chosen.mkdir(parents=True, exist_ok=True)
        yield chosen


def run(name: str, folder: Path, *arguments: str) -> int:
    """Runs a program; its exit status."""
    print(f"== {name}", flush=True)
    path(folder, name).unlink(missing_ok=True)  # an earlier run's figures are not this one's
    return subprocess.call([sys.executable, "-m", name, "--json", str(path(folder, name)), *arguments])


def path(folder: Path, name: str) -> Path:
    return folder / f"{name.rpartition('.')[2]}.json"


def load(folder: Path, name: str) -> Report | None:
    """None: the program ended early."""
    found = path(folder, name)
    return json.loads(found.read_text()) if found.exists() else None


def where() -> dict[str, str]:
    """The day and the machine, for a heading."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    machine = f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}, Python {platform.python_version()}"
    return {"date": f"{datetime.now(UTC):%Y-%m-%d}", "machine": machine}


def section(name: str, report: Report | None, beside: str = "") -> Iterator[str]:
    """All that a program has measured; `beside` comes first: its picture, where to find more."""
    if report is None:
        yield f"\n## {name}\n\n`python -m {name}` ended before it had measured anything.\n"
        return
    yield f"\n## {report['title']}\n\n`python -m {name}`\n"
    yield from (f"\n**Void**, means nothing: {each}\n" for each in report.get("voids", ()))
    yield beside
    yield from table(["what", "measured", "bar", ""], map(row, report["figures"]))
    for matrix in report.get("matrices", ()):
        yield f"\n{matrix['title']}:\n"
        yield from table(matrix["columns"], (map(shown, row) for row in matrix["rows"]))
    if report["notes"]:
        yield "\n```\n" + "\n".join(report["notes"]) + "\n```\n"


def texts(report: Report) -> Iterator[str]:
    """What is long, folded up: a document of its own."""
    yield f"# {report['title']}\n"
    for each in report["texts"]:
        yield f"\n<details><summary>{each['title']}</summary>\n\n```\n{each['text']}\n```\n\n</details>\n"


def table(columns: list[str], rows: Iterator[Any]) -> Iterator[str]:
    """Aligned to the right, but for the first column and those without a name."""
    lines = ["---:" if number and column else "---" for number, column in enumerate(columns)]
    yield f"\n| {' | '.join(columns)} |\n|{'|'.join(lines)}|\n"
    yield from (f"| {' | '.join(row)} |\n" for row in rows)


def row(figure: dict[str, Any]) -> list[str]:
    return [figure["name"], f"{shown(figure['value'])} {figure['unit']}".strip(), bar(figure), verdict(figure)]


def bar(figure: dict[str, Any]) -> str:
    """Empty: it has none."""
    if figure["at_most"] is not None:
        return f"≤ {shown(figure['at_most'])}"
    return f"≥ {shown(figure['at_least'])}" if figure["at_least"] is not None else ""


def verdict(figure: dict[str, Any]) -> str:
    if not bar(figure):
        return ""
    return "holds" if figure["holds"] else "**broken**"

"""Figures, the bars they are held against, and how both are shown."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from .runs import Run


@dataclass(frozen=True)
class Figure:
    """One measured number; with a bar it is good or not."""

    name: str
    value: float
    unit: str = ""
    at_most: float | None = None
    at_least: float | None = None

    @property
    def holds(self) -> bool:
        over = self.at_most is not None and not self.value <= self.at_most
        return not over and not (self.at_least is not None and not self.value >= self.at_least)

    @property
    def bar(self) -> str:
        if self.at_most is not None:
            return f"≤ {self.at_most:,.5g}"
        return f"≥ {self.at_least:,.5g}" if self.at_least is not None else ""


@dataclass(frozen=True)
class Series:
    """Points of one line in a plot: `y`, in `unit`, against `x`."""

    name: str
    x: list[float]
    y: list[float]
    unit: str = ""


@dataclass(frozen=True)
class Text:
    """Something long that is shown on demand."""

    title: str
    text: str


@dataclass
class Matrix:
    """Numbers that belong side by side."""

    title: str
    columns: list[str]
    rows: list[list[str | float]] = field(default_factory=list)

    def table(self) -> Table:
        table = Table(title=self.title, title_justify="left")
        for number, column in enumerate(self.columns):
            table.add_column(column, justify="right" if number else "left")
        for row in self.rows:
            table.add_row(*map(shown, row))
        return table


@dataclass
class Report:
    """All that one program found."""

    title: str
    figures: list[Figure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    series: list[Series] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    """For documents only: not printed."""
    matrices: list[Matrix] = field(default_factory=list)
    voids: list[str] = field(default_factory=list)
    """Runs whose ledger does not add up, and why: their figures mean nothing."""

    def add(
        self, name: str, value: float, unit: str = "", *, at_most: float | None = None, at_least: float | None = None
    ) -> None:
        self.figures.append(Figure(name, value, unit, at_most, at_least))

    def check(self, *done: Run) -> None:
        """Takes note of runs that are void."""
        for run in done:
            self.void(run.what, run.problems)

    def void(self, what: str, problems: Iterable[str]) -> None:
        """Each of them makes it so."""
        self.voids += [f"{what}: {problem}" for problem in problems]

    @property
    def holds(self) -> bool:
        return not self.voids and all(figure.holds for figure in self.figures)

    def finish(self, path: Path | None) -> int:
        """Prints the table, writes JSON to `path` if there is one; the status to exit with."""
        table = Table(title=self.title, title_justify="left")
        for column, side in (("what", "left"), ("measured", "right"), ("unit", "left"), ("bar", "right"), ("", "left")):
            table.add_column(column, justify="right" if side == "right" else "left", overflow="fold")
        for each in self.figures:
            verdict = ("[green]holds[/]" if each.holds else "[red]broken[/]") if each.bar else ""
            table.add_row(each.name, f"{each.value:,.5g}", each.unit, each.bar, verdict)
        console = Console(highlight=False)
        console.print(table)
        for matrix in self.matrices:
            console.print(matrix.table())
        for note in (*self.notes, *(f"VOID: {each}" for each in self.voids)):
            console.print(note, markup=False)
        if path:
            path.write_text(json.dumps(self._all(), indent=2) + "\n")
        return 0 if self.holds else 1

    def _all(self) -> dict[str, Any]:
        return {
            "title": self.title,
            "figures": [{**asdict(each), "holds": each.holds} for each in self.figures],
            "notes": self.notes,
            "series": [asdict(each) for each in self.series],
            "texts": [asdict(each) for each in self.texts],
            "matrices": [asdict(each) for each in self.matrices],
            "voids": self.voids,
        }


def shown(value: Any) -> str:
    """With as many digits as mean something."""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of them does not exceed; infinite when there are none."""
    ranked = sorted(values)
    return ranked[max(0, math.ceil(share * len(ranked)) - 1)] if ranked else math.inf


def parser(description: str) -> argparse.ArgumentParser:
    """With what all programs take."""
    made = argparse.ArgumentParser(description=description.splitlines()[0])
    made.add_argument("--json", type=Path, metavar="PATH", help="write the figures there, too")
    return made


def say(line: str) -> None:
    """Progress, for people."""
    print(f"· {line}", file=sys.stderr, flush=True)

"""Plots of what was measured, as SVG: from the series in a program's JSON."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

import pygal
from pygal.style import Style

from .document import Report
from .results import shown

# pygal looks at every import of the process, in a way that Python 3.11 warns of and later ones ignore.
sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, pygal.PluginImportFixer)]

STYLE = Style(
    background="white",
    plot_background="white",
    colors=("#4c72b0", "#dd8452", "#55a868", "#c44e52", "#8172b3"),
    opacity=".9",
    guide_stroke_color="#dddddd",
    major_guide_stroke_color="#dddddd",
    guide_stroke_dasharray="0",
    major_guide_stroke_dasharray="0",
    font_family="sans-serif",
    title_font_size=15,
    label_font_size=11,
    major_label_font_size=11,
    legend_font_size=12,
    value_font_size=11,
    stroke_width="2",
)
# Without the scripts that would show values under the mouse: what is in a document does not run, and is the same again.
LOOKS: dict[str, Any] = {
    "style": STYLE,
    "width": 800,
    "height": 400,
    "js": (),
    "no_prefix": True,
    "legend_at_bottom": True,
    "truncate_label": -1,
    "truncate_legend": -1,
    "value_formatter": shown,
}


EDGE = 1.01
"""A mark at the very edge would not be drawn."""


def drain(report: Report, path: Path) -> None:
    """A bar for each backlog and number of subscriptions, and under them the floor and the twin."""
    rates: dict[tuple[bool, str], dict[str, float]] = {}
    for line in report["series"]:
        backlog, _, processes = line["name"].rpartition(" by ")
        for many, rate in zip(line["x"], line["y"], strict=True):
            label = f"{backlog} to {many:,.0f}" if many else backlog
            rates.setdefault((not many, label), {})[processes] = rate
    labels = sorted(rates, key=itemgetter(0))[::-1]  # the first is drawn at the bottom
    chart = pygal.HorizontalBar(title="Deliveries a second, by backlog and subscriptions", print_values=True, **LOOKS)
    chart.x_labels = [label for _, label in labels]
    for processes in sorted({each for found in rates.values() for each in found}):
        told = "one process" if processes == "1" else f"{processes} processes"
        chart.add(told, [rates[label].get(processes) for label in labels])
    chart.render_to_file(str(path))


def load(report: Report, path: Path) -> None:
    """Percentiles from commit to receipt against changes a second, both in powers of ten."""
    lines = [line for line in report["series"] if line["name"].startswith("one subscription: ")]
    marks = marks_around(y for line in lines for y in line["y"])
    chart = pygal.XY(title="Milliseconds from commit to receipt, against changes a second", logarithmic=True, **LOOKS)
    chart.x_labels = sorted({x for line in lines for x in line["x"]})
    chart.y_labels, chart.range = marks, (marks[0], EDGE * marks[-1])
    chart.x_value_formatter = shown
    for line in lines:
        chart.add(line["name"].partition(": ")[2], list(zip(line["x"], line["y"], strict=True)))
    chart.render_to_file(str(path))


def waiting(report: Report, path: Path) -> None:
    """Time to take work against how much waits."""
    lines: Sequence[dict[str, Any]] = report["series"]
    chart = pygal.Line(title="Milliseconds to take work, against deliveries that wait", **LOOKS)
    chart.x_labels = [shown(int(x)) for x in lines[0]["x"]]
    chart.range = (0, max(y for line in lines for y in line["y"]))
    for line in lines:
        chart.add(line["name"], line["y"])
    chart.render_to_file(str(path))


def memory(report: Report, path: Path) -> None:
    """Memory of each process against what it has sent."""
    chart = pygal.XY(title="Memory of a worker's processes in MiB, against deliveries sent", **LOOKS)
    chart.range = (0, max(y for line in report["series"] for y in line["y"]))
    chart.x_value_formatter = shown
    for line in report["series"]:
        chart.add(line["name"], list(zip(line["x"], line["y"], strict=True)))
    chart.render_to_file(str(path))


def marks_around(values: Iterable[float]) -> list[float]:
    """Powers of ten, halves of them and fifths, that surround the values."""
    found = list(values) or [1.0]
    marks = [step * 10.0**power for power in range(-1, 7) for step in (1, 2, 5)]
    low = max((mark for mark in marks if mark <= min(found)), default=marks[0])
    high = min((mark for mark in marks if mark >= max(found)), default=marks[-1])
    return [mark for mark in marks if low <= mark <= high]

"""docs/performance.md, made of canned figures."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench import drain, performance, plots
from bench.drain import Cell
from bench.results import Matrix, Report, Series, Text
from bench.runs import Run


def canned(title: str, *lines: Series) -> Report:
    report = Report(title, series=list(lines))
    report.add("free", 12.345, "ms")
    return report


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """JSON of programs, as they write it."""
    drained = canned(
        "Drain",
        Series("20,000 by 1", [1, 10], [4000, 4500]),
        Series("20,000 by 2", [1, 10], [4000, 8000]),
        Series("floor by 2", [0], [20_000]),
    )
    drained.add("drained", 4321.0, "1/s", at_least=5000)
    drained.matrices.append(Matrix("By process", ["", "1/s"], [["to 10", 4321.5]]))
    drained.voids.append("fan-out: 1 built, not 2")
    load = canned("Load", Series("one subscription: p50", [100, 200], [7, 90]), Series("3: p50", [100], [8]))
    load.add("p50", 7.0, "ms", at_most=10)
    waiting = canned("Waiting", Series("all of one", [1000, 100_000], [3.0, 3.1]))
    waiting.texts.append(Text("A plan", "Index Scan"))
    for name, report in (("drain", drained), ("load", load), ("waiting", waiting)):
        report.finish(tmp_path / f"{name}.json")
    return tmp_path


def test_lines_are_by_backlog_and_processes_and_points_by_subscriptions() -> None:
    def run(rate: float) -> Run:
        return Run("", int(rate), 1.0, {})

    cells = [Cell(2, 20_000, 10, run(8000)), Cell(2, 20_000, 1, run(4000)), Cell(1, 20_000, 1, run(3000))]
    assert drain.series(cells, {"floor": {2: run(20_000)}}) == [
        Series("20,000 by 1", [1], [3000], "1/s"),
        Series("20,000 by 2", [1, 10], [4000, 8000], "1/s"),
        Series("floor by 2", [0], [20_000], "1/s"),
    ]


def texts_of(svg: Path) -> set[str]:
    return {text.strip() for text in ElementTree.parse(svg).getroot().itertext()}


def test_all_bars_of_all_programs_are_shown_first(folder: Path) -> None:
    document = performance.write(folder, folder).read_text()
    bars = document.partition("## Bars\n")[2].partition("## ")[0]
    assert "| drained | 4,321 1/s | ≥ 5,000 | **broken** |" in bars
    assert "| p50 | 7 ms | ≤ 10 | holds |" in bars
    assert "| fan-out: 1 built, not 2 |  |  | **void** |" in bars
    assert "free" not in bars


def test_figures_and_tables_of_a_program_follow(folder: Path) -> None:
    document = performance.write(folder, folder).read_text()
    assert "| free | 12.3 ms |  |  |" in document
    assert "|  | 1/s |\n|---|---:|\n| to 10 | 4,322 |" in document


def test_what_is_long_is_folded_up_in_a_document_of_its_own(folder: Path) -> None:
    document = performance.write(folder, folder).read_text()
    assert "(performance/waiting.md)" in document
    text = (folder / "performance/waiting.md").read_text()
    assert "<details><summary>A plan</summary>\n\n```\nIndex Scan\n```" in text


def test_what_is_void_or_missing_is_said(folder: Path) -> None:
    document = performance.write(folder, folder).read_text()
    assert "**Void**, means nothing: fan-out: 1 built, not 2" in document
    assert "`python -m bench.tls` ended before it had measured anything." in document


def test_each_plot_that_is_shown_is_there_and_says_what_it_shows(folder: Path) -> None:
    document = performance.write(folder, folder).read_text()
    for name in ("drain", "load", "waiting"):
        assert f"](performance/{name}.svg)" in document
    assert {"20,000 to 10", "floor", "8,000", "one process"} <= texts_of(folder / "performance/drain.svg")
    assert {"p50", "200", "5", "20", "100"} <= texts_of(folder / "performance/load.svg")
    assert {"all of one", "100,000"} <= texts_of(folder / "performance/waiting.svg")


def test_a_document_made_again_of_the_same_figures_is_the_same(folder: Path) -> None:
    written = performance.write(folder, folder)
    first = written.read_text(), (folder / "performance/load.svg").read_text()
    performance.write(folder, folder)
    assert (written.read_text(), (folder / "performance/load.svg").read_text()) == first


def test_a_plot_of_nothing_is_left_out(folder: Path) -> None:
    report = json.loads((folder / "load.json").read_text()) | {"series": []}
    (folder / "load.json").write_text(json.dumps(report))
    assert "load.svg" not in performance.write(folder, folder).read_text()


@pytest.mark.parametrize(
    ("values", "marks"),
    [([7.0, 90.0], [5, 10, 20, 50, 100]), ([1.0, 1.0], [1]), ([], [1]), ([0.01, 0.15], [0.1, 0.2])],
)
def test_an_axis_begins_below_its_values_and_ends_above_them(values: list[float], marks: list[float]) -> None:
    assert plots.marks_around(values) == pytest.approx(marks)

"""The short comparison, end to end, with few deliveries: real processes, a real worker."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench import quick
from bench.results import Report
from bench.runs import Run

COUNTS = ("--deliveries", "300", "--events", "200", "--floor", "500", "--rounds", "1")


def test_drain_floor_and_fan_out_are_measured_and_their_ledgers_add_up(tmp_path: Path) -> None:
    path = tmp_path / "quick.json"
    environment = {name: value for name, value in os.environ.items() if name not in ("DEBUG", "DJANGO_SETTINGS_MODULE")}
    done = subprocess.run(
        [sys.executable, "-m", "bench.quick", *COUNTS, "--json", str(path)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(path.read_text())
    assert report["voids"] == []
    figures = {figure["name"]: figure["value"] for figure in report["figures"]}
    assert min(figures[name] for name in ("drain", "the floor", "build and fan-out")) > 0
    assert figures["drain against the floor"] > 0
    assert next(iter(figures)).startswith("CPU")


def test_a_floor_that_was_disturbed_spoils_neither_the_ratio_nor_the_floor() -> None:
    def at(rate: float) -> Run:
        return Run("", 1000, 1000 / rate, {"worker": 0.1})

    report = Report("")
    quick.tell(report, [at(300), at(300), at(300)], [at(1000), at(1000), at(1000), at(10)], at(100))
    figures = {figure.name: figure.value for figure in report.figures}
    assert figures["the floor"] == pytest.approx(1000)
    assert figures["drain against the floor"] == pytest.approx(0.3)
    assert any("10 to 1,000/s" in note for note in report.notes)

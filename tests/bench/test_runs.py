"""The arithmetic of timed runs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bench import runs
from bench.results import Report
from bench.runs import Run, Tally

SOUND = Tally(deliveries=5, succeeded=5, attempts=5, attempted=5, requests=5)


def test_a_tally_of_equal_numbers_adds_up() -> None:
    assert SOUND.problems() == []


@pytest.mark.parametrize(
    ("tally", "problem"),
    [
        (replace(SOUND, succeeded=4), "5 deliveries, but 4 succeeded"),
        (replace(SOUND, attempts=6), "5 deliveries, but 6 attempts"),
        (replace(SOUND, attempted=4), "5 deliveries, but 4 deliveries with an attempt"),  # one sent twice, one lost
        (replace(SOUND, requests=6), "5 deliveries, but 6 requests at the receiver"),
    ],
)
def test_a_tally_says_what_differs(tally: Tally, problem: str) -> None:
    assert tally.problems() == [problem]


RUN = Run("drain", count=1000, seconds=4.0, cpu={"worker": 0.2, "PostgreSQL": 0.1, "receiver": 0.05})


def test_a_runs_rate_and_costs_are_for_each_thing_done() -> None:
    assert RUN.rate == 250
    assert RUN.micros("receiver") == pytest.approx(50)
    assert RUN.cost == pytest.approx(300)
    assert RUN.micros("somebody else") == 0


def at(*rates: float) -> list[Run]:
    """Runs without costs."""
    return [Run("floor", 1000, 1000 / rate, {}) for rate in rates]


def test_the_rate_of_several_runs_is_their_median_and_their_spread_is_told() -> None:
    floors = at(8000, 100, 7000)
    assert runs.rate(floors) == pytest.approx(7000)
    assert runs.spread(floors) == "100 to 8,000/s"


def test_runs_together_cost_what_each_did_and_are_as_fast_as_the_one_in_the_middle() -> None:
    whole = runs.together("all", [RUN, Run("drain", 1000, 1.0, {"worker": 0.4}, ["a problem"]), *at(400)])
    assert whole.count == 3000
    assert whole.rate == pytest.approx(400)
    assert whole.micros("worker") == pytest.approx(200)
    assert whole.problems == ["a problem"]


def test_a_ratio_is_against_the_floors_around_it() -> None:
    assert runs.ratio(RUN, *at(400, 600)) == pytest.approx(0.5)


def test_each_of_several_runs_is_held_against_the_floors_next_to_it() -> None:
    assert runs.paired(at(500, 100), at(1000, 1000, 10)) == pytest.approx((500 / 1000 + 100 / 505) / 2)
    assert runs.paired(at(500, 600, 100), at(1000, 1000, 1000, 10)) == pytest.approx(0.5)


def test_a_process_that_was_started_meanwhile_has_spent_all_that_it_used() -> None:
    assert runs.spent({"worker": 1.5}, {"worker": 2.0, "twin": 0.5}) == {"worker": 0.5, "twin": 0.5}


def test_a_void_run_breaks_a_report_whose_bars_all_hold(tmp_path: Path) -> None:
    report = Report("Speed")
    report.add("fast", 1, "ms", at_most=2)
    report.check(RUN)
    assert report.finish(None) == 0
    report.check(replace(RUN, problems=["one is missing"]))
    assert report.finish(tmp_path / "figures.json") == 1
    assert json.loads((tmp_path / "figures.json").read_text())["voids"] == ["drain: one is missing"]

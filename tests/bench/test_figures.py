"""What the measuring programs make of what they saw."""

from __future__ import annotations

import json
from math import inf
from pathlib import Path

import pytest

from bench import machine, receiver, results
from bench.receiver import Post


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([], 0.99, inf),
        ([3.0], 0.5, 3.0),
        ([4.0, 1.0, 3.0, 2.0], 0.5, 2.0),
        ([float(number) for number in range(1, 101)], 0.99, 99.0),
        ([float(number) for number in range(1, 51)], 0.99, 50.0),
    ],
)
def test_a_percentile_is_a_value_that_was_measured(values: list[float], share: float, expected: float) -> None:
    assert results.percentile(values, share) == expected


def posts(*times: tuple[float, float]) -> list[Post]:
    return [Post("/ok", str(number), *each) for number, each in enumerate(times)]


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (posts(), 0),
        (posts((1, 2), (2, 3), (3, 4)), 1),
        (posts((1, 4), (2, 3), (3, 5)), 2),
        (posts((1, 0), (5, 0), (9, 9.5)), 3),  # the first two were never answered
    ],
)
def test_the_most_requests_at_a_time_are_counted(seen: list[Post], expected: int) -> None:
    assert receiver.most_at_a_time(seen) == expected


def test_the_most_requests_in_a_second_are_counted_wherever_the_second_begins() -> None:
    assert receiver.most_in_a_second(posts((0.5, 1), (0.9, 1), (1.4, 2), (1.6, 2), (3, 4))) == 3


@pytest.mark.parametrize(
    ("figure", "holds"),
    [
        (results.Figure("x", 5), True),
        (results.Figure("x", 5, at_most=5), True),
        (results.Figure("x", 5.1, at_most=5), False),
        (results.Figure("x", 5, at_least=5), True),
        (results.Figure("x", 4.9, at_least=5), False),
        (results.Figure("x", 1, at_most=0), False),
        (results.Figure("x", float("nan"), at_most=5), False),
    ],
)
def test_a_figure_is_held_against_its_bar(figure: results.Figure, holds: bool) -> None:
    assert figure.holds is holds


def test_one_broken_bar_breaks_the_whole_report_and_all_of_it_is_written(tmp_path: Path) -> None:
    report = results.Report("Speed")
    report.add("fast", 1, "ms", at_most=2)
    assert report.finish(None) == 0
    report.add("slow", 3, "ms", at_most=2)
    assert report.finish(tmp_path / "figures.json") == 1
    written = json.loads((tmp_path / "figures.json").read_text())
    assert [(each["name"], each["value"], each["holds"]) for each in written["figures"]] == [
        ("fast", 1, True),
        ("slow", 3, False),
    ]


def test_a_line_that_is_being_written_is_not_read_yet(tmp_path: Path) -> None:
    (tmp_path / "posts").write_text("/ok a 1.5 2.5\n/ok b 2.5")
    assert list(receiver.read(tmp_path)) == [Post("/ok", "a", 1.5, 2.5)]


def test_a_tree_of_processes_is_all_that_descend_from_one() -> None:
    assert machine.tree(1, {2: 1, 3: 2, 4: 3, 5: 9, 6: 1}) == [1, 2, 6, 3, 4]

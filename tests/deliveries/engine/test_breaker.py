from __future__ import annotations

import json
from collections.abc import Iterable

import pytest

from deliveries.engine.breaker import Health, Rules

NOW = 1_700_000_000.0
RULES = Rules()


def health(answers: str = "", seconds: float = 0.0, rules: Rules = RULES) -> Health:
    """After these answers, one each so many seconds, the last of them now: + came as 2xx, - did not."""
    made = Health(rules, {})
    for n, answer in enumerate(answers):
        now = NOW - seconds * (len(answers) - 1 - n)
        made.note(answer == "+", now, now)
    return made


def again(made: Health) -> Health:
    """As the next courier reads it from the lane's row."""
    return Health(RULES, json.loads(json.dumps(made.dump())))


@pytest.mark.parametrize(
    ("answers", "seconds", "opens"),
    [
        ("", 0, False),
        ("-" * 9, 0, False),
        ("-" * 10, 0, True),
        ("-" * 10, 3600, True),  # in a row, however long it took
        ("-" * 9 + "+" + "-" * 9, 0, False),  # 18 of 19, but the last ten are no row
        ("+-" * 9 + "--", 0, True),  # 11 of 20
        ("+-" * 10, 0, False),  # exactly half
        ("-" * 9 + "+" + "-" * 9, 0.1, False),  # more than half, but of 19
        ("-" * 9 + "+" + "-" * 9 + "-", 0.1, True),
        ("--+" * 7, 2, True),  # 14 of 21 within a minute
        ("--+" * 7, 10, False),  # as many, but never 20 within a minute
    ],
)
def test_it_opens_after_ten_failures_in_a_row_or_when_most_of_twenty_in_a_minute_fail(
    answers: str, seconds: float, opens: bool
) -> None:
    assert health(answers, seconds).is_open(NOW) is opens


def pauses(probes: int) -> Iterable[float]:
    """Of a receiver that fails each probe."""
    made, now = health("-" * 10), NOW
    for _ in range(probes):
        yield made.open_until - now
        now = made.open_until
        made = again(made)
        made.note(False, now, now)


def test_its_pauses_double_from_ten_seconds_to_ten_minutes() -> None:
    assert list(pauses(9)) == [10, 20, 40, 80, 160, 320, 600, 600, 600]


def test_a_probe_that_succeeds_closes_it_and_forgets_the_minute() -> None:
    made = again(health("-" * 10))
    assert made.trips == 1
    made.note(True, NOW + 10, NOW + 10)
    assert made.trips == 0
    for _ in range(9):
        made.note(False, NOW + 11, NOW + 11)
    assert not made.is_open(NOW + 11)


def test_answers_to_what_was_sent_before_it_opened_neither_prolong_nor_close_it() -> None:
    made = health("-" * 10)
    until = made.open_until
    made.note(False, NOW + 1, NOW - 5)
    made.note(True, NOW + 2, NOW - 5)
    made.note(False, until + 1, NOW - 5)  # the pause is over, but this was no probe
    made.note(True, until + 2, NOW - 5)
    assert (made.open_until, made.trips) == (until, 1)


@pytest.mark.parametrize(
    ("answers", "hours", "goes"),
    [
        ("-" * 49, 0, False),
        ("-" * 50, 0, True),
        ("-" * 50 + "+" * 50, 0, False),  # half
        ("+" * 49 + "-" * 50, 0, True),
        ("+" * 50 + "-" * 50, 0, False),
        ("-" * 51 + "+", 0, False),  # it works again
        ("-" * 50, 1, False),  # fifty, but in fifty hours
        ("-" * 100, 0.25, True),  # 96 in 24 hours
    ],
)
def test_fifty_failures_in_a_day_and_most_of_its_attempts_take_a_subscription_offline(
    answers: str, hours: float, goes: bool
) -> None:
    assert bool(health(answers, hours * 3600).why_offline(NOW)) is goes


def test_the_reason_tells_how_many() -> None:
    assert health("+" * 10 + "-" * 50).why_offline(NOW) == "50 of 60 attempts in 24 hours failed."


def test_what_it_remembers_stays_small_however_long_it_runs() -> None:
    made = health("+-" * 5000, 60)
    assert len(json.dumps(made.dump())) < 1000
    assert again(made).dump() == made.dump()


def test_a_clock_that_was_ahead_and_is_set_back_does_not_stop_the_forgetting() -> None:
    made = health("-" * 60)
    made.note(True, NOW - 86_400.0, NOW - 86_400.0)
    assert made.day.sums(NOW - 86_400.0) == (1, 0)


def test_a_lane_without_a_past_is_well() -> None:
    made = Health(RULES, {})
    assert (made.trips, made.in_a_row, made.is_open(NOW), made.why_offline(NOW)) == (0, 0, False, "")

"""The retry schedule and what each answer means, as tables."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from deliveries.engine import retry
from deliveries.engine.retry import Decision

HOUR = 3600.0
NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("status", "retry_count", "expected"),
    [
        (200, 0, Decision("succeeded")),
        (204, 0, Decision("succeeded")),
        (299, 18, Decision("succeeded")),
        (199, 0, Decision("retry", 5.0)),
        (300, 0, Decision("retry", 5.0)),  # redirects are failures: they are not followed
        (301, 1, Decision("retry", 10.0)),
        (400, 0, Decision("retry", 5.0)),
        (404, 2, Decision("retry", 20.0)),
        (429, 0, Decision("retry", 5.0)),
        (500, 17, Decision("retry", 12 * HOUR)),
        (500, 18, Decision("failed")),  # all retries used up
        (None, 0, Decision("retry", 5.0)),  # no answer
        (None, 18, Decision("failed")),
        (410, 0, Decision("failed", goes_offline=True)),
        (410, 18, Decision("failed", goes_offline=True)),
    ],
)
def test_what_an_answer_means(status: int | None, retry_count: int, expected: Decision) -> None:
    assert retry.decide(status, retry_count, retry.DEFAULT_RETRIES, 0.0, None) == expected


def test_no_retries_means_one_try() -> None:
    assert retry.decide(500, 0, 0, 0.0, None) == Decision("failed")


def test_the_default_schedule_lasts_about_71_hours() -> None:
    total = sum(retry.delay(number, 0.0, None) for number in range(retry.DEFAULT_RETRIES))
    assert 70.5 * HOUR < total < 71.5 * HOUR


@pytest.mark.parametrize("jitter", [-retry.JITTER, 0.0, retry.JITTER])
@pytest.mark.parametrize("number", range(20))
def test_each_delay_doubles_up_to_twelve_hours_give_or_take_a_fifth(number: int, jitter: float) -> None:
    normal = min(5.0 * 2**number, 12 * HOUR)
    assert retry.delay(number, jitter, None) == pytest.approx(normal * (1 + jitter))


@pytest.mark.parametrize(
    ("asked", "expected"),
    [(0.0, 5.0), (4.0, 5.0), (60.0, 60.0), (24 * HOUR, 24 * HOUR), (10**9, 24 * HOUR), (float("inf"), 24 * HOUR)],
)
def test_retry_after_counts_between_the_normal_delay_and_a_day(asked: float, expected: float) -> None:
    assert retry.delay(0, 0.0, asked) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("", None),
        ("120", 120.0),
        (" 120 ", 120.0),
        ("0", 0.0),
        ("-1", None),
        ("1.5", None),
        ("99999999999999999999", None),
        ("soon", None),
        ("١٢", None),  # digits, but not ASCII
        (format_datetime(datetime(2026, 3, 1, 12, 2, 0, tzinfo=UTC), usegmt=True), 120.0),
        ("Sun, 01 Mar 2026 12:02:00 -0000", 120.0),
        ("Sun, 01 Mar 2026 13:02:00 +0100", 120.0),
        ("Sun, 01 Mar 2020 12:00:00 GMT", 0.0),
        ("Sun, 99 Mar 2026 12:00:00 GMT", None),
        ("Sun, 01 Mar 99999 12:00:00 GMT", None),
        ("x" * 100_000, None),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_garbage_is_nothing(value: str | None, expected: float | None) -> None:
    assert retry.parse_retry_after(value, NOW) == expected

"""PostgreSQL's clock, as a courier knows it between two looks at it."""

from __future__ import annotations

import pytest

from deliveries.engine.session import Reading, Session

AHEAD = 1_000_000.0
"""Seconds by which the database's clock is ahead of the monotonic one here."""


@pytest.fixture
def session() -> Session:
    session = Session()
    session.set_clock(Reading(AHEAD + 100, asked=100), now=100)
    return session


@pytest.mark.parametrize("read_at", [150.0, 153.0, 156.0])
def test_a_process_that_was_stopped_while_it_asked_knows_the_time_all_the_same(
    session: Session, read_at: float
) -> None:
    """What it sends again would else be signed as it was before it was stopped."""
    session.set_clock(Reading(AHEAD + read_at, asked=150), now=156)
    assert session.ahead == AHEAD


def test_the_first_reading_of_a_process_that_was_stopped_is_no_old_time() -> None:
    session = Session()
    session.set_clock(Reading(AHEAD + 100, asked=100), now=106)
    assert session.ahead == AHEAD


@pytest.mark.parametrize(("step", "certain"), [(-30.0, -30.0), (30.0, 29.5)])
def test_a_clock_that_was_set_is_followed_as_far_as_is_certain(session: Session, step: float, certain: float) -> None:
    session.set_clock(Reading(AHEAD + step + 150, asked=150), now=150.5)
    assert session.ahead == AHEAD + certain

"""What makes a drain void: ledgers of numbers, and of what each path was told."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from bench import backlog, draining, rounds, world
from bench.receiver import Post
from deliveries.models import Delivery, Subscription

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def to() -> list[Subscription]:
    """Two, with two deliveries each."""
    of = world.workspace("drained")
    made = [world.subscribe(of, f"https://example.com/ok/{number}") for number in range(2)]
    world.build_up(made, 4)
    return made


def posts(to: list[Subscription]) -> list[Post]:
    """As they should come."""
    rows = Delivery.objects.filter(subscription__in=to).order_by("id").select_related("subscription")
    return [Post(urlsplit(row.subscription.url).path, str(row.event_id), 1.0, 1.0) for row in rows]


def test_requests_that_tell_each_path_of_its_own_events_once_are_no_strangers(to: list[Subscription]) -> None:
    assert draining.strangers(Delivery.objects.all(), posts(to)) == []


def test_one_told_twice_instead_of_another_is_seen_though_the_numbers_are_right(to: list[Subscription]) -> None:
    sent = posts(to)
    twice = [sent[0], *sent[:-1]]
    assert draining.strangers(Delivery.objects.all(), twice) == ["1 of 4 missing", "1 of 4 received twice"]


def test_an_event_that_went_to_another_path_is_seen(to: list[Subscription]) -> None:
    first, *others = posts(to)
    astray = first._replace(path=next(post.path for post in others if post.path != first.path))
    assert draining.strangers(Delivery.objects.all(), [astray, *others]) == ["1 of 4 missing", "1 of 4 unexpected"]


def test_what_was_sent_of_a_backlog_is_held_against_its_attempts(to: list[Subscription]) -> None:
    sent = posts(to)
    rounds.make_due([row.pk for row in to])
    rounds.take(2)  # as many wait afterwards
    assert draining.unaccounted(None, sent, requests=4) == []
    twice = [sent[0], *sent[:-1]]
    assert draining.unaccounted(None, twice, requests=4) == ["1 of 4 missing", "1 of 4 received twice"]
    assert draining.unaccounted(draining.last_attempt(), [], requests=0) == ["nothing was to be received"]


def test_attempts_that_failed_count_too(to: list[Subscription]) -> None:
    Delivery.objects.update(state=Delivery.State.SUCCEEDED)
    backlog._attempts(4 * backlog.TRIES)  # answered with 503
    found = draining.problems(to, 4, posts(to), requests=4)
    assert found == ["4 deliveries, but 40 attempts"]

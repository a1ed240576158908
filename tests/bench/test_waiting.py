"""Backlogs, and the rounds that are timed beside them."""

from __future__ import annotations

import pytest
from django.db import connection

from bench import backlog, rounds, waiting
from bench.backlog import Cast
from bench.results import Report
from deliveries.engine import fanout, retention
from deliveries.models import Attempt, Delivery, Event, Lane

pytestmark = pytest.mark.django_db(transaction=True)

STATE = Delivery.State


class Here(backlog.Database):
    """The database of the tests stands in for a copy."""

    def use(self) -> None:
        pass


@pytest.fixture
def cast(monkeypatch: pytest.MonkeyPatch) -> Cast:
    monkeypatch.setattr(backlog, "SPREAD", 4)
    monkeypatch.setattr(backlog, "TRICKLE", 3)
    return backlog.cast("https://example.com")


def waiting_of(cast: Cast, kind: str, **fields: object) -> int:
    return Delivery.objects.filter(subscription__in=cast.kinds[kind], **fields).count()


def test_half_waits_for_one_half_for_many_and_others_beside_them(cast: Cast) -> None:
    backlog.fill(Here(80), cast, attempts=20)
    assert waiting_of(cast, "one", state=STATE.PENDING) == 40
    spread = [Delivery.objects.filter(subscription=key, state=STATE.PENDING).count() for key in cast.kinds["thousand"]]
    assert spread == [10, 10, 10, 10]
    assert waiting_of(cast, "ordered", ordered=True) == 8
    assert (waiting_of(cast, "held", state=STATE.HELD), waiting_of(cast, "held", state=STATE.PENDING)) == (8, 3)
    assert waiting_of(cast, "later", due_at__gt=Delivery.objects.latest("created_at").created_at) == 8
    assert Event.objects.filter(state=Event.State.WAITING).count() == 8
    assert Attempt.objects.count() == 20


@pytest.mark.parametrize("kind", ["one", "thousand", "ordered"])
def test_a_round_sends_a_batch_and_leaves_as_much_as_it_found(cast: Cast, kind: str) -> None:
    backlog._deliveries(cast, kind, 120, ordered=kind == "ordered")
    rounds.make_due(cast.kinds[kind])
    for _ in range(2):
        took = rounds.take(4)
    assert sorted(took) == sorted(rounds.PARTS)
    assert waiting_of(cast, kind, state=STATE.PENDING) == 120
    assert waiting_of(cast, kind, state=STATE.SUCCEEDED) == Attempt.objects.count() == 200
    assert not Lane.objects.exclude(holder="").exists()


def test_a_round_without_work_is_an_error(cast: Cast) -> None:
    rounds.make_due(cast.kinds["one"])
    with pytest.raises(RuntimeError, match="work"):
        rounds.take(1)


def test_only_the_lanes_asked_for_are_due(cast: Cast) -> None:
    backlog._deliveries(cast, "one", 1)
    backlog._deliveries(cast, "ordered", 1)
    rounds.make_due([*cast.kinds["one"], *cast.kinds["held"]])
    assert [lane.pk for lane in Lane.objects.filter(due_at__isnull=False)] == cast.kinds["one"]


def test_events_that_wait_are_built_as_recorded_ones_are(cast: Cast) -> None:
    backlog.add_events(cast)
    rounds.fan_out()
    built = Delivery.objects.select_related("payload").all()
    assert len(built) == fanout.BATCH
    assert all(f'"case":{{"id":"{row.case_id}"' in row.payload.entity for row in built[:3])
    with pytest.raises(RuntimeError, match="whole batch"):
        rounds.fan_out()


def test_old_deliveries_are_removed_by_the_chunk(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "CHUNK", 5)
    backlog._deliveries(cast, "one", 8)
    rounds.expire()
    assert Delivery.objects.count() == 3
    with pytest.raises(RuntimeError, match="chunk"):
        rounds.expire()


def test_larger_backlogs_are_held_against_the_base() -> None:
    report = Report("")
    times = {1_000: {"a": [9.0], "b": [9.0]}, waiting.BASE: {"a": [1.0], "b": [1.0]}, 10**6: {"a": [2.0], "b": [1.0]}}
    waiting.tell(report, "x", times)
    judged = {figure.name: (figure.value, figure.holds) for figure in report.figures if figure.bar}
    assert judged == {"x: 1,000,000 against 100,000": (1.5, False)}
    assert [(line.x, line.y) for line in report.series] == [([1000.0, 100000.0, 1000000.0], [18.0, 2.0, 3.0])]


def test_a_database_is_another_one_of_the_same_server(cast: Cast) -> None:
    (copy,) = backlog.copied([7])
    try:
        assert copy.url("postgres://u:p@h:1/hooks") == "postgres://u:p@h:1/waiting_7"
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_database WHERE datname = 'waiting_7'")
            assert cursor.fetchone() == (1,)
    finally:
        backlog._maintain('DROP DATABASE "waiting_7"')

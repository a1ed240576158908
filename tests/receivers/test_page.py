"""What the page says of duplicates, order and retries: its SQL is run, its numbers are the code's."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.db import connection, transaction

from deliveries.engine import exchange, retry
from tests.deliveries.waiting import in_a_thread

from .conftest import Received
from .pages import PAGE, blocks

TABLE, INSERT, WORK, ORDER = blocks(PAGE, "sql")
TAKE, FINISH = WORK.split(";\n")[:2]
WORDS = {5: "five", 10: "ten", 15: "fifteen", 20: "twenty"}
TEXT = " ".join(PAGE.read_text().split())


def run(statement: str, *values: Any) -> Sequence[tuple[Any, ...]]:
    """The page's `$1` are PostgreSQL's own; Django's cursor has `%s`, in the same order."""
    with connection.cursor() as cursor:
        cursor.execute(re.sub(r"\$\d", "%s", statement), values or None)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def inbox(db: None) -> None:
    run(TABLE)


def keep(received: Received) -> None:
    run(INSERT, received.post.headers["webhook-id"], received.post.body.decode())


def test_an_event_that_comes_twice_is_worked_on_once(received: dict[str, Received], inbox: None) -> None:
    keep(received["full"])
    ((event_id, body),) = run(TAKE)
    assert json.loads(body) == received["full"].post.content
    run(FINISH, event_id)
    keep(received["again"])
    assert run(TAKE) == []


def test_a_repeat_before_the_work_is_done_is_the_same_row(received: dict[str, Received], inbox: None) -> None:
    keep(received["full"])
    keep(received["again"])
    assert run("SELECT event_id::text FROM webhook_inbox") == [(received["full"].post.headers["webhook-id"],)]


def test_what_was_worked_on_leaves_nothing_personal_behind(received: dict[str, Received], inbox: None) -> None:
    keep(received["full"])
    run(FINISH, received["full"].post.headers["webhook-id"])
    assert run("SELECT body FROM webhook_inbox") == [(None,)]


@pytest.fixture
def shared_inbox(transactional_db: None) -> Iterator[None]:
    """One that other connections see, too."""
    run(TABLE)
    yield
    run("DROP TABLE webhook_inbox")


def test_two_workers_at_once_have_different_events(shared_inbox: None) -> None:
    for number in (1, 2):
        run(INSERT, str(UUID(int=number)), "{}")
    others: list[UUID] = []
    with transaction.atomic():
        ((mine, _),) = run(TAKE)
        in_a_thread(lambda: others.extend(row[0] for row in run(TAKE))).join(60)
        run(FINISH, mine)
    assert sorted([mine, *others]) == [UUID(int=1), UUID(int=2)]


@pytest.mark.parametrize("arrivals", [[1, 2, 3], [3, 2, 1], [2, 3, 1], [1, 3, 3, 2]])
@pytest.mark.django_db
def test_the_newest_is_kept_in_whatever_order_they_come(arrivals: list[int]) -> None:
    run("CREATE TABLE known_case (id uuid PRIMARY KEY, status text, sequence bigint)")
    for sequence in arrivals:
        run(ORDER, str(UUID(int=7)), f"status {sequence}", sequence)
    assert run("SELECT status, sequence FROM known_case") == [("status 3", 3)]


def words(seconds: float) -> str:
    """As the page writes it."""
    if seconds < 100:
        return f"{seconds:g} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    hours = seconds / 3600
    return f"{hours:.1f} h" if hours < 10 else f"{hours:.0f} h"


def test_the_table_of_retries_is_the_schedule() -> None:
    delays = [retry.delay(number, 0, None) for number in range(settings.DELIVERY_MAX_RETRIES)]
    told = re.findall(r"^\| (\d+) \| (.+?) \| (.+?) \|$", PAGE.read_text(), re.MULTILINE)
    assert [int(row[0]) for row in told][-1] == settings.DELIVERY_MAX_RETRIES
    rows = [(number, words(delays[int(number) - 1]), words(sum(delays[: int(number)]))) for number, *_ in told]
    assert told == rows


@pytest.mark.parametrize(
    "sentence",
    [
        f"fail {WORDS[settings.BREAKER_FAILURES]} times in a row",
        f"left alone for {settings.BREAKER_PAUSE:g} s",
        f"at least every {WORDS[int(settings.BREAKER_LONGEST_PAUSE / 60)]} minutes",
        f"After {settings.OFFLINE_AFTER_FAILURES} failures in 24 hours",
        f"as long as it is kept ({settings.RETENTION_DAYS} days by default)",
        f"The first {exchange.Limits(1, 1).keep_bytes // 1024} KiB of what you answer",
    ],
)
def test_a_number_on_the_page_is_that_of_the_code(sentence: str) -> None:
    assert sentence in TEXT

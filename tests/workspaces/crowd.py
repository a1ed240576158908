"""Two requests at the same moment, in an order that is certain."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeVar

from django.db import connection, transaction

T = TypeVar("T")
# Who waits for a lock of ours. Not pg_stat_activity: it is read once per transaction.
WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"


def meanwhile(first: Callable[[], object], then: Callable[[], T], last: Callable[[], object] = lambda: None) -> T:
    """What `then` gives, called by another thread inside the transaction of `first`.

    Once `then` waits for that, or is done, the transaction ends with `last`.
    """
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            first()
            answer = pool.submit(closing, then)
            until_waiting(answer)
            last()
        return answer.result(60)


def closing(call: Callable[[], T]) -> T:
    try:
        return call()
    finally:
        connection.close()


def until_waiting(answer: Future[T]) -> None:
    for _ in range(3000):
        if someone_waits_for_us() or wait([answer], 0.01).done:
            return
    raise AssertionError("The other thread neither waits nor ends.")


def someone_waits_for_us() -> bool:
    """For a lock that this connection holds."""
    with connection.cursor() as cursor:
        cursor.execute(WAITING)
        return bool(cursor.fetchone()[0])

"""Conditions that tests wait for, and threads that have a database connection of their own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction


def wait_until(condition: Callable[[], object], seconds: float = 60.0) -> None:
    """Polls until the condition holds. Raises TimeoutError."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"{getattr(condition, '__name__', 'The condition')} did not come true in {seconds:g} s.")
        time.sleep(0.02)


def in_a_thread(work: Callable[[], Any]) -> threading.Thread:
    """Runs with a database connection of its own."""

    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


@contextmanager
def a_long_transaction(work: Callable[[], object]) -> Iterator[None]:
    """Somebody who has done this and does not end the transaction."""
    done, ends = threading.Event(), threading.Event()

    def run() -> None:
        with transaction.atomic():
            work()
            done.set()
            ends.wait(120)

    thread = in_a_thread(run)
    assert done.wait(60)
    try:
        yield
    finally:
        ends.set()
        thread.join(30)

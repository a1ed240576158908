"""Conditions that tests wait for, and threads that have a database connection of their own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from django.db import connection


def wait_until(condition: Callable[[], object], seconds: float = 30.0) -> None:
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

"""At most one process at a time does a chore: who comes second goes home, and is asked again by the next sweep."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def alone(number: int) -> Iterator[bool]:
    """Whether nobody else is inside under the same number; never waits.

    It is an advisory lock of PostgreSQL: in nobody's way, and freed when its process dies.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [number])
        (first,) = cursor.fetchone()
    try:
        yield bool(first)
    finally:
        if first:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [number])

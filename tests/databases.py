"""The sessions of a test database."""

from __future__ import annotations

from django.db import connection

from tests.deliveries.waiting import wait_until

OTHERS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


def other_sessions() -> int:
    """How many are connected to this database beside us. Not in a transaction: there the first answer stays."""
    with connection.cursor() as cursor:
        cursor.execute(OTHERS)
        (found,) = cursor.fetchone()
    return int(found)


def wait_until_alone(seconds: float = 60.0) -> None:
    """Until PostgreSQL has ended the sessions of threads and processes that are gone. Raises TimeoutError.

    To close a connection is to ask for that, not to wait for it; a database with sessions cannot be dropped, and DROP
    DATABASE itself waits five seconds only, which a busy machine exceeds.
    """

    def alone() -> bool:
        return not other_sessions()

    wait_until(alone, seconds)

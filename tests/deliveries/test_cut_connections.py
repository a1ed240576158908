"""A courier whose database connection is cut at the worst moment: nothing waits for the sweep."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction

from cases.models import Case
from deliveries.engine import doorbell, lookout
from workspaces.models import Workspace

from .conftest import AtWork, Subscribe
from .receiver import Receiver
from .waiting import in_a_thread, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def locked(table: str) -> Iterator[None]:
    """Whoever needs the table waits for the end of the block."""
    held, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {table}")
            held.set()
            let_go.wait(90)

    thread = in_a_thread(hold)
    assert held.wait(60)
    try:
        yield
    finally:
        let_go.set()
        thread.join(60)


def who_waits_for_a_lock() -> list[int]:
    """Their processes in PostgreSQL."""
    with connection.cursor() as cursor:
        cursor.execute("""
            SELECT pid FROM pg_locks
            WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        """)
        return [pid for (pid,) in cursor.fetchall()]


def cut(pid: int) -> None:
    """Its connection is gone then."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])


def test_a_ring_is_not_forgotten_when_the_look_that_follows_it_fails(
    workspace: Workspace,
    subscribe: Subscribe,
    receiver: Receiver,
    at_work: AtWork,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    subscribe("Case.Created")
    flag: Any = doorbell.doorbell().client
    with at_work():
        wait_until(lambda: str(flag.get(doorbell.FLAG)).startswith("b'watched"))
        with locked("deliveries_payload"):
            Case.objects.create(workspace=workspace, name="Dotfile")  # no message: a courier watches
            wait_until(who_waits_for_a_lock)  # it has taken the flag down, and looks
            monkeypatch.setattr(lookout, "LINGER", 0.0)  # and would leave as soon as it thinks that it is done
            for pid in who_waits_for_a_lock():
                cut(pid)
        receiver.wait_for(1)

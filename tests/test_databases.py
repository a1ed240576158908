"""The test database is dropped once its sessions have ended, however long that takes PostgreSQL."""

from __future__ import annotations

import threading

import pytest
from django.db import connection

from tests.databases import other_sessions, wait_until_alone
from tests.deliveries.waiting import in_a_thread, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_session_is_waited_for_as_long_as_it_lasts() -> None:
    wait_until_alone()
    end = threading.Event()

    def hold() -> None:
        connection.ensure_connection()
        end.wait(60)

    thread = in_a_thread(hold)
    wait_until(other_sessions)
    with pytest.raises(TimeoutError, match="alone"):
        wait_until_alone(0.1)
    end.set()
    wait_until_alone()
    assert other_sessions() == 0
    thread.join(30)

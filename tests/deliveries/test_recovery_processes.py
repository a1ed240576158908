"""A recovery with real processes: a smooth stream, one of each, though the chores are killed in the middle."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from cases.models import Case
from deliveries import recovery, services
from deliveries.models import Attempt, Delivery, Recovery
from tests import factories
from workspaces.models import Workspace

from .conftest import Subscribe
from .fleet import Fleet, fleet, kill
from .receiver import Receiver
from .waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
HELD, RATE = 80, 20.0
NOTE = """
CREATE TABLE made_due (at timestamptz);
CREATE FUNCTION note_made_due() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN INSERT INTO made_due VALUES (NEW.due_at); RETURN NULL; END';
CREATE TRIGGER note AFTER UPDATE ON deliveries_delivery FOR EACH ROW
    WHEN (OLD.state = 3 AND NEW.state = 0) EXECUTE FUNCTION note_made_due()
"""


@pytest.fixture
def workspace(transactional_db: None) -> Workspace:
    return factories.workspace()


@pytest.fixture
def processes(transactional_db: None) -> Iterator[Fleet]:
    with fleet() as found:
        yield found


@pytest.fixture
def moments(transactional_db: None) -> Iterator[Callable[[], list[float]]]:
    """When each delivery was made due: they arrive whenever a busy machine lets them."""
    with connection.cursor() as cursor:
        cursor.execute(NOTE)
        yield lambda: read_moments(cursor)
        cursor.execute("DROP FUNCTION note_made_due() CASCADE; DROP TABLE made_due")


def read_moments(cursor: CursorWrapper) -> list[float]:
    cursor.execute("SELECT extract(epoch FROM at)::float8 FROM made_due")
    return [moment for (moment,) in cursor.fetchall()]


def test_a_killed_chore_costs_a_recovery_nothing(
    processes: Fleet,
    workspace: Workspace,
    subscribe: Subscribe,
    receiver: Receiver,
    moments: Callable[[], list[float]],
) -> None:
    row = subscribe("Case.Created", status="offline")
    processes.worker()
    chores = processes.worker("chores", queues="chores")
    processes.beat()
    Case.objects.bulk_create([Case(workspace=workspace, name=f"case {n}") for n in range(HELD)])
    wait_until(lambda: Delivery.objects.filter(state=Delivery.State.HELD).count() == HELD)
    services.set_online([row.pk], online=True)
    job = recovery.start_recovery(row, timezone.now() - timedelta(hours=1), rate=RATE)
    receiver.wait_for(10)
    kill(chores)
    processes.worker("others", queues="chores")
    receiver.wait_for(HELD)
    wait_until(lambda: Recovery.objects.get(pk=job.pk).state == Recovery.State.DONE)
    wait_until(lambda: Attempt.objects.count() == HELD)
    names = [post.content["case"]["name"] for post in receiver.posts]
    assert sorted(names) == sorted({f"case {n}" for n in range(HELD)})
    assert Recovery.objects.get().recovered == HELD
    assert len(moments()) == HELD
    assert most_within(1.0, moments()) <= RATE + 1  # both ends of the second


def most_within(seconds: float, moments: list[float]) -> int:
    """The greatest number of moments in any span of so many seconds."""
    return max(sum(1 for other in moments if begin <= other < begin + seconds) for begin in moments)

"""A courier that is awake hears who rings; deaf, it looks often enough."""

from __future__ import annotations

from typing import Any

import pytest
import redis
from django.conf import settings

from cases.models import Case
from deliveries.engine import doorbell, lookout
from workspaces.models import Workspace

from .conftest import AtWork, Subscribe
from .receiver import Receiver
from .waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
NEVER = 3600.0


@pytest.fixture
def client() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL)


def listeners(client: redis.Redis) -> int:
    answer: Any = client.pubsub_numsub(doorbell.CHANNEL)
    ((_, count),) = answer
    return int(count)


def watches(client: redis.Redis) -> bool:
    return str(client.get(doorbell.FLAG)).startswith("b'watched")


def tell(workspace: Workspace, receiver: Receiver, count: int) -> None:
    for number in range(count):
        Case.objects.create(workspace=workspace, name=f"case {number}")
        receiver.wait_for(number + 1)


def test_a_ring_is_heard_without_looking(
    workspace: Workspace,
    subscribe: Subscribe,
    receiver: Receiver,
    at_work: AtWork,
    client: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    subscribe("Case.Created")
    monkeypatch.setattr(doorbell, "WATCHED", 600_000)  # milliseconds: nobody looks at the flag, so it must last
    with at_work():
        wait_until(lambda: listeners(client) == 1 and watches(client))
        for name in ("LOOK", "GLANCE", "HEARING_GLANCE"):
            monkeypatch.setattr(lookout, name, NEVER)
        tell(workspace, receiver, 3)
        for name in ("LOOK", "GLANCE", "HEARING_GLANCE"):
            monkeypatch.setattr(lookout, name, 0.004)


def test_a_courier_whose_ear_is_cut_off_looks_at_the_flag(
    workspace: Workspace,
    subscribe: Subscribe,
    receiver: Receiver,
    at_work: AtWork,
    client: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    subscribe("Case.Created")
    monkeypatch.setattr(lookout, "LOOK", NEVER)
    with at_work():
        wait_until(lambda: listeners(client) == 1 and watches(client))
        client.client_kill_filter(_type="pubsub")
        wait_until(lambda: listeners(client) == 0)
        tell(workspace, receiver, 3)


def test_nobody_listens_once_the_courier_is_gone(
    workspace: Workspace, subscribe: Subscribe, receiver: Receiver, at_work: AtWork, client: redis.Redis
) -> None:
    subscribe("Case.Created")
    with at_work():
        wait_until(lambda: listeners(client) == 1)
    wait_until(lambda: listeners(client) == 0)

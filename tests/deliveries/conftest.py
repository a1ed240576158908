"""What the tests of deliveries share: a workspace, a receiver, a subscription to it, and a courier to send."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest

from deliveries import tasks
from deliveries.engine import doorbell, lookout, outbound, partitions, transport
from deliveries.engine.courier import Courier
from deliveries.models import Subscription
from tests import factories
from workspaces.models import Workspace

from .receiver import Receiver, receiving
from .waiting import in_a_thread

Deliver = Callable[[], float | None]
Subscribe = Callable[..., Subscription]
AtWork = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def workspace(db: None) -> Workspace:
    return factories.workspace()


@pytest.fixture
def subscribe(workspace: Workspace, receiver: Receiver) -> Subscribe:
    """Subscribes the receiver, at its own path, to events."""

    def make(*events: str, path: str = "/", **fields: Any) -> Subscription:
        defaults: dict[str, Any] = {"workspace": workspace, "url": receiver.url(path), "events": list(events)}
        return Subscription.objects.create(**(defaults | fields))

    return make


@pytest.fixture
def window() -> Iterator[transport.Window[Any]]:
    made: transport.Window[Any] = transport.Window(outbound.policy(), size=64)
    yield made
    made.close()


@pytest.fixture
def deliver(db: None, window: transport.Window[Any], monkeypatch: pytest.MonkeyPatch) -> Deliver:
    """Runs a courier in this process until there is nothing to do; answers when the next retry is due."""
    monkeypatch.setattr(lookout, "LINGER", 0.0)
    return lambda: Courier("test", window, tasks.DOMAIN).run()


@pytest.fixture
def at_work(monkeypatch: pytest.MonkeyPatch) -> AtWork:
    """A courier in a thread, for as long as the block lasts."""
    monkeypatch.setattr(lookout, "LINGER", 60.0)

    @contextmanager
    def run() -> Iterator[None]:
        stop, window = threading.Event(), transport.Window[Any](outbound.policy(), size=256)
        thread = in_a_thread(Courier("test", window, tasks.DOMAIN, stop.is_set).run)
        try:
            yield
        finally:
            stop.set()
            thread.join(30)
            window.close()

    return run


@pytest.fixture(autouse=True)
def _nobody_is_in_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """A PostgreSQL that has little time does not pass for somebody who uses a table for long."""
    monkeypatch.setattr(partitions, "LOCK_TIMEOUT", "30s")
    monkeypatch.setattr(partitions, "SCAN_TIMEOUT", "30s")


@pytest.fixture(autouse=True)
def _no_flag_of_another_test() -> None:
    doorbell.doorbell().client.delete(doorbell.FLAG, doorbell.RETRY)
    doorbell.doorbell().broken_until = 0.0

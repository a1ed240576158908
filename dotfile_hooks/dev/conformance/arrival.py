"""Waits until everything that was recorded has been delivered."""

from __future__ import annotations

import time
from collections.abc import Iterator

from checks.documents.models import Document, Stage
from deliveries.events import outbox
from deliveries.models import Delivery, Event
from dotfile_hooks.dev.supervisor import Supervisor

PATIENCE = 180.0  # seconds; about four are needed, on a busy machine many more
LOOK = 0.2  # seconds between looks


def wait(programs: Supervisor) -> list[str]:
    """What did not get through, when nothing is on its way any more or patience ends. Raises StartError."""
    deadline = time.monotonic() + PATIENCE
    while _on_their_way() and time.monotonic() < deadline:
        programs.check()
        time.sleep(LOOK)
        outbox.wake()  # beat, which would do it, does not run here
    return list(_left())


def _on_their_way() -> bool:
    analysed = Document.objects.exclude(stage=Stage.DECIDED).exists()
    waiting = analysed or Event.objects.filter(state=Event.State.WAITING, builds=0).exists()
    return waiting or Delivery.objects.filter(state=Delivery.State.PENDING).exists()


def _left() -> Iterator[str]:
    for name, error in Event.objects.exclude(state=Event.State.BUILT).values_list("name", "error"):
        yield f"{name} could not be built: {error or 'nobody tried'}"
    for delivery in Delivery.objects.exclude(state=Delivery.State.SUCCEEDED):
        yield f"{delivery.event_name} was not delivered: {delivery.reason or delivery.status_code}"

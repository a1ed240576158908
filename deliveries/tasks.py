"""Celery's way into the engine: tasks fetch, call and return."""

from __future__ import annotations

import os
from typing import Any

import redis
from celery import Task, shared_task
from celery.exceptions import OperationalError as BrokerError
from django.db import InterfaceError, OperationalError

from . import notices, upkeep
from .engine import aside, doorbell, fanout, outbound, recovering, stopping, sweep
from .engine.courier import Courier
from .events import catalogue, outbox, payloads

DOMAIN = fanout.Domain(form_for=catalogue.form_for, build=payloads.build)
# Seconds. A retry due sooner is waited for by countdown; later ones are the sweep's. Far below the visibility timeout.
NEAR = 60.0
# Faults of our own: the database or the broker is away. They are Celery's to retry, and no receiver's fault.
OWN_FAULTS = (OperationalError, InterfaceError, BrokerError, redis.RedisError)


@shared_task(
    name=doorbell.TASK,
    bind=True,
    max_retries=None,
    autoretry_for=OWN_FAULTS,
    retry_backoff=True,
    retry_backoff_max=30,
    retry_kwargs={"expires": NEAR},  # else a retry would inherit when its message expired
)
def deliver(self: Task[Any, Any]) -> None:
    """Builds, sends and settles until nothing is due. Ends in a retry of its own when one will be within a minute."""
    name = f"{self.request.hostname}/{os.getpid()}"
    seconds = Courier(name, outbound.window(), DOMAIN, stopping.is_stopping).run()
    if seconds is not None and seconds <= NEAR and not stopping.is_stopping():
        countdown = max(0.0, seconds)
        if _claims_retry(countdown):
            raise self.retry(countdown=countdown, queue=doorbell.QUEUE, expires=countdown + doorbell.EXPIRES)


def _claims_retry(countdown: float) -> bool:
    try:
        return doorbell.doorbell().claim_retry(countdown)
    except redis.RedisError:
        return False  # the sweep finds it


@shared_task(name="deliveries.sweep", ignore_result=True)
def sweep_task() -> None:
    """Rings when something is due that nobody attends to: lost wake-ups, retries, leases of dead couriers, chores."""
    found = sweep.look()
    if found.deliveries:
        doorbell.publish()
    if found.closed_lanes:
        doorbell.chore(aside.TASK)
    if found.recoveries:
        doorbell.chore(recovering.TASK)
    if found.notices:
        notices.send_due_soon()


@shared_task(name=aside.TASK, ignore_result=True)
def set_aside() -> None:
    """Holds some of what waits for subscriptions that are offline. The sweep asks for it again: it needs no retry."""
    aside.run()


@shared_task(name=recovering.TASK, ignore_result=True)
def recover() -> None:
    """Makes the next few deliveries of each recovery due. The sweep asks for it again: it needs no retry."""
    if recovering.run():
        outbox.wake()


@shared_task(name=notices.SEND_TASK, autoretry_for=OWN_FAULTS, retry_backoff=True, max_retries=None)
def send_notices() -> None:
    """Sends the e-mails that are due."""
    notices.send_due()


@shared_task(name=upkeep.TASK, ignore_result=True)
def keep_up() -> None:
    """Makes partitions ahead and removes what is old. An hour later beat asks again: it needs no retry."""
    upkeep.run_and_log()

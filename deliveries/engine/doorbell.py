"""Wakes couriers: a flag in Redis beside Celery's queue, so that a thousand changes publish one message.

The flag says what the last one to touch it knew:

    (none)   nobody is awake, nothing is pending: whoever rings publishes a `deliver` message
    rung     a wake-up is pending, or its message is on its way
    watched  a courier with free slots looks at the flag every few milliseconds: no message is needed

It lives for seconds only, so that a lost message or a dead courier costs seconds, and the sweep rings regardless of it.
All of Redis may be flushed at any moment.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import redis
from celery import current_app
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

logger = logging.getLogger(__name__)

FLAG = "dotfile-hooks:wake"
RETRY = "dotfile-hooks:retry"
TASK = "deliveries.deliver"
QUEUE = "deliveries"

# Milliseconds. A pending wake-up whose message was lost holds back the next publish no longer than this.
RUNG = 3_000
# Milliseconds. A courier that died while watching is missed for no longer than this.
WATCHED = 1_000
# Seconds without Redis after a failure: a save() then costs nothing, and the sweep finds the event.
BREAK = 5.0
# Seconds after which an unread message is not worth reading: the sweep has rung again since.
EXPIRES = 10


@dataclass
class Doorbell:
    """The flag, through a client of our own that never waits for longer than WAKE_TIMEOUT."""

    client: redis.Redis = field(repr=False)
    broken_until: float = 0.0
    """On the monotonic clock."""

    def ring(self) -> bool:
        """Sets the flag; True when a message must be published. Raises redis.RedisError when Redis is away."""
        return self._swap(b"rung", RUNG) is None

    def watch(self, courier: str) -> tuple[bool, bool]:
        """Takes the flag down. Answers whether it was rung, and whether another courier watches too."""
        before = self._swap(f"watched:{courier}".encode(), WATCHED)
        mine = f"watched:{courier}".encode()
        return before == b"rung", before not in (None, b"rung", mine)

    def leave(self) -> bool:
        """Takes the flag away; True when it was rung, so that the leaving courier must look once more."""
        return bool(self._guarded(lambda: self.client.getdel(FLAG)) == b"rung")

    def claim_retry(self, seconds: float) -> bool:
        """Whether the caller is the one whose next run is scheduled by countdown; one is pending at most."""
        return bool(self._guarded(lambda: self.client.set(RETRY, b"1", nx=True, px=max(1, int(seconds * 1000)))))

    def _swap(self, value: bytes, milliseconds: int) -> bytes | None:
        before: bytes | None = self._guarded(lambda: self.client.set(FLAG, value, px=milliseconds, get=True))
        return before

    def _guarded(self, command: Callable[[], Any]) -> Any:
        if time.monotonic() < self.broken_until:
            raise redis.ConnectionError("Redis failed a moment ago; not asked again yet.")
        try:
            return command()
        except redis.RedisError:
            self.broken_until = time.monotonic() + BREAK
            raise


@cache
def doorbell() -> Doorbell:
    """This process's doorbell (redis-py reconnects after a fork)."""
    wait = settings.WAKE_TIMEOUT
    return Doorbell(
        redis.Redis.from_url(
            settings.REDIS_URL, socket_timeout=wait, socket_connect_timeout=wait, retry=Retry(NoBackoff(), 1)
        )
    )


def ring() -> None:
    """Wakes a courier unless one is awake or about to be. Raises when Redis or the broker is away."""
    if doorbell().ring():
        publish()


def publish() -> None:
    """Sends the message that starts a courier, whatever the flag says."""
    current_app.send_task(TASK, queue=QUEUE, expires=EXPIRES, retry=False, ignore_result=True)


def chore(task: str, *arguments: str) -> None:
    """Sends a task to the chores' queue. Raises when the broker is away."""
    current_app.send_task(task, arguments, queue="chores", retry=False, ignore_result=True)

"""Redis as we use it: what makes us faster while it answers, and costs nothing while it does not."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

# Seconds without Redis after a failure: who would ask goes on without it meanwhile.
BREAK = 5.0


class Resting(redis.ConnectionError):
    """Redis or the broker failed a moment ago and is not asked again yet."""


@dataclass
class Accelerator:
    """Something kept in Redis, reached through a client that never waits for longer than WAKE_TIMEOUT."""

    client: redis.Redis = field(repr=False)
    broken_until: float = 0.0
    """On the monotonic clock."""

    failures: ClassVar[tuple[type[Exception], ...]] = (redis.RedisError,)
    """After which nothing is asked for BREAK seconds."""

    def guarded(self, command: Callable[[], Any]) -> Any:
        """Raises what `command` raises; after one of `failures`, Resting for a while, without calling it."""
        if time.monotonic() < self.broken_until:
            raise Resting("Redis failed a moment ago; not asked again yet.")
        try:
            return command()
        except self.failures:
            self.broken_until = time.monotonic() + BREAK
            raise


def client() -> redis.Redis:
    """One that never waits for longer than WAKE_TIMEOUT."""
    wait = settings.WAKE_TIMEOUT
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=wait, socket_connect_timeout=wait, retry=Retry(NoBackoff(), 1)
    )

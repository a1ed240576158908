"""Hears the doorbell: while a courier watches, whoever rings also speaks on a channel of Redis.

A ring is heard at once then, and to wait for one costs nothing. Deaf, a courier looks at the flag every few
milliseconds.
"""

from __future__ import annotations

import threading
import time
from typing import Any

import redis

from workspaces import accelerator

from . import doorbell


class Ear:
    """A courier's connection to the channel; it is kept while nobody listens, so that listening again is quick."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._connection: Any = None
        self._answered = False
        """Something was read since listening began: the connection is not dead on the other side."""
        self._deaf_until = 0.0

    def listen(self) -> int | None:
        """Begins; answers the descriptor that becomes readable with each ring, None if it cannot be had now."""
        if time.monotonic() < self._deaf_until:
            return None
        try:
            if self._connection is None:
                self._connection = self._client.connection_pool.get_connection()
            elif not self.heard():  # the answer to the last rest says nothing of the connection now
                return None
            self._connection.send_command("SUBSCRIBE", doorbell.CHANNEL)
        except (redis.RedisError, OSError):
            self._lose()
            return None
        self._answered = False
        descriptor: int = self._connection._sock.fileno()  # redis-py has no public way to wait for several things
        return descriptor

    def heard(self) -> bool:
        """Reads what has come, without waiting. False: the connection is gone. Anything may have been a ring."""
        try:
            while self._connection.can_read(timeout=0):
                self._connection.read_response(push_request=True)
                self._answered = True
        except (redis.RedisError, OSError):
            self._lose()
            return False
        return True

    def rest(self) -> None:
        """Ends: nothing must pile up for us in Redis."""
        if self._connection is None:
            return
        try:
            self._connection.send_command("UNSUBSCRIBE", doorbell.CHANNEL)
        except (redis.RedisError, OSError):
            self._lose()
        if not self._answered:
            self._lose()

    def _lose(self) -> None:
        self._deaf_until = time.monotonic() + accelerator.BREAK
        if self._connection is not None:
            self._connection.disconnect()
            self._client.connection_pool.release(self._connection)
            self._connection = None


class _Ears(threading.local):
    def __init__(self) -> None:
        self.own = Ear(accelerator.client())


_ears = _Ears()


def ear() -> Ear:
    """This thread's ear: a courier has one to itself."""
    return _ears.own

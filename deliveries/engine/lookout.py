"""When a courier looks for work, when it calls another one, and when its task may end."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import redis
from django.conf import settings

from . import doorbell, ear

logger = logging.getLogger(__name__)

# Seconds between two looks for work when nobody rang: the longest that a lost or unheard wake-up can cost.
LOOK = 0.1
# Seconds between two glances at the flag in Redis, some 80 us each: deaf, that is how a ring is noticed; else often
# enough that the flag goes on saying that somebody is awake.
GLANCE, HEARING_GLANCE = 0.004, 0.25
# Seconds an idle courier waits for more before its task ends.
LINGER = 0.25
# Seconds between two messages that call another courier to a backlog.
CALL = 1.0
# Life of a task at most, in times its bound, when no successor ever shows up. Below the broker's visibility timeout.
HARD_BOUND = 4


class Lookout:
    """Watches the doorbell for one life of a courier."""

    def __init__(self, name: str, stopping: Callable[[], bool]) -> None:
        self._name = name
        self._stopping = stopping
        self._began = self._worked_at = time.monotonic()
        self._looked_at = self._glanced_at = self._called_at = 0.0
        self._relieved = False
        self._heard = False
        self.is_deaf = True
        """Rings are not heard at once (ear.py): the flag must be looked at all the time."""
        self.hungry = True
        """There was more than one look could take, or it came to no end: look again at once."""

    def listen(self) -> int | None:
        """Begins to hear who rings; answers the descriptor to wait for, if there is one."""
        descriptor = ear.ear().listen()
        self.is_deaf = descriptor is None
        return descriptor

    def hear(self) -> bool:
        """Somebody rang, or the connection is gone: answers whether there is still something to wait for."""
        self._heard = True
        self.is_deaf = not ear.ear().heard()
        return not self.is_deaf

    def rest(self) -> None:
        ear.ear().rest()

    @property
    def is_taking(self) -> bool:
        """Whether new work is taken: until the worker stops, or this courier is past its bound and relieved."""
        return not self._relieved and not self._stopping()

    @property
    def is_past_its_bound(self) -> bool:
        return time.monotonic() - self._began > settings.DELIVERY_BOUND

    @property
    def is_idle(self) -> bool:
        return not self.hungry and time.monotonic() - self._worked_at > LINGER

    def is_time_to_look(self, room: bool) -> bool:
        """When somebody rang, and every tenth of a second; at once after a look that found more than it could take."""
        now = time.monotonic()
        if room and self.hungry:
            return True
        if room and (self._heard or now - self._glanced_at >= (GLANCE if self.is_deaf else HEARING_GLANCE)):
            self._glanced_at, self._heard = now, False
            if self._glance():
                return True
        return now - self._looked_at >= LOOK

    def looked(self, found: bool, more: bool) -> None:
        """Takes note of a look: whether it found work, and whether there was more."""
        self._looked_at = time.monotonic()
        self.hungry = more
        if found:
            self.worked()
        if more:
            self._call()

    def worked(self) -> None:
        self._worked_at = time.monotonic()

    def may_leave(self) -> bool:
        """Takes the flag down for good; False when somebody rang at the last moment.

        Nor while Redis is away: nobody could be woken then, so who is awake stays so and looks every tenth of a second.
        """
        try:
            self.hungry = doorbell.doorbell().leave()
        except redis.RedisError:
            return False
        return not self.hungry

    def _glance(self) -> bool:
        try:
            rung, others = doorbell.doorbell().watch(self._name)
        except redis.RedisError:
            return False  # nobody could be called either
        if self.is_past_its_bound:
            self._hand_over(others)
        return rung

    def _hand_over(self, others: bool) -> None:
        """Calls a successor, and takes no more once one is awake: a wake-up never waits for our slow receivers."""
        overdue = time.monotonic() - self._began > HARD_BOUND * settings.DELIVERY_BOUND
        self._relieved = self._relieved or others or overdue
        self._call()

    def _call(self) -> None:
        now = time.monotonic()
        if now - self._called_at < CALL:
            return
        self._called_at = now
        try:
            doorbell.publish()
        except Exception as error:
            logger.warning("no other courier could be called (%s); the sweep will", type(error).__name__)

"""Wakes couriers: a flag in Redis beside Celery's queue, so that a thousand changes publish one message.

The flag says what the last one to touch it knew:

    (none)   nobody is awake, nothing is pending: whoever rings publishes a `deliver` message
    rung     a wake-up is pending, or its message is on its way; and who rang, for a ring that must be sent again
    watched  a courier with free slots is awake and hears who rings (ear.py): no message is needed

It lives for seconds only, so that a lost message or a dead courier costs seconds, and the sweep rings regardless of it.
All of Redis may be flushed at any moment.
"""

from __future__ import annotations

import logging
import secrets
import time
from functools import cache
from typing import Any

import redis
from celery import current_app
from kombu.exceptions import OperationalError

from workspaces import accelerator
from workspaces.accelerator import Accelerator

logger = logging.getLogger(__name__)

FLAG = "dotfile-hooks:wake"
CHANNEL = "dotfile-hooks:wake"
RETRY = "dotfile-hooks:retry"
TASK = "deliveries.deliver"
QUEUE = "deliveries"

# Milliseconds. A pending wake-up whose message was lost holds back the next publish no longer than this; further rings
# do not prolong it.
RUNG = 3_000
# A ring that is sent again, since its answer was lost, must not take its first try for somebody else's.
RING = """
local before = redis.call('GET', KEYS[1])
if before == ARGV[3] then return false end
local rung = before and string.sub(before, 1, 4) == 'rung'
if not rung then redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[1]) end
if before and not rung then redis.pcall('PUBLISH', ARGV[2], '') end
return before
"""
# One run by countdown is pending at most, unless an earlier one is wanted. The value is when it is due.
CLAIM = """
local due = redis.call('GET', KEYS[1])
if due and tonumber(due) <= tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
# Milliseconds. A courier that died while watching is missed for no longer than this.
WATCHED = 1_000
# Seconds after which an unread message is not worth reading: the sweep has rung again since. Celery compares clocks of
# two machines, which may be minutes apart: a worker whose clock is fast would throw away what expires sooner.
EXPIRES = 300


class Doorbell(Accelerator):
    """The flag, and what is published beside it. A save() costs nothing while it rests; the sweep finds the event."""

    failures = (redis.RedisError, OperationalError)

    def ring(self) -> bool:
        """Sets the flag; True when a message must be published. Raises redis.RedisError when Redis is away."""
        mine = f"rung:{secrets.token_hex(8)}"
        return self.guarded(lambda: self.client.eval(RING, 1, FLAG, RUNG, CHANNEL, mine)) is None

    def watch(self, courier: str) -> tuple[bool, bool]:
        """Takes the flag down. Answers whether it was rung, and whether another courier watches too."""
        mine = f"watched:{courier}".encode()
        before = self.guarded(lambda: self.client.set(FLAG, mine, px=WATCHED, get=True))
        rung = _is_rung(before)
        return rung, not rung and before not in (None, mine)

    def leave(self) -> bool:
        """Takes the flag away; True when it was rung, so that the leaving courier must look once more."""
        return _is_rung(self.guarded(lambda: self.client.getdel(FLAG)))

    def claim_retry(self, seconds: float) -> bool:
        """Whether the caller is the one whose next run is scheduled by countdown: no earlier one is pending."""
        due, milliseconds = time.time() + seconds, max(1, int(seconds * 1000))
        return bool(self.guarded(lambda: self.client.eval(CLAIM, 1, RETRY, due, milliseconds)))

    def send(self, task: str, arguments: tuple[str, ...] = (), **options: Any) -> None:
        """Publishes through Celery. Raises at once while Redis or the broker failed a moment ago."""
        self.guarded(lambda: current_app.send_task(task, arguments, retry=False, ignore_result=True, **options))


def _is_rung(flag: bytes | None) -> bool:
    return flag is not None and flag.startswith(b"rung")


@cache
def doorbell() -> Doorbell:
    """This process's doorbell (redis-py reconnects after a fork)."""
    return Doorbell(accelerator.client())


def ring() -> None:
    """Wakes a courier unless one is awake or about to be. Raises when Redis or the broker is away."""
    if doorbell().ring():
        publish()


def publish() -> None:
    """Sends the message that starts a courier, whatever the flag says."""
    doorbell().send(TASK, queue=QUEUE, expires=EXPIRES)


def chore(task: str, *arguments: str) -> None:
    """Sends a task to the chores' queue. Raises when the broker is away."""
    doorbell().send(task, arguments, queue="chores")

"""A courier's database session: bounded waits, PostgreSQL's clock, and patience when the database goes away."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import inf

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from .statements import AS_USUAL, BY_INDEX

logger = logging.getLogger(__name__)

# A courier that waits for the database cannot read its receivers' answers, so its waits are bounded. What a crash of
# PostgreSQL can lose of its outcomes is the last moment's, and those are sent again: a duplicate, never a loss. So its
# commits need not wait for the disk. Recording an event does, and so does building a payload.
OPEN = f"""
SET statement_timeout = '10s'; SET lock_timeout = '5s'; SET synchronous_commit = off;
{BY_INDEX}; SET plan_cache_mode = force_generic_plan;
SELECT extract(epoch FROM clock_timestamp())::float8
"""  # noqa: S608  # of constants
CLOSE = f"""
RESET statement_timeout; RESET lock_timeout; RESET synchronous_commit; {AS_USUAL}; RESET plan_cache_mode
"""
# Seconds to wait before a database that failed is tried again.
RECONNECT = 0.5


@dataclass(frozen=True, slots=True)
class Reading:
    """The database's time in seconds since 1970, as it was at some moment since it was `asked` (monotonic clock)."""

    epoch: float
    asked: float


class Session:
    """Open from `open` to `close`; work goes through `run`, which tells when the database was away."""

    def __init__(self) -> None:
        self._down_since: float | None = None
        self._retry_at = 0.0
        self.ahead = inf
        """Seconds by which the database's clock is ahead of our monotonic one."""

    @property
    def is_down(self) -> bool:
        return self._down_since is not None

    def open(self) -> None:
        try:
            self._begin()
        except (OperationalError, InterfaceError):
            connection.close()  # it was cut while nobody used it: no reason to be late
            self._begin()
        self._down_since = None

    def _begin(self) -> None:
        with connection.cursor() as cursor:
            asked = time.monotonic()
            cursor.execute(OPEN)
            self.set_clock(Reading(cursor.fetchone()[0], asked), time.monotonic())

    def close(self) -> None:
        if not self.is_down:
            with connection.cursor() as cursor:
                cursor.execute(CLOSE)

    def set_clock(self, reading: Reading, now: float) -> None:
        """Takes note of the database's time, read by `now`; between two readings the monotonic clock carries it on.

        A process that is stopped while it asks hears an old time. It would sign what it sends again with the time of
        the first sending, to the byte the same. So the clock moves only as far as a reading proves it wrong.
        """
        self.ahead = min(max(self.ahead, reading.epoch - now), reading.epoch - reading.asked)

    def epoch(self) -> float:
        """Seconds since 1970 by PostgreSQL's clock; this machine's may be wrong."""
        return self.ahead + time.monotonic()

    def pause(self) -> float:
        """Seconds until the database may be asked again; 0 while it is well."""
        return max(0.0, self._retry_at - time.monotonic())

    def run(self, work: Callable[[], None]) -> None:
        """Does the work unless the database is away. Raises OperationalError once it was away for a whole lease."""
        if self.pause():
            return
        try:
            if self.is_down:
                self.open()
            work()
        except (OperationalError, InterfaceError) as error:
            self._lose(error)

    def _lose(self, error: OperationalError | InterfaceError) -> None:
        now = time.monotonic()
        logger.warning("the database failed: %s", type(error).__name__)
        connection.close()
        if self._down_since is None:
            self._down_since = now
        self._retry_at = now + RECONNECT
        if now - self._down_since > settings.DELIVERY_LEASE:
            raise error

"""When a failing receiver is left alone for a while, and when its subscription goes offline. Pure: time comes in.

A breaker is closed (all is sent), open (nothing is sent, and no attempt is used up) or half open (one probe at a time).
What it must remember between two leases of a lane is a small JSON object on the lane's row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Rules:
    """From the settings."""

    failures: int = 10
    """In a row, that open it."""
    attempts: int = 20
    """Of the last minute at least, more than half of them failed, that open it."""
    pause: float = 10.0
    """Seconds until the first probe; doubled after each that fails."""
    longest_pause: float = 600.0
    """Seconds."""
    offline_failures: int = 50
    """Of the last 24 hours at least, and more than half of their attempts, that take the subscription offline."""


class Tally:
    """Attempts and failures of the last so many slots of time; one slot is `seconds` long."""

    __slots__ = ("_count", "_rows", "_seconds")

    def __init__(self, seconds: float, count: int, rows: Iterable[list[int]] = ()) -> None:
        self._seconds, self._count = seconds, count
        self._rows = [list(row) for row in rows]
        """[slot, attempts, failures], the oldest first."""

    def note(self, failed: bool, now: float) -> None:
        slot = int(now // self._seconds)
        while self._rows and self._rows[-1][0] > slot:
            del self._rows[-1]  # the clock was set back: these would never grow old
        if not self._rows or self._rows[-1][0] < slot:
            self._rows.append([slot, 0, 0])
            while self._rows[0][0] <= slot - self._count:
                del self._rows[0]
        latest = self._rows[-1]
        latest[1] += 1
        latest[2] += failed

    def sums(self, now: float) -> tuple[int, int]:
        """Attempts, and how many of them failed."""
        oldest = int(now // self._seconds) - self._count
        rows = [row for row in self._rows if row[0] > oldest]
        return sum(row[1] for row in rows), sum(row[2] for row in rows)

    def clear(self) -> None:
        self._rows.clear()

    def dump(self) -> list[list[int]]:
        return self._rows


class Health:
    """How one receiver answered lately, and what follows from it. Times are seconds since the epoch."""

    __slots__ = ("_opened_at", "_rules", "day", "forgiven", "in_a_row", "minute", "open_until", "trips")

    def __init__(self, rules: Rules, stored: Mapping[str, Any]) -> None:
        """`stored` is what `dump` gave, or empty. A breaker that was open then is half open now."""
        self._rules = rules
        self.in_a_row: int = stored.get("in_a_row", 0)
        """Failures since the last success."""
        self.trips: int = stored.get("trips", 0)
        """Times it opened since the last success; 0: it is closed."""
        self.forgiven: int = stored.get("forgiven", 0)
        """Times its failures were forgotten because people brought it online."""
        self.open_until = self._opened_at = 0.0
        self.minute = Tally(10, 6, stored.get("minute", ()))
        self.day = Tally(3600, 24, stored.get("day", ()))

    def note(self, succeeded: bool, now: float, began: float) -> None:
        """An answer came to what was sent at `began`, or none in time. Faults of our own are not noted."""
        failed = not succeeded
        self.minute.note(failed, now)
        self.day.note(failed, now)
        self.in_a_row = self.in_a_row + 1 if failed else 0
        if self.is_open(now) or began < self._opened_at:
            return  # it was sent before the breaker opened: no probe
        if failed and (self.trips or self._fails_too_often(now)):
            self._open(now)
        elif succeeded and self.trips:
            self.trips = 0
            self.minute.clear()

    def is_open(self, now: float) -> bool:
        return now < self.open_until

    def why_offline(self, now: float) -> str:
        """Why the subscription must go offline; empty: it need not.

        Dotfile's rule, refined: 50 errors in 24 hours, and more than half of that window's attempts.
        """
        if not self.in_a_row:
            return ""
        attempts, failures = self.day.sums(now)
        if failures < self._rules.offline_failures or 2 * failures <= attempts:
            return ""
        return f"{failures} of {attempts} attempts in 24 hours failed."

    def _fails_too_often(self, now: float) -> bool:
        attempts, failures = self.minute.sums(now)
        often = attempts >= self._rules.attempts and 2 * failures > attempts
        return often or self.in_a_row >= self._rules.failures

    def _open(self, now: float) -> None:
        pause = self._rules.pause * 2 ** min(self.trips, 20)
        self.trips += 1
        self._opened_at = now
        self.open_until = now + min(pause, self._rules.longest_pause)

    def dump(self) -> dict[str, Any]:
        return {
            "in_a_row": self.in_a_row,
            "trips": self.trips,
            "forgiven": self.forgiven,
            "minute": self.minute.dump(),
            "day": self.day.dump(),
        }

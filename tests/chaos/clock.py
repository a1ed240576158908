"""A clock that is off by minutes, in one process: what Python, Celery and Django there call now is another time."""

from __future__ import annotations

import sys
import time
from datetime import datetime, tzinfo
from typing import Any

BENT_PACKAGES = ("celery", "kombu", "billiard", "django.utils.timezone")
"""Whose `datetime` is replaced too: it asks the system itself, not time.time()."""


def bend(seconds: float) -> None:
    """Shifts this process's wall clock, for good; the monotonic clock stays. Call it when all modules are loaded."""
    real = time.time

    def bent() -> float:
        return real() + seconds

    _replace("time", real, bent)
    _replace("_time", real, bent)
    time.time = bent
    _replace("datetime", datetime, _bent_datetime(), BENT_PACKAGES)


def _replace(name: str, old: Any, new: Any, packages: tuple[str, ...] = ("",)) -> None:
    """In every module that imported the old one by name."""
    for path, module in list(sys.modules.items()):
        if path.startswith(packages) and getattr(module, "__dict__", {}).get(name) is old:
            setattr(module, name, new)


def _bent_datetime() -> type[datetime]:
    class Bent(datetime):
        """Tells the bent time, as plain datetimes: JSON and PostgreSQL know only those."""

        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]  # plain on purpose
            return datetime.fromtimestamp(time.time(), tz)  # noqa: DTZ006  # as the real one does

        @classmethod
        def utcnow(cls) -> datetime:  # type: ignore[override]
            return datetime.utcfromtimestamp(time.time())  # noqa: DTZ004

    return Bent

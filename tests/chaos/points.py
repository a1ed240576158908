"""Ends or stops a worker at a named moment of its work: a file arms a point, and the first to reach it is hit."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

NAMES = ("built", "sent", "settling", "renewing")
Way = Literal["kill", "stop"]
SIGNALS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}


@dataclass(frozen=True)
class Hit:
    """A process that was hit at a point, and when (unix seconds)."""

    point: str
    way: str
    pid: int
    at: float


def hook(folder: Path) -> Callable[[str], None]:
    """For engine.crashpoints.hook. Costs a failed rename, some microseconds, while nothing is armed."""
    paths = {name: [(way, str(folder / f"{name}.{way}")) for way in SIGNALS] for name in NAMES}

    def reached(point: str) -> None:
        for way, path in paths[point]:
            with suppress(FileNotFoundError):
                os.rename(path, f"{path}.{os.getpid()}")
                os.kill(os.getpid(), SIGNALS[way])

    return reached


class Points:
    """The harness's side."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(exist_ok=True)

    def arm(self, point: str, way: Way) -> None:
        (self._folder / f"{point}.{way}").touch()

    def disarm(self) -> None:
        for point in NAMES:
            for way in SIGNALS:
                (self._folder / f"{point}.{way}").unlink(missing_ok=True)

    def hits(self) -> Iterator[Hit]:
        """Who was hit since the last call."""
        for path in sorted(self._folder.glob("*.*.*")):
            point, way, pid = path.name.split(".")
            yield Hit(point, way, int(pid), path.stat().st_ctime)
            path.unlink()

"""Real Celery processes against the test's own database and Redis: workers, beat; killed when a test is over."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection

from dotfile_hooks.dev import processes

ROOT = Path(__file__).resolve().parents[2]


def database_url() -> str:
    """The test database's own URL; pytest-django gave it a name of its own."""
    url = urlsplit(os.environ["DATABASE_URL"])
    return url._replace(path="/" + connection.settings_dict["NAME"]).geturl()


class Fleet:
    """Starts processes with short leases and pauses, so that a takeover takes seconds."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self._folder = folder
        self._running: list[subprocess.Popen[bytes]] = []
        self._environment = {
            **os.environ,
            "DATABASE_URL": database_url(),
            "REDIS_URL": settings.REDIS_URL,
            "DELIVERY_LEASE": "3",
            "BREAKER_PAUSE": "0.5",
            "BREAKER_LONGEST_PAUSE": "0.5",
            **environment,
        }

    def worker(
        self, name: str = "worker", processes: int = 1, queues: str = "deliveries", level: str = "WARNING"
    ) -> subprocess.Popen[bytes]:
        quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        return self._start("worker", "-n", f"{name}@test", "-Q", queues, "-c", str(processes), *quiet, level=level)

    def beat(self) -> subprocess.Popen[bytes]:
        schedule = self._folder / f"schedule-{len(self._running)}"
        return self._start("beat", "--schedule", str(schedule), "--pidfile", "")

    def logs(self) -> str:
        return "\n".join(path.read_text() for path in sorted(self._folder.glob("*.log")))

    def _start(self, *arguments: str, level: str = "WARNING") -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "celery", "-A", "dotfile_hooks", *arguments, "-l", level]
        with (self._folder / f"{len(self._running)}.log").open("wb") as log:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self._environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=processes.tied(signal.SIGKILL),
            )
        self._running.append(process)
        return process

    def end(self) -> None:
        for process in self._running:
            kill(process)


def kill(process: subprocess.Popen[Any]) -> None:
    """kill -9 of the process and all its children."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    finally:
        process.wait(60)


@contextmanager
def fleet(**environment: str) -> Iterator[Fleet]:
    with tempfile.TemporaryDirectory() as folder:
        found = Fleet(Path(folder), **environment)
        try:
            yield found
        finally:
            found.end()

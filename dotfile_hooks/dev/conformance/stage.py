"""What a run needs: servers, tables, API, two Celery workers, a receiver; and Django, to change rows beside them."""

from __future__ import annotations

import contextlib
import os
import secrets
import shlex
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import django
from celery import Celery
from cryptography.fernet import Fernet
from django.db import connections

from dotfile_hooks.dev import processes, servers, stack, supervisor
from dotfile_hooks.dev.recording import Post
from dotfile_hooks.dev.supervisor import Supervisor

WORKERS = ("worker", "documents")  # of the Procfile: who delivers, and who analyses what is handed in
PROGRAMS = {"WEB_PROCESSES": "1", "WORKER_PROCESSES": "1", "PYTHONWARNINGS": stack.QUIET_AS_ROOT}
# One run makes as many calls in some seconds as the limits allow a client in minutes.
UNHURRIED = {f"{name}_PER_MINUTE": "0" for name in ("READS", "WRITES", "BAD_KEYS")}
LOG = "programs.log"  # in the run's folder: what the programs print


@dataclass(frozen=True)
class Stage:
    """What runs, and where it is found."""

    programs: Supervisor
    receiver: str
    record: Path
    api: str
    """Where the API is: http://127.0.0.1:8000, without /v1."""

    def posts(self, path: str) -> list[Post]:
        """What arrived at this path of the receiver so far."""
        lines = self.record.read_text().splitlines() if self.record.exists() else []
        return [post for post in map(Post.from_line, lines) if post.path == path]


@contextlib.contextmanager
def running(folder: Path, settings: Mapping[str, str] | None = None) -> Iterator[Stage]:
    """Starts it all, with its files in `folder`, and sets Django up. `settings` go before ours. Raises StartError."""
    keys = stack.Keys(secrets.token_urlsafe(50), Fernet.generate_key().decode())
    port, web, record = processes.free_port(), processes.free_port(), folder / "received.jsonl"
    with servers.private() as urls:
        parts = urls.environment(), stack.settings(keys), PROGRAMS, UNHURRIED, settings or {}
        environment = supervisor.program_environment(*parts)
        with supervisor.logged(environment, folder / LOG) as programs:
            command = [sys.executable, "-m", "dotfile_hooks.dev.receiver", "--port", str(port), "--record", str(record)]
            programs.start("receiver", f"exec {shlex.join(command)}")
            stack.manage(environment, "migrate", "--noinput")
            lines, api = supervisor.procfile(), f"http://127.0.0.1:{web}"
            programs.start("web", lines["web"], PORT=str(web))
            for name in WORKERS:
                programs.start(name, lines[name])
            _wait_for_workers(programs)
            programs.wait_for("the API", lambda: stack.answers(f"{api}/v1/ping"))
            os.environ |= environment | {"DJANGO_SETTINGS_MODULE": "dotfile_hooks.settings"}
            django.setup()
            try:
                yield Stage(programs, f"http://127.0.0.1:{port}", record, api)
            finally:
                connections.close_all()


def _wait_for_workers(programs: Supervisor) -> None:
    count = len(WORKERS)
    app = Celery(broker=programs.environment["REDIS_URL"], set_as_current=False)  # the project's knows the queues
    programs.wait_for("the workers", lambda: len(app.control.ping(timeout=1, limit=count) or []) == count)
    app.close()

"""All of the product for one run, as its Procfile says, beside throw-away servers and a recording receiver."""

from __future__ import annotations

import contextlib
import os
import secrets
import shlex
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import django
import psycopg2
import requests

from dotfile_hooks.dev import places, postgres, processes, stack, supervisor
from dotfile_hooks.dev.supervisor import Program, Supervisor

from . import machine, receiver, valkey

FERNET = "ZGV2ZWxvcG1lbnQtb25seS1ub3QtYS1zZWNyZXQtISE="  # of throw-away data
OBSERVED = "shared_preload_libraries = 'pg_stat_statements'"


@dataclass
class Site:
    """What runs, and where it is found."""

    folder: Path
    database_url: str
    valkey: valkey.Valkey
    programs: Supervisor
    receiver_port: int

    def url(self, path: str) -> str:
        """Of a receiver that behaves as the first part of the path says."""
        return f"http://127.0.0.1:{self.receiver_port}/{path}"

    def posts(self, since: int = 0) -> list[receiver.Post]:
        """All so far, or those since a mark; of a receiver that writes them down."""
        self._written()
        return list(receiver.read(self.folder, since))

    def mark(self) -> int:
        """Where the next POST will be written down."""
        self._written()
        return (self.folder / "posts").stat().st_size

    def _written(self) -> None:
        """All that came is written down when a receiver has had its pause and answers again."""
        time.sleep(2 * receiver.FLUSH)
        self.received()

    def received(self) -> int:
        """POSTs so far."""
        return int(requests.get(self.url(""), timeout=30).text)

    def start(self, *names: str, **environment: str) -> list[Program]:
        """Starts programs of the Procfile; returns when those that are Celery workers answer."""
        lines = supervisor.procfile()
        started = [self.programs.start(name, lines[name], **environment) for name in names]
        self.programs.wait_for("the programs", lambda: all(map(_is_up, started)))
        return started

    def stop(self, program: Program) -> None:
        """As a deploy does: SIGTERM, and all the time it needs."""
        processes.stop(program.process, signal.SIGTERM, timeout=supervisor.GRACE)
        self.programs.programs.remove(program)

    def cpu(self) -> dict[str, float]:
        """Seconds so far of each program, its children included, and of the servers."""
        postmaster = int((self.folder / "postgres" / "postmaster.pid").read_text().split()[0])
        roots = {each.name: each.process.pid for each in self.programs.programs}
        roots |= {"PostgreSQL": postmaster, "Valkey": self.valkey.pid}
        family = machine.parents()
        return {name: machine.used(machine.tree(pid, family)) for name, pid in roots.items()}


@contextlib.contextmanager
def running(*, observed: bool = False, receiver: str = "bench.receiver", **environment: str) -> Iterator[Site]:
    """Servers, tables and the receiver; nothing of the Procfile yet. Django is set up to use them.

    `observed` loads pg_stat_statements; `receiver` is the module that runs as such, and its options.
    Raises StartError.
    """
    processes.end_cleanly()
    with (
        places.throwaway_folder() as (folder, lock),
        _database(folder, lock, observed) as database_url,
        valkey.running() as redis,
    ):
        urls = {"DATABASE_URL": database_url, "REDIS_URL": redis.url, "BROKER_URL": ""}
        keys = stack.Keys(secrets.token_hex(32), FERNET)
        mine = {"PYTHONWARNINGS": stack.QUIET_AS_ROOT, "PORT": str(processes.free_port()), **environment}
        whole = supervisor.program_environment(urls, stack.settings(keys), mine)
        stack.manage(whole, "migrate", "--noinput")
        with supervisor.logged(whole, folder / "log") as programs:
            port = _receiver(folder, programs, receiver)
            os.environ |= whole | {"DJANGO_SETTINGS_MODULE": "dotfile_hooks.settings"}
            django.setup()
            yield Site(folder, database_url, redis, programs, port)


@contextlib.contextmanager
def _database(folder: Path, lock: int, observed: bool) -> Iterator[str]:
    """A PostgreSQL that waits for its disk, as in production."""
    data = folder / "postgres"
    if observed:
        with postgres.running(data, lock=lock) as url:
            execute(url, f"ALTER SYSTEM SET {OBSERVED}")
    with postgres.running(data, lock=lock) as url:
        if observed:
            execute(url, "CREATE EXTENSION pg_stat_statements")
        yield url


def execute(database_url: str, statement: str) -> list[tuple[object, ...]]:
    """One statement on a connection of its own."""
    connection = psycopg2.connect(database_url)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def _receiver(folder: Path, programs: Supervisor, module: str) -> int:
    name, *options = module.split()
    command = f"exec {shlex.join([sys.executable, '-m', name, str(folder), *options])}"
    programs.start("receiver", command)
    port = folder / "port"
    programs.wait_for("the receiver", port.exists)
    return int(port.read_text())


def _is_up(program: Program) -> bool:
    """Celery's children are there a moment before they take tasks; a program that has none is up at once."""
    children = Path(f"/proc/{program.process.pid}/task/{program.process.pid}/children")
    return program.name == "beat" or bool(children.read_text().split())


def wait_until(condition: Callable[[], bool], seconds: float, what: str, every: float = 0.05) -> float:
    """Seconds until it held; asks `every` so many. Raises StartError."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() > began + seconds:
            raise processes.StartError(f"{what}: not within {seconds:g} s.")
        time.sleep(every)
    return time.monotonic() - began

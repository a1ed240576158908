"""The product, its receivers and its users, as real processes on the ground of a run."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests

from dotfile_hooks.celery import app
from dotfile_hooks.dev import places, processes, stack, supervisor

from .evidence import Span
from .fleet import Fleet
from .ground import Ground
from .points import Points

WORKERS = ("worker1", "worker2")
EVERYTHING = (*WORKERS, "chores", "beat", "web")
PATIENCE = 180.0
"""Seconds for everything to be up, and for an answer of the receivers, on a busy machine."""


@dataclass
class Site:
    """The parts of a run."""

    ground: Ground
    points: Points
    fleet: Fleet
    web: str
    """The address of the web server; empty: there is none."""
    ports: tuple[int, int]
    """Of the receivers: the open one, and the one that refuses in a storm."""
    outages: list[Span] = field(default_factory=list)
    """When the database was down or refused to write (unix seconds)."""
    loads: list[subprocess.Popen[str]] = field(default_factory=list)

    def tell(self, word: str) -> int:
        """Tells the receivers something; answers with how many POSTs they got so far."""
        return int(requests.get(f"http://127.0.0.1:{self.ports[0]}/-/{word}", timeout=PATIENCE).text)

    def start_load(self, count: int, seed: int, pace: float, workspaces: Mapping[str, Any]) -> None:
        """Processes that change rows, `pace` events a second together."""
        folder = self.ground.folder
        for number in range(count):
            order = {"folder": str(folder), "number": number, "seed": seed, "workspaces": workspaces}
            order |= {"pace": pace / count, "bulk": max(4, int(pace / 2)), "web": self.web}
            with (folder / "load.log").open("ab") as log:
                process = subprocess.Popen(
                    [sys.executable, "-m", "tests.chaos.load"],
                    cwd=places.CHECKOUT,
                    env=supervisor.program_environment(self.ground.environment, LOAD),
                    stdin=subprocess.PIPE,
                    stderr=log,
                    text=True,
                    preexec_fn=processes.tied(signal.SIGKILL),
                )
            if process.stdin is not None:
                with process.stdin as pipe:
                    json.dump(order, pipe)
            self.loads.append(process)

    def committed(self) -> int:
        """Events so far, as the load counts them. Raises StartError when a load ended by itself."""
        folder = self.ground.folder
        if any(process.poll() is not None for process in self.loads):
            raise processes.StartError(f"A load has ended:\n{(folder / 'load.log').read_text()[-2000:]}")
        return sum(int(path.read_text()) for path in folder.glob("progress-?"))

    def stop_load(self) -> None:
        for process in self.loads:
            process.terminate()
        for process in self.loads:
            processes.stop(process, signal.SIGTERM, 30)
        self.loads.clear()


# The load writes with one key as fast as it can.
UNTHROTTLED = {"WRITES_PER_MINUTE": "1000000", "WRITES_BURST": "100000"}
LOAD = {"DJANGO_SETTINGS_MODULE": "dotfile_hooks.settings"}


@contextlib.contextmanager
def running(ground: Ground, seed: int, programs: Collection[str] = EVERYTHING, **own: str) -> Iterator[Site]:
    """Starts the receivers and these programs; ends everything. `own` is their environment. Raises StartError."""
    points = Points(ground.folder / "points")
    web, port = "web" in programs, processes.free_port()
    told = {"CHAOS_POINTS": str(ground.folder / "points"), "PORT": str(port), **UNTHROTTLED}
    environment = {**ground.environment, **told, **own}
    commands = {name: command for name, command in _commands().items() if name in programs}
    fleet = Fleet(environment, ground.folder, commands)
    with _receivers(ground, seed) as ports:
        site = Site(ground, points, fleet, f"http://127.0.0.1:{port}" if web else "", ports)
        fleet.start_all()
        try:
            _wait_until_ready(site)
            yield site
        finally:
            site.stop_load()
            fleet.stop()


def _commands() -> dict[str, str]:
    lines = supervisor.procfile()
    worker = lines["worker"].replace("-A dotfile_hooks", "-A tests.chaos.app")
    commands = {name: f"{worker} -n {name}@%h" for name in WORKERS}
    beat = lines["beat"].replace(" beat ", " beat --schedule '' --pidfile '' ")
    return commands | {"chores": lines["chores"], "beat": beat, "web": lines["web"]}


def _wait_until_ready(site: Site) -> None:
    workers = len(site.fleet.programs.keys() - {"beat", "web"})
    _wait("the workers", lambda: len(app.control.ping(timeout=1, limit=workers) or []) == workers)
    if site.web:
        _wait("the web server", lambda: stack.answers(f"{site.web}/v1/ping"))


def _wait(what: str, condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise processes.StartError(f"Waited {PATIENCE:.0f} seconds for {what}, in vain.")
        time.sleep(0.05)


@contextlib.contextmanager
def _receivers(ground: Ground, seed: int) -> Iterator[tuple[int, int]]:
    path = ground.folder / "ports"
    for left in (path, *ground.folder.glob("history-*"), *ground.folder.glob("progress-*")):
        left.unlink(missing_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.chaos.receiver", str(ground.folder), str(seed)],
        cwd=places.CHECKOUT,
        start_new_session=True,
        preexec_fn=processes.tied(signal.SIGKILL),
    )
    try:
        _wait("the receivers", path.exists)
        port, refusing = map(int, path.read_text().split())
        yield port, refusing
    finally:
        processes.stop(process, signal.SIGTERM)

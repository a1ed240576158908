"""The product's processes, started as the Procfile says, and again when they end: as a supervisor does."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dotfile_hooks.dev import places, processes, supervisor

ORPHANS_END = 8.0
"""Seconds after which the children of a killed parent are killed too, as a container is emptied."""
GRACE = 20.0
"""Seconds for the warm shutdown of a program that is replaced."""
END = 2.0
"""Seconds for that of all, when a run is over and nothing waits."""


@dataclass
class Program:
    """A running program; children and all are in a session of their own."""

    name: str
    process: subprocess.Popen[bytes]

    @property
    def pid(self) -> int:
        return self.process.pid

    def children(self) -> list[int]:
        with contextlib.suppress(OSError):
            return [int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]
        return []

    def kill_all(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)


class Fleet:
    """Call `tend` often: it starts again what has ended. Use it in one thread: programs are tied to that."""

    def __init__(self, environment: Mapping[str, str], logs: Path, commands: Mapping[str, str]) -> None:
        """`commands` by name, each for a shell."""
        self._environment = supervisor.program_environment(environment)
        self._logs = logs
        self._commands = dict(commands)
        self.programs: dict[str, Program] = {}
        self._gone: list[tuple[float, Program]] = []
        """What still may have children, and when these must end."""
        self._own: dict[str, dict[str, str]] = {}

    def start(self, name: str) -> Program:
        with (self._logs / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                ["sh", "-c", self._commands[name]],
                cwd=places.CHECKOUT,
                env=self._environment | self._own.get(name, {}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=processes.tied(signal.SIGKILL),
            )
        self.programs[name] = Program(name, process)
        return self.programs[name]

    def start_all(self) -> None:
        for name in self._commands:
            self.start(name)

    def replace(self, name: str, **environment: str) -> None:
        """A deploy: the old one is asked to end, a new one is started at once beside it."""
        old = self.programs[name]
        old.process.terminate()
        self._gone.append((time.monotonic() + GRACE + ORPHANS_END, old))
        self._own[name] = environment
        self.start(name)

    def tend(self) -> None:
        now = time.monotonic()
        for name, program in list(self.programs.items()):
            if program.process.poll() is not None:
                self._gone.append((now + ORPHANS_END, program))
                self.start(name)
        for end, program in self._gone:
            if now > end:
                program.kill_all()
                program.process.poll()
        self._gone = [each for each in self._gone if now <= each[0]]

    def everybody(self) -> list[int]:
        """All processes of all programs."""
        found = [*self.programs.values(), *(program for _, program in self._gone)]
        return [pid for program in found for pid in (program.pid, *program.children())]

    def stop(self, grace: float = END) -> None:
        """Warm for all who obey, then kill -9 for whoever is left."""
        everybody = [*self.programs.values(), *(program for _, program in self._gone)]
        end = time.monotonic() + grace
        for program in everybody:
            program.process.terminate()
        for program in everybody:
            with contextlib.suppress(subprocess.TimeoutExpired):
                program.process.wait(max(0.0, end - time.monotonic()))
        for program in everybody:
            program.kill_all()
            program.process.wait()

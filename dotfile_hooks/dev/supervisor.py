"""Runs the programs of the Procfile beside each other, ends them together, and leaves none behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from honcho.environ import parse_procfile

from . import places, processes
from .processes import StartError

GRACE = 40  # seconds a program gets to end: longer than CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT
BIN = str(Path(sys.executable).parent)


def procfile() -> dict[str, str]:
    """The commands of the Procfile, by name."""
    lines: dict[str, str] = parse_procfile((places.CHECKOUT / "Procfile").read_text()).processes
    return lines


def program_environment(*parts: Mapping[str, str]) -> dict[str, str]:
    """Our environment and `parts`, with the programs of this virtual environment found first."""
    # Importing our package sets the first; the second would tie the programs to make instead of to us.
    ours = {"DJANGO_SETTINGS_MODULE", "MAKELEVEL"}
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    environment |= {"PYTHONUNBUFFERED": "1", "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"}
    for part in parts:
        environment |= part
    return environment


@dataclass(frozen=True)
class Program:
    """One running program; `log` is the read end of its output when nobody else gets that."""

    name: str
    process: subprocess.Popen[bytes]


class Supervisor:
    """Starts programs and watches them. Use as a context manager: leaving it ends them all."""

    def __init__(self, environment: Mapping[str, str], output: Callable[[str], IO[bytes] | int]) -> None:
        """`output(name)` says where a program's output goes: a file, or subprocess.PIPE."""
        self.environment = dict(environment)
        self.output = output
        self.programs: list[Program] = []

    def start(self, name: str, command: str, **environment: str) -> Program:
        """Starts a shell command. Call it in the main thread: the program is tied to the thread that starts it."""
        process = subprocess.Popen(
            ["sh", "-c", command],
            cwd=places.CHECKOUT,
            env=self.environment | environment,
            stdin=subprocess.DEVNULL,
            stdout=self.output(name),
            stderr=subprocess.STDOUT,
            # A session of its own: Ctrl-C at the terminal reaches us only, and we end the programs in order.
            start_new_session=True,
            # If we are killed nobody waits for a graceful end; what was not finished is in PostgreSQL.
            preexec_fn=processes.tied(signal.SIGKILL),
        )
        program = Program(name, process)
        self.programs.append(program)
        return program

    def check(self) -> None:
        """Raises StartError when a program has ended by itself."""
        for program in self.programs:
            if (status := program.process.poll()) is not None:
                raise StartError(f"{program.name} ended by itself (status {status}); its last lines say why.")

    def wait_for(self, what: str, condition: Callable[[], bool], seconds: float = 120) -> None:
        """Waits until the condition holds, while all programs live. Raises StartError.

        As long as a busy machine may need to start them all.
        """
        deadline = time.monotonic() + seconds
        while not condition():
            self.check()
            if time.monotonic() > deadline:
                raise StartError(f"Waited {seconds:.0f} seconds for {what}, in vain.")
            time.sleep(0.1)

    def stop(self, grace: float = GRACE) -> None:
        """Asks all to end and waits `grace` seconds in all; then kills what is left, and what they started."""
        deadline = time.monotonic() + grace
        try:
            for program in self.programs:
                if program.process.poll() is None:
                    program.process.terminate()
            for program in self.programs:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    program.process.wait(max(0.0, deadline - time.monotonic()))
        finally:  # also after a second Ctrl-C
            for program in self.programs:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(program.process.pid, signal.SIGKILL)
                program.process.wait()

    def __enter__(self) -> Supervisor:
        return self

    def __exit__(self, *details: object) -> None:
        self.stop()


@contextlib.contextmanager
def logged(environment: Mapping[str, str], log: Path) -> Iterator[Supervisor]:
    """A supervisor whose programs write to one file."""
    with log.open("ab") as file, Supervisor(environment, lambda name: file) as supervisor:
        yield supervisor

"""Programs side by side: started, watched, ended together, and none left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from dotfile_hooks.dev import places, supervisor
from dotfile_hooks.dev.processes import StartError

PATIENCE = 90  # seconds
# A program with a child of its own, as a worker has; both say who they are.
FAMILY = "sleep 600 & echo $! > {file}; exec sleep 600"
STUBBORN = "trap '' TERM; echo up > {file}; while :; do sleep 0.1; done"
OWNER = """
import sys, time
from pathlib import Path
from dotfile_hooks.dev import supervisor
with supervisor.logged(supervisor.program_environment(), Path(sys.argv[1])) as running:
    print(running.start("family", sys.argv[2]).process.pid, flush=True)
    time.sleep(600)
"""


def lives(pid: int) -> bool:
    """Whether the process runs: one that is only waiting to be reaped does not."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    return False


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def number_in(file: Path) -> int:
    wait_until(lambda: file.exists() and file.read_text().strip())
    return int(file.read_text())


def test_leaving_ends_the_programs_and_their_children(tmp_path: Path) -> None:
    with supervisor.logged(supervisor.program_environment(), tmp_path / "log") as running:
        program = running.start("family", FAMILY.format(file=tmp_path / "child"))
        child = number_in(tmp_path / "child")
        assert lives(child)
    assert program.process.poll() is not None
    wait_until(lambda: not lives(child))


def test_a_program_that_will_not_end_is_killed_after_the_grace(tmp_path: Path) -> None:
    with supervisor.logged(supervisor.program_environment(), tmp_path / "log") as running:
        program = running.start("stubborn", STUBBORN.format(file=tmp_path / "up"))
        wait_until((tmp_path / "up").exists)
        running.stop(grace=0.2)
        assert program.process.returncode == -signal.SIGKILL


def test_a_program_that_ends_by_itself_is_a_sentence(tmp_path: Path) -> None:
    with supervisor.logged(supervisor.program_environment(), tmp_path / "log") as running:
        running.start("short", "exit 3").process.wait(PATIENCE)
        with pytest.raises(StartError, match=r"short ended by itself \(status 3\)"):
            running.check()


def test_waiting_ends_with_a_sentence(tmp_path: Path) -> None:
    with (
        supervisor.logged(supervisor.program_environment(), tmp_path / "log") as running,
        pytest.raises(StartError, match="Waited 0 seconds for Godot, in vain"),
    ):
        running.wait_for("Godot", lambda: False, seconds=0.2)


def test_a_program_dies_with_a_parent_that_was_killed(tmp_path: Path) -> None:
    # What ends the program is prctl(PR_SET_PDEATHSIG), which no other kernel has.
    if sys.platform != "linux":
        pytest.skip("only Linux tells a child that its parent was killed")
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, tmp_path / "log", "exec sleep 600"],
        cwd=places.CHECKOUT,
        stdout=subprocess.PIPE,
        text=True,
    ) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        assert lives(pid)
        owner.kill()
        wait_until(lambda: not lives(pid))


def test_the_procfile_has_a_line_for_each_kind_of_process() -> None:
    assert set(supervisor.procfile()) == {"release", "web", "worker", "chores", "documents", "beat"}


def test_programs_of_this_environment_come_first() -> None:
    environment = supervisor.program_environment({"EXTRA": "1"})
    assert environment["PATH"].split(os.pathsep)[0] == str(Path(sys.executable).parent)
    assert environment["EXTRA"] == "1"
    assert "DJANGO_SETTINGS_MODULE" not in environment

"""Who uses the processors: the programs of a run, and others that spoil its figures."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
IDLE = slice(3, 5)
"""Of the numbers in /proc/stat: idle, and waiting for a disk."""


class Others:
    """The share of all processors that went to programs that are not ours."""

    def __init__(self) -> None:
        self.share = 0.0

    def __str__(self) -> str:
        return f"others used {self.share:.0%} of the machine"


@contextlib.contextmanager
def watched() -> Iterator[Others]:
    """Measures, as long as the block lasts; the share is known at its end."""
    others, began, busy, ours = Others(), time.monotonic(), _busy(), _ours()
    yield others
    seconds = (time.monotonic() - began) * (os.cpu_count() or 1)
    others.share = max(0.0, (_busy() - busy) - (_ours() - ours)) / seconds


def _ours() -> float:
    return used(tree(os.getpid(), parents()))


def _busy() -> float:
    """CPU seconds of the whole machine since it started."""
    numbers = [int(each) for each in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return (sum(numbers) - sum(numbers[IDLE])) / TICK


def parents() -> dict[int, int]:
    """Of all processes that live."""
    found: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            found[int(folder.name)] = int(_stat(int(folder.name))[1])
    return found


def tree(root: int, family: dict[int, int]) -> list[int]:
    """The process and all below it."""
    found = [root]
    for pid in found:
        found += [child for child, parent in family.items() if parent == pid]
    return found


def used(pids: Iterable[int]) -> float:
    """CPU seconds of processes and of those children that they have outlived."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            total += sum(map(int, _stat(pid)[11:15]))
    return total / TICK


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the program's name, which may hold blanks."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def disk_waits(folder: Path, count: int = 50) -> list[float]:
    """Milliseconds that each of some small writes waited for the disk there."""
    path, waits = folder / "waits", []
    with path.open("wb", buffering=0) as file:
        for _ in range(count):
            file.write(bytes(8192))
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            waits.append(1000 * (time.perf_counter() - began))
    path.unlink()
    return waits


def memory(pid: int) -> float:
    """MiB that the process has in memory now."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def connections(pid: int, port: int) -> set[int]:
    """Our ends (ports) of the process's TCP connections to that port of this machine."""
    sockets = set()
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):  # closed meanwhile
            sockets.add(os.readlink(each))
    ends = set()
    for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        local, remote = (int(fields[column].rpartition(":")[2], 16) for column in (1, 2))
        if remote == port and f"socket:[{fields[9]}]" in sockets:
            ends.add(local)
    return ends

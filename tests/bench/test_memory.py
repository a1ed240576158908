"""What is seen of a worker's memory and connections."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

from bench import machine
from bench.memory import Watch


def watch(sent: list[float], **memory: list[float]) -> Watch:
    nothing: Any = None
    return Watch(nothing, 0, sent, dict(enumerate(memory.values())))


def test_the_peaks_of_both_halves_are_those_of_the_largest_process() -> None:
    seen = watch([0, 40, 60, 100], a=[10, 12, 11, 11], b=[9, 9, 14, 13])
    assert seen.peaks() == (12, 14)


def test_connections_to_a_port_are_told_from_others_by_our_own_ends() -> None:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        port = one.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as first:
            second = socket.create_connection(("127.0.0.1", port))
            with second, socket.create_connection(other.getsockname()):
                ends = {first.getsockname()[1], second.getsockname()[1]}
                assert machine.connections(os.getpid(), port) == ends
            assert machine.connections(os.getpid(), port) == {first.getsockname()[1]}


def test_memory_in_use_is_seen_to_grow() -> None:
    before = machine.memory(os.getpid())
    held = b"x" * (64 * 2**20)
    assert machine.memory(os.getpid()) - before > 50
    del held


def test_waits_for_the_disk_leave_no_file(tmp_path: Path) -> None:
    assert len(machine.disk_waits(tmp_path, 3)) == 3
    assert not list(tmp_path.iterdir())

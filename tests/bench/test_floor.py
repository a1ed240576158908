"""The floor's processes: they never outlive who started them, nor work for nobody."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

import pytest
from django.db import connection

PARENT = """
import signal
from bench import floor
child = floor._started(["sleep", "600"])
print(child.pid, flush=True)
signal.pause()
"""


def is_alive(pid: int) -> bool:
    """A zombie that nobody has waited for is dead."""
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def test_a_process_of_the_floor_dies_with_its_parent() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        try:
            assert is_alive(child)
            parent.kill()
            parent.wait()
            deadline = time.monotonic() + 60
            while is_alive(child):
                assert time.monotonic() < deadline
                time.sleep(0.01)
        finally:
            if is_alive(child):
                os.kill(child, signal.SIGKILL)


@pytest.mark.django_db(transaction=True)
def test_a_process_of_the_floor_that_is_never_told_to_begin_ends_without_work() -> None:
    of = connection.settings_dict
    url = (
        f"postgres://{quote(of['USER'])}:{quote(of['PASSWORD'])}@{quote(of['HOST'], safe='')}:{of['PORT']}/{of['NAME']}"
    )
    done = subprocess.run(
        [sys.executable, "-m", "bench.floor_worker", "http://127.0.0.1:9/"],
        env={**os.environ, "DATABASE_URL": url},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert (done.stdout, done.returncode) == ("ready\n", 0), done.stderr  # its tables are not even there

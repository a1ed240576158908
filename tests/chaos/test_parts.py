"""The parts of the harness: its plan, its histories, its points, its bent clock, its proxy."""

from __future__ import annotations

import io
import os
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.chaos import history
from tests.chaos.plan import KILLS, Kind, plan
from tests.chaos.points import Points, hook
from tests.chaos.proxy import Proxy

KINDS = {
    "one": Kind(KILLS, weight=3),
    "other": Kind(KILLS),
    "pause": Kind("servers", (1, 2)),
    "crash": Kind("servers", (2, 3)),
    "deploy": Kind("others", (1, 1)),
}


def test_the_same_seed_plans_the_same_faults() -> None:
    assert plan(7, 60, 20, KINDS) == plan(7, 60, 20, KINDS)
    assert plan(7, 60, 20, KINDS) != plan(8, 60, 20, KINDS)


def test_kills_are_as_many_as_asked_for_and_spread_evenly() -> None:
    kills = [step for step in plan(1, 100, 20, KINDS) if KINDS[step.fault].track == KILLS]
    assert [int(step.at // 5) for step in kills] == list(range(20))
    assert Counter(step.fault for step in kills) == {"one": 15, "other": 5}


def test_faults_of_one_track_never_overlap() -> None:
    steps = [step for step in plan(1, 100, 20, KINDS) if KINDS[step.fault].track == "servers"]
    assert {step.fault for step in steps} == {"pause", "crash"}
    assert all(before.at + before.lasts < after.at for before, after in pairwise(steps))
    assert steps[-1].at + steps[-1].lasts <= 100


def test_a_plan_may_be_of_some_faults_only() -> None:
    assert {step.fault for step in plan(1, 100, 20, KINDS, ["pause"])} == {"pause"}


def test_an_operation_without_an_end_is_unknown() -> None:
    file = io.StringIO()
    journal = history.Journal(file)
    journal.begin([("Case.Created", "mark-1", "ws", "")], 1.0)
    told = journal.begin([("Case.Created", "mark-2", "ws", "")], 2.0)
    journal.end(told, "committed", 3.0, "case")
    first, second = history.parse(file.getvalue().splitlines())
    assert (first.fate, first.ended) == ("unknown", float("inf"))
    assert (second.fate, second.began, second.ended, second.case) == ("committed", 2.0, 3.0, "case")


def test_an_armed_point_hits_one_process_once(tmp_path: Path) -> None:
    points = Points(tmp_path)
    points.arm("sent", "kill")
    for number in range(2):
        child = os.fork()
        if not child:
            hook(tmp_path)("sent")
            os._exit(0)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status) is (number == 0)
    (hit,) = points.hits()
    assert (hit.point, hit.way) == ("sent", "kill")
    assert not list(points.hits())


BEND = """
import time
from datetime import UTC, datetime
real = time.time
import celery.app.base, kombu.asynchronous.timer
from celery.worker import request
from django.utils import timezone
from tests.chaos import clock
clock.bend(-240)
def off(now):
    before, told, after = real(), now(), real()
    told = told.timestamp() if isinstance(told, datetime) else told
    return before - 1 < told + 240 < after + 1  # datetimes are rounded
assert off(time.time) and off(timezone.now) and off(kombu.asynchronous.timer._time)
assert off(lambda: request.datetime.now(UTC)) and off(lambda: celery.app.base.datetime.now(UTC))
assert type(timezone.now()) is datetime and isinstance(timezone.now(), request.datetime.__base__)
assert not off(lambda: datetime.now(UTC))
"""


def test_a_bent_clock_is_off_for_celery_and_django() -> None:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "dotfile_hooks.settings"}
    subprocess.run([sys.executable, "-c", BEND], env=environment, check=True)


@pytest.fixture
def echo() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as found:
        yield found


def dial(proxy: Proxy) -> socket.socket:
    made = socket.create_connection(("127.0.0.1", proxy.port), timeout=60)
    made.sendall(b"hello")
    return made


def test_a_proxy_passes_swallows_and_cuts(echo: socket.socket) -> None:
    with Proxy() as proxy:
        proxy.target = echo.getsockname()[1]
        first = dial(proxy)
        far, _ = echo.accept()
        assert far.recv(5) == b"hello"
        far.sendall(b"world")
        assert first.recv(5) == b"world"
        proxy.swallow()
        far.sendall(b"lost")
        first.settimeout(0.2)
        with pytest.raises(TimeoutError):
            first.recv(5)
        proxy.release()
        second = dial(proxy)
        other, _ = echo.accept()
        assert other.recv(5) == b"hello"
        with pytest.raises(TimeoutError):  # an old one stays half-open
            first.recv(5)
        proxy.cut()
        assert second.recv(5) == b""
        for each in (first, second, far, other):
            each.close()

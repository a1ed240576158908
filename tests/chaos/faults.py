"""The faults, by name. Each begins, and if it lasts, answers with how it ends."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID

import psycopg2
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection, transaction

from deliveries import services
from deliveries.models import Delivery, Subscription

from .plan import KILLS, Kind, Step
from .site import WORKERS, Site

T = TypeVar("T")
End = Callable[[], None]
HELD_BY = "SELECT subscription_id::text FROM deliveries_lane WHERE holder LIKE %s"
SWITCHED = "/ok/switched/b"
OFF_BY = 240
"""Seconds a bent clock is off by."""


class Missed(Exception):
    """There is nobody to be hit just now."""


@dataclass(frozen=True)
class Kill:
    """Who was killed how, when (unix seconds), and which lanes it held."""

    kind: str
    at: float
    lanes: tuple[str, ...] = ()


@dataclass
class Trouble:
    """Brings faults upon a site, and remembers whom it killed."""

    site: Site
    kills: list[Kill] = field(default_factory=list)

    def begin(self, step: Step) -> End | None:
        return FAULTS[step.fault][1](self, step)

    def collect(self) -> None:
        """Those that reached an armed point; stopped ones go on when their lease is over."""
        for hit in self.site.points.hits():
            if hit.way == "kill":
                self.kills.append(Kill(f"at {hit.point}", hit.at, self._lanes(hit.pid)))

    def kill(self, kind: str, pid: int, lanes: tuple[str, ...] = ()) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            self.kills.append(Kill(kind, time.time(), lanes))

    def worker(self, pick: float) -> str:
        return _pick(WORKERS, pick)

    def child(self, pick: float) -> int:
        """A process of a worker; rather one that holds a lane. Raises Missed when there is none now."""
        every = [pid for name in WORKERS for pid in self.site.fleet.programs[name].children()]
        busy = [pid for pid in every if self._lanes(pid)]
        if not every:
            raise Missed
        return _pick(busy or every, pick)

    def _lanes(self, pid: int) -> tuple[str, ...]:
        with (
            contextlib.suppress(psycopg2.Error),
            self.site.ground.database.connect() as direct,
            direct.cursor() as cursor,
        ):
            cursor.execute(HELD_BY, [f"%/{pid}"])
            return tuple(row[0] for row in cursor.fetchall())
        return ()

    def lanes_of(self, pids: Sequence[int]) -> tuple[str, ...]:
        return tuple(key for pid in pids for key in self._lanes(pid))

    def execute(self, statement: str) -> None:
        with (
            contextlib.suppress(psycopg2.Error),
            self.site.ground.database.connect() as direct,
            direct.cursor() as cursor,
        ):
            cursor.execute(statement)


def _pick(choices: Sequence[T], pick: float) -> T:
    return choices[int(pick * len(choices))]


# kill -9


def kill_child(trouble: Trouble, step: Step) -> None:
    pid = trouble.child(step.pick)
    trouble.kill("worker's child", pid, trouble.lanes_of([pid]))


def kill_parent(trouble: Trouble, step: Step) -> None:
    """Its children work on for a moment, without anybody who knows of them."""
    program = trouble.site.fleet.programs[trouble.worker(step.pick)]
    trouble.kill("worker's parent", program.pid)


def kill_worker(trouble: Trouble, step: Step) -> None:
    """All of it at once, as when a container is killed."""
    program = trouble.site.fleet.programs[trouble.worker(step.pick)]
    lanes = trouble.lanes_of(program.children())
    program.kill_all()
    trouble.kills.append(Kill("whole worker", time.time(), lanes))


def kill_named(name: str) -> Callable[[Trouble, Step], None]:
    def begin(trouble: Trouble, step: Step) -> None:
        program = trouble.site.fleet.programs[name]
        victims = [program.pid, *program.children()]
        trouble.kill(name, _pick(victims, step.pick))

    return begin


def kill_at(point: str) -> Callable[[Trouble, Step], None]:
    return lambda trouble, step: trouble.site.points.arm(point, "kill")


# SIGSTOP


def stop_child(trouble: Trouble, step: Step) -> End:
    """Past its lease, and back."""
    pid = trouble.child(step.pick)

    def resume() -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)

    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)
    return resume


def stop_at_sent(trouble: Trouble, step: Step) -> End:
    """Just when it has sent something; everybody is woken at the end, whoever it was."""
    trouble.site.points.arm("sent", "stop")

    def resume() -> None:
        trouble.site.points.disarm()
        for pid in trouble.site.fleet.everybody():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    return resume


# Valkey


def flush_valkey(trouble: Trouble, step: Step) -> None:
    trouble.site.ground.valkey.flush()


def restart_valkey(trouble: Trouble, step: Step) -> End:
    trouble.site.ground.valkey.close()
    return trouble.site.ground.valkey.start


def pause_valkey(trouble: Trouble, step: Step) -> End:
    trouble.site.ground.valkey.pause()
    return trouble.site.ground.valkey.resume


def half_open_valkey(trouble: Trouble, step: Step) -> End:
    """Its connections swallow everything, and are never closed by it."""
    trouble.site.ground.valkey_proxy.swallow()
    return trouble.site.ground.valkey_proxy.release


# PostgreSQL


def _outage(trouble: Trouble, end: End) -> End:
    began = time.time()

    def over() -> None:
        end()
        trouble.site.outages.append((began, time.time()))

    return over


def crash_database(trouble: Trouble, step: Step) -> End:
    over = _outage(trouble, trouble.site.ground.database.start)
    trouble.site.ground.database.crash()
    return over


def cut_database(trouble: Trouble, step: Step) -> None:
    over = _outage(trouble, lambda: None)
    trouble.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
    over()


def cut_network(trouble: Trouble, step: Step) -> None:
    """The same, from the other side: answers on their way are lost."""
    over = _outage(trouble, lambda: None)
    trouble.site.ground.database_proxy.cut()
    over()


def full_disk(table: str) -> Callable[[Trouble, Step], End]:
    def begin(trouble: Trouble, step: Step) -> End:
        over = _outage(trouble, lambda: trouble.execute("DELETE FROM chaos_full"))
        trouble.execute(f"INSERT INTO chaos_full VALUES ('{table}')")
        return over

    return begin


# The rest


def deploy(trouble: Trouble, step: Step) -> None:
    trouble.site.fleet.replace(trouble.worker(step.pick))


def bend_clock(trouble: Trouble, step: Step) -> None:
    """From the next start on, this worker's clock is off, until it is deployed again."""
    seconds = OFF_BY if step.pick * 10 % 1 < 0.5 else -OFF_BY
    trouble.site.fleet.replace(trouble.worker(step.pick), CHAOS_CLOCK=str(seconds))


def strike(trouble: Trouble, step: Step) -> End:
    """All receivers answer 503."""
    trouble.site.tell("strike")

    def over() -> None:
        trouble.site.tell("work")

    return over


def go_offline(trouble: Trouble, step: Step) -> End:
    """A person turns a subscription off; when it is on again, what was held is recovered."""
    key = patiently(lambda: Subscription.objects.get(name=SWITCHED).pk)
    patiently(lambda: services.set_online([key], online=False, reason="for a while"))
    return lambda: bring_back([key])


def bring_back(keys: Sequence[UUID]) -> None:
    patiently(lambda: services.set_online(keys, online=True))
    held = Delivery.objects.filter(subscription_id__in=keys, state=Delivery.State.HELD)
    patiently(lambda: services.retry_deliveries(held))


def patiently(work: Callable[[], T]) -> T:
    """Again and again while the database is away."""
    while True:
        try:
            with transaction.atomic():
                return work()
        except (DatabaseError, InterfaceError):
            connection.close()
            time.sleep(0.1)


LEASE = settings.DELIVERY_LEASE
LONG = (LEASE + 1, LEASE + 3)
"""Past a lease."""

FAULTS: dict[str, tuple[Kind, Callable[[Trouble, Step], End | None]]] = {
    "kill_child": (Kind(KILLS, weight=5), kill_child),
    "kill_parent": (Kind(KILLS), kill_parent),
    "kill_worker": (Kind(KILLS), kill_worker),
    "kill_beat": (Kind(KILLS), kill_named("beat")),
    "kill_chores": (Kind(KILLS), kill_named("chores")),
    "kill_web": (Kind(KILLS), kill_named("web")),
    **{
        f"kill_at_{point}": (Kind(KILLS, weight=2), kill_at(point))
        for point in ("built", "sent", "settling", "renewing")
    },
    "stop_child": (Kind("servers", LONG, 2), stop_child),
    "stop_at_sent": (Kind("servers", LONG), stop_at_sent),
    "flush_valkey": (Kind("servers"), flush_valkey),
    "restart_valkey": (Kind("servers", (0.5, 3)), restart_valkey),
    "pause_valkey": (Kind("servers", (1, 6)), pause_valkey),
    "half_open_valkey": (Kind("servers", (2, 8)), half_open_valkey),
    "crash_database": (Kind("servers", (0.2, 2)), crash_database),
    "cut_database": (Kind("servers"), cut_database),
    "cut_network": (Kind("servers"), cut_network),
    "full_disk_attempts": (Kind("servers", (1, 5)), full_disk("deliveries_attempt")),
    "full_disk_deliveries": (Kind("servers", (1, 5)), full_disk("deliveries_delivery")),
    "go_offline": (Kind("servers", (3, 6)), go_offline),
    # A worker needs seconds to start: one that is replaced all the time would prove nothing.
    "deploy": (Kind("others", (8, 12)), deploy),
    "bend_clock": (Kind("others", (8, 12)), bend_clock),
    "strike": (Kind("others", (1, 4)), strike),
}
KINDS = {name: kind for name, (kind, _) in FAULTS.items()}

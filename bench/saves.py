"""What a recorded event adds to a save(): time, SQL statements and Redis commands.

`python -m bench.saves [--rounds 400] [--json PATH]`: the same changes with the receivers of deliveries connected and
disconnected, in turn, in this process, while no worker runs.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from dotfile_hooks.dev import processes

from . import machine, results, site
from .results import Report, percentile, say

if TYPE_CHECKING:
    import redis

    from workspaces.models import Workspace

BULK = 1000
"""Rows of one bulk_create()."""
MOST_STATEMENTS = MOST_COMMANDS = 1
"""More than the same change that records nothing."""
WARM_UP = 20
"""One in so many changes more, which are not counted."""
FEW = 5
"""Changes that are counted: they end before the wake-up is forgotten, doorbell.RUNG."""
MARK = "what is counted begins or ends here"


def main() -> int:
    parser = results.parser(__doc__ or "")
    parser.add_argument("--rounds", type=int, default=400, help="single changes of each kind; a fortieth in bulk")
    options = parser.parse_args()
    report = Report("What a recorded event adds to a save()")
    with processes.sentences(), site.running() as found, machine.watched() as others:
        measure(report, found, options.rounds)
        waits = machine.disk_waits(found.folder)
    report.notes.append(f"a write waits {percentile(waits, 0.5):.2f} ms for this disk (p50)")
    report.notes.append(str(others))
    return report.finish(options.json)


def measure(report: Report, found: site.Site, rounds: int) -> None:
    from . import world

    of = world.workspace("saves")
    for durable in (True, False):
        _commit_waits(durable)
        for kind in kinds(of, rounds, durable):
            tell(report, kind, *in_turn(kind))
            if durable:
                count(report, kind, found)


class Kind(NamedTuple):
    """Changes that each record one event a row, and how many of them are made."""

    name: str
    change: Callable[[int], object]
    rounds: int


def kinds(of: Workspace, rounds: int, durable: bool) -> Iterator[Kind]:
    from . import world

    cases = [world.Case.objects.create(workspace=of, name="0") for _ in range(rounds // 2)]

    def rename(number: int) -> None:
        case = cases[number % len(cases)]
        case.name = f"{case.name[:100]}.{number}"
        case.save()

    disk = "" if durable else ", without waiting for the disk"
    yield Kind(f"a new case{disk}", lambda number: world.Case.objects.create(workspace=of, name="Dotfile"), rounds)
    if durable:
        yield Kind("a case renamed", rename, rounds)
        yield Kind(f"{BULK:,} new cases in bulk", lambda number: world.create_in_bulk(of, BULK), max(2, rounds // 40))


def in_turn(kind: Kind) -> tuple[list[float], list[float]]:
    """Milliseconds that each change took, without and with recording."""
    times: tuple[list[float], list[float]] = [], []
    for number in range(kind.rounds + kind.rounds // WARM_UP + 1):
        for recorded in (False, True):
            with receivers(recorded):
                began = time.perf_counter()
                kind.change(2 * number + recorded)
                times[recorded].append(1000 * (time.perf_counter() - began))
    return times[0][-kind.rounds :], times[1][-kind.rounds :]


def tell(report: Report, kind: Kind, alone: list[float], recorded: list[float]) -> None:
    for told, times in (("alone", alone), ("with its event", recorded)):
        for share in (0.5, 0.95):
            report.add(f"{kind.name}, {told}: p{share * 100:g}", percentile(times, share), "ms")
    added = percentile(recorded, 0.5) - percentile(alone, 0.5)
    report.add(f"{kind.name}: added at the median", added, "ms")
    say(f"{kind.name}: {added:.2f} ms more")


def count(report: Report, kind: Kind, found: site.Site) -> None:
    """Statements and Redis commands of a few changes while a wake-up is pending: one before them has rung.

    It begins without one: a wake-up that was pending before would be forgotten, and rung again, among those counted.
    """
    from deliveries.engine import doorbell

    seen = []
    with contextlib.closing(found.valkey.client()) as client:
        for recorded in (False, True):
            client.delete(doorbell.FLAG)
            kind.change(0)
            with receivers(recorded), statements() as sent, commands(client) as heard:
                for number in range(1, 1 + FEW):
                    kind.change(number)
            seen.append((len(sent) / FEW, len(heard) / FEW))
    (alone, quiet), (with_event, rung) = seen
    report.add(f"{kind.name}: statements more", with_event - alone, at_most=MOST_STATEMENTS)
    report.add(f"{kind.name}: Redis commands more", rung - quiet, at_most=MOST_COMMANDS)
    report.notes.append(f"{kind.name}: {alone:g} statement{'s' * (alone != 1)} and {quiet:g} Redis commands alone")


@contextlib.contextmanager
def receivers(connected: bool) -> Iterator[None]:
    """Whether changes record anything, as long as the block lasts."""
    from django.db.models.signals import post_save

    from cases.models import Case
    from deliveries.events import signals
    from workspaces.changes import rows_changed

    if not connected:
        post_save.disconnect(sender=Case, dispatch_uid="deliveries.save.Case")
        rows_changed.disconnect(dispatch_uid="deliveries.rows_changed")
    try:
        yield
    finally:
        signals.connect()


@contextlib.contextmanager
def statements() -> Iterator[list[str]]:
    """Those that this process sends meanwhile."""
    from django.db import connection

    sent: list[str] = []

    def note(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        sent.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(note):
        yield sent


@contextlib.contextmanager
def commands(client: redis.Redis) -> Iterator[list[str]]:
    """Those that anybody sends to Redis meanwhile; what a script calls is no command of its own. Known at the end."""
    heard: list[str] = []
    with client.monitor() as monitor:  # type: ignore[no-untyped-call]  # redis-py's
        list(_up_to_mark(client, monitor))  # what it takes to connect
        yield heard
        heard += _up_to_mark(client, monitor)


def _up_to_mark(client: redis.Redis, monitor: Any) -> Iterator[str]:
    client.echo(MARK)
    while MARK not in (command := monitor.next_command())["command"]:
        if command["client_type"] != "lua":
            yield command["command"]


def _commit_waits(durable: bool) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = on" if durable else "SET synchronous_commit = off")


if __name__ == "__main__":
    sys.exit(main())

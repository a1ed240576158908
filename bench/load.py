"""From commit to receipt under load: real save()s at a steady rate, more and more of them, until something gives.

`python -m bench.load [--rates 100 200 300] [--seconds 12] [--json PATH]`: worker, chores and beat as the Procfile says,
PostgreSQL that waits for its disk, clients and receiver in processes of their own, all on this machine. After the given
rates, half as many more each time. Then again with every event to three subscriptions.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dotfile_hooks.dev import processes

from . import ledger, machine, results, site
from .generator import Change, Generator, Notes, Plan
from .ledger import Ledger
from .results import Report, percentile, say

RATES = (100, 200, 300)
GROWTH = 1.5
CLIENTS, WORKSPACES = 2, 4
MANY = 3
"""Subscriptions that each event goes to, in the second part; one in the first."""
PROMPT_RATE, PROMPT_P50, PROMPT_P99 = 100, 10.0, 50.0
"""Changes a second, and milliseconds."""
SUSTAINED = 300
TOO_LATE = 1000.0
"""Milliseconds at the 99th percentile: so far behind is not sustained."""
KEEPS_UP = 0.95
"""Of what was planned: what is committed, and received, within the time of the load."""
LEAD = 0.5
"""Seconds until a plan begins."""
PATIENCE = 60.0


def main() -> int:
    parser = results.parser(__doc__ or "")
    parser.add_argument("--rates", type=float, nargs="+", default=list(RATES), metavar="N", help="changes a second")
    parser.add_argument("--seconds", type=float, default=12.0, help="of each rate")
    parser.add_argument("--most", type=float, default=5000.0, metavar="N", help="changes a second, whatever holds")
    options = parser.parse_args()
    report = Report("Load: commit to receipt")
    with processes.sentences(), site.running() as found, clients() as all_clients:
        found.start("worker", "chores", "beat")
        run = Load(found, all_clients, options.seconds)
        run.step(50, 1, min(3.0, options.seconds))  # so that everything is awake and connected
        with machine.watched() as others:
            for subscriptions in (1, MANY):
                climb(report, run, subscriptions, options.rates, options.most)
        waits = machine.disk_waits(found.folder)
        report.notes.append(f"a write waits {percentile(waits, 0.5):.2f} ms for this disk (p50)")
        report.notes.append(str(others))
    return report.finish(options.json)


@contextlib.contextmanager
def clients() -> Iterator[list[Generator]]:
    started = [Generator() for _ in range(CLIENTS)]
    try:
        yield started
    finally:
        for each in started:
            each.close()


def climb(report: Report, run: Load, subscriptions: int, rates: Sequence[float], most: float) -> None:
    """All the rates, then further until one is not sustained."""
    what = "one subscription" if subscriptions == 1 else f"{subscriptions} subscriptions"
    steps: list[Step] = []
    while len(steps) < len(rates) or (steps[-1].is_sustained and steps[-1].rate * GROWTH <= most):
        rate = rates[len(steps)] if len(steps) < len(rates) else steps[-1].rate * GROWTH
        say(f"{what}: {rate:g} changes a second")
        steps.append(run.step(rate, subscriptions))
        tell(report, what, steps[-1], judged=subscriptions == 1)
    greatest = max([step.rate for step in steps if step.is_sustained], default=0.0)
    bar = SUSTAINED if subscriptions == 1 else None
    report.add(f"{what}: greatest rate that was sustained", greatest, "1/s", at_least=bar)
    sound = [step for step in steps if step.ledger.adds_up]
    for share in (0.5, 0.95, 0.99):
        y = [percentile(step.ledger.times, share) for step in sound]
        report.series.append(results.Series(f"{what}: p{share * 100:g}", [step.rate for step in sound], y, "ms"))


@dataclass(frozen=True)
class Step:
    """What came of one rate."""

    rate: float
    """Changes a second that were asked for; moments are random, so that it is not quite what was planned."""
    ledger: Ledger
    planned: float
    """Changes a second."""
    committed: float
    """Of those, within the time of the load."""
    received: float
    """The share of what was to be received that was so a second after the last change was due."""
    late: list[float]
    """Milliseconds from when a change was due to when its client began it."""
    saves: list[float]
    """Milliseconds that each took its client."""
    cores: dict[str, float]
    """By program."""

    @property
    def is_sustained(self) -> bool:
        keeps_up = self.committed >= KEEPS_UP * self.planned and self.received >= KEEPS_UP
        return self.ledger.adds_up and keeps_up and percentile(self.ledger.times, 0.99) <= TOO_LATE


def tell(report: Report, what: str, step: Step, judged: bool) -> None:
    """Figures of a step; without times when its ledger does not add up."""
    name, ledger = f"{what}, {step.rate:g}/s", step.ledger
    report.add(f"{name}: committed", step.committed, "1/s")
    report.void(name, ledger.problems)
    if ledger.adds_up:
        bars = {0.5: PROMPT_P50, 0.99: PROMPT_P99} if judged and step.rate == PROMPT_RATE else {}
        for share in (0.5, 0.95, 0.99):
            report.add(f"{name}: p{share * 100:g}", percentile(ledger.times, share), "ms", at_most=bars.get(share))
        report.add(f"{name}: slowest", max(ledger.times), "ms")
    used = sorted(step.cores.items(), key=lambda each: -each[1])
    report.notes.append(
        f"{name}: {ledger.wanted:,} wanted; a save() took {_spread(step.saves)}, began late by {_spread(step.late)}; "
        f"cores: {', '.join(f'{program} {cores:.2f}' for program, cores in used)}"
    )
    say(report.notes[-1])


def _spread(times: list[float]) -> str:
    return f"{percentile(times, 0.5):.1f} ms (p99 {percentile(times, 0.99):.1f})"


class Load:
    """The clients and the site they load."""

    def __init__(self, found: site.Site, clients: Sequence[Generator], seconds: float) -> None:
        self._found = found
        self._clients = clients
        self._seconds = seconds
        self._number = 0

    def step(self, rate: float, subscriptions: int, seconds: float | None = None) -> Step:
        """One rate; returns when all is delivered, or nothing more comes."""
        from . import world

        self._number += 1
        lasts = seconds or self._seconds
        paths = self._subscribe(subscriptions)
        world.gather_statistics()
        before, count, began = self._found.cpu(), self._found.received(), time.time()
        notes = self._drive(list(paths), rate, lasts, began + LEAD)
        used = Counter(self._found.cpu()) - Counter(before) + Counter({"clients": sum(each.cpu for each in notes)})
        cores = {name: cpu / (time.time() - began) for name, cpu in used.items()}
        changes = [change for each in notes for change in each.changes]
        wanted = count + len(changes) * subscriptions
        with contextlib.suppress(processes.StartError):  # the ledger tells what is missing
            site.wait_until(lambda: self._found.received() >= wanted and world.is_drained(), PATIENCE, "the drain")
        return self._judged(rate, began + LEAD + lasts, lasts, changes, paths, cores)

    def _subscribe(self, count: int) -> dict[str, list[str]]:
        """The paths to which each new workspace is told."""
        from . import world

        paths: dict[str, list[str]] = {}
        for _ in range(WORKSPACES):
            of = world.workspace("load")
            paths[str(of.pk)] = list(world.numbered(f"ok/{self._number}/{of.pk}", count))
            for path in paths[str(of.pk)]:
                world.subscribe(of, self._found.url(path), events=["Case.Created", "Case.Updated"])
        return paths

    def _drive(self, workspaces: list[str], rate: float, seconds: float, begin: float) -> list[Notes]:
        for number, client in enumerate(self._clients):
            client.begin(Plan(workspaces, rate / CLIENTS, seconds, self._number * CLIENTS + number, begin))
        return [client.notes() for client in self._clients]

    def _judged(
        self, rate: float, end: float, lasts: float, changes: list[Change], paths: dict[str, list[str]],
        cores: dict[str, float],
    ) -> Step:  # fmt: skip
        from . import world

        events = world.events_of({change.case for change in changes})
        wanted = ledger.wanted(changes, events, paths)
        posts = [post for post in self._found.posts() if post.path.startswith(f"/ok/{self._number}/")]
        return Step(
            rate,
            ledger.compare(wanted, posts),
            len(changes) / lasts,
            sum(change.committed <= end for change in changes) / lasts,
            sum(post.received_at <= end + TOO_LATE / 1000 for post in posts) / max(1, len(wanted)),
            [1000 * (change.began - change.due) for change in changes],
            [1000 * (change.returned - change.began) for change in changes],
            cores,
        )


if __name__ == "__main__":
    sys.exit(main())

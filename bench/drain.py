"""How fast built deliveries are drained and recorded events are built, beside the floor and a naive twin.

`python -m bench.drain [--counts 20000 200000] [--minutes 7] [--json PATH]`: one Celery worker of one process and of
two, to 1, 10 and 1,000 subscriptions, with the floor before and after each cell. What does not fit into the time is
left out and said so; a run whose ledger does not add up is void.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from dotfile_hooks.dev import processes

from . import floor, machine, results, runs, sink, site, twin
from .results import Matrix, Report, Series, say
from .runs import Run

if TYPE_CHECKING:
    from deliveries.models import Subscription

PROCESSES = (2, 1)
SUBSCRIPTIONS = (10, 1, 1_000)
HEADLINE, BUILDERS = (10, 2), (1, 2)
"""Subscriptions and processes that the bars are for: of the drain, of the fan-out."""
RATE, SHARE, COST, BUILDS = 5_000, 1 / 3, 300, 2_500
"""Deliveries a second; of the floor; microseconds of worker and PostgreSQL for one; events a second."""
SPARE = 2
"""How much faster than anything it receives the receiver must be."""
WARM, FLOOR, WIDE = 1_000, 20_000, 5_000
"""Deliveries; deliveries; events that each go to ten subscriptions."""
MATRIX = "A second; share of the floor around it; CPU in microseconds for each, by process"
COLUMNS = ["", "1/s", "of floor", "worker", "PostgreSQL", "Valkey", "receiver"]


def main() -> int:
    parser = results.parser(__doc__ or "")
    parser.add_argument("--counts", type=int, nargs="+", default=[20_000, 200_000], help="deliveries to drain")
    parser.add_argument("--events", type=int, default=20_000, help="to build and fan out")
    parser.add_argument("--twin", type=int, default=2_000, help="deliveries of the naive twin")
    parser.add_argument("--minutes", type=float, default=7.0, help="after which larger counts are left out")
    options = parser.parse_args()
    report = Report("Drain and fan-out")
    with processes.sentences(), site.running(receiver="bench.sink --record") as found, machine.watched() as others:
        bench = Bench(found, report, options)
        bench.run()
        bench.conclude()
    report.notes.append(str(others))
    return report.finish(options.json)


class Cell(NamedTuple):
    """A drain."""

    processes: int
    deliveries: int
    subscriptions: int
    run: Run


@dataclass
class Bench:
    """All cells of one run."""

    found: site.Site
    report: Report
    options: argparse.Namespace
    cells: list[Cell] = field(default_factory=list)
    floors: dict[int, list[Run]] = field(default_factory=dict)
    """By number of processes, in the order in which they were measured."""
    twins: dict[int, Run] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._until = time.monotonic() + 60 * self.options.minutes
        self._matrix = Matrix(MATRIX, COLUMNS)
        self._capacity = 0.0

    def run(self) -> None:
        from . import draining

        self._capacity = calibrate(self.found, self.report)
        targets = {many: draining.subscribe(self.found, many) for many in SUBSCRIPTIONS}
        for number in PROCESSES:
            (worker,) = self.found.start("worker", WORKER_PROCESSES=str(number))
            self._checked(draining.drain(self.found, "warming up", targets[10], WARM))
            self.floors[number] = [self._floor(number)]
            self._drains(number, targets)
            self._builds(number)
            self.found.stop(worker)
            self._twin(number)

    def _drains(self, number: int, targets: dict[int, list[Subscription]]) -> None:
        from . import draining

        for count in self.options.counts:
            for many in SUBSCRIPTIONS:
                what = f"drain of {count:,} to {many:,} by {number}"
                if count > min(self.options.counts) and time.monotonic() > self._until:
                    self.report.notes.append(f"Left out for want of time: {what}.")
                    continue
                run = self._checked(draining.drain(self.found, what, targets[many], count))
                self.floors[number].append(self._floor(number))
                self._note(run, many, number)

    def _note(self, run: Run, many: int, number: int) -> None:
        self.cells.append(Cell(number, run.count, many, run))
        share = runs.ratio(run, *self.floors[number][-2:])
        if (many, number) == HEADLINE:
            self.report.add(f"{run.what}: CPU, worker and PostgreSQL", run.cost, "µs", at_most=COST)
            self.report.add(run.what, run.rate, "1/s", at_least=RATE)
            self.report.add(f"{run.what}: of the floor", share, at_least=SHARE)
        self._row(run, f"{share:.0%}")

    def _builds(self, number: int) -> None:
        from . import building, draining

        for events, many in ((self.options.events, 1), (min(WIDE, self.options.events), 10)):
            what = f"fan-out of {events:,} to {many} by {number}"
            run = self._checked(building.build(self.found, what, draining.subscribe(self.found, many), events))
            if (many, number) == BUILDERS:
                self.report.add(what, run.rate, "events/s", at_least=BUILDS)
            self._row(run, "")

    def _floor(self, number: int) -> Run:
        return self._checked(floor.run(self.found, FLOOR, number))

    def _twin(self, number: int) -> None:
        run = self.twins[number] = self._checked(twin.run(self.found, self.options.twin, number))
        self._row(run, f"{runs.ratio(run, self.floors[number][-1]):.1%}", "twin")

    def _row(self, run: Run, share: str, worker: str = "worker") -> None:
        costs = [run.micros(name) for name in (worker, "PostgreSQL", "Valkey", "receiver")]
        self._matrix.rows.append([run.what, run.rate, share, *costs])

    def _checked(self, run: Run) -> Run:
        say(run.told())
        self.report.check(run)
        return run

    def conclude(self) -> None:
        """Figures and lines that need all cells."""
        floors: dict[int, Run] = {}
        for number, found in self.floors.items():
            whole = runs.together(f"floor by {number}, {len(found)} times {FLOOR:,}", found)
            self.report.add(f"floor by {number}", whole.rate, "1/s")
            self.report.notes.append(f"the floor by {number} was {runs.spread(found)}; the median counts")
            self._row(whole, "")
            floors[number] = whole
        fastest = max((cell.run.rate for cell in self.cells), default=0.0)
        if fastest:
            self.report.add("receiver against the fastest drain", self._capacity / fastest, "times", at_least=SPARE)
        quickest = max(run.rate for found in self.floors.values() for run in found)
        self.report.add("receiver against the fastest floor", self._capacity / quickest, "times")
        self.report.matrices.append(self._matrix)
        self.report.series += series(self.cells, {"floor": floors, "twin": self.twins})


def series(cells: Iterable[Cell], beside: Mapping[str, Mapping[int, Run]]) -> list[Series]:
    """Rates against subscriptions, a line for each backlog and number of processes; what has no subscriptions is at 0.

    `beside` are other runs, by name and number of processes.
    """
    lines: dict[str, list[tuple[float, float]]] = {}
    for cell in sorted(cells, key=itemgetter(0, 1, 2)):
        lines.setdefault(f"{cell.deliveries:,} by {cell.processes}", []).append((cell.subscriptions, cell.run.rate))
    for name, found in beside.items():
        lines |= {f"{name} by {number}": [(0, found[number].rate)] for number in sorted(found)}
    return [Series(name, [x for x, _ in points], [y for _, y in points], "1/s") for name, points in lines.items()]


def calibrate(found: site.Site, report: Report) -> float:
    """Floods the receiver; requests a second that it answers."""
    sink.flood(found.receiver_port, sink.FLOOD // 10)
    before, count = found.cpu()["receiver"], sink.FLOOD
    seconds = sink.flood(found.receiver_port, count)
    cost = (found.cpu()["receiver"] - before) / count * runs.MICRO
    report.add("receiver, flooded", count / seconds, "1/s")
    report.add("receiver, flooded: CPU of a request", cost, "µs")
    return count / seconds


if __name__ == "__main__":
    sys.exit(main())

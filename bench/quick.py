"""The delivery path against the floor, in about a minute: drain by two processes, and fan-out.

`python -m bench.quick [--deliveries 20000] [--events 20000] [--rounds 2] [--json PATH]`. The floor is measured before,
between and after: each drain is held against the floors next to it, so that ratios hold on any machine. The ratio of
CPU, shown first, also holds beside others that use it. Ends with a status other than 0 only when a ledger does not
add up: the figures are for people.
"""

from __future__ import annotations

import argparse
import sys

from dotfile_hooks.dev import processes

from . import floor, machine, results, runs, site
from .results import Report, say
from .runs import Run

PROCESSES, SUBSCRIPTIONS = 2, 10
WARM = 1_000
THIRD = 1 / 3
"""Of the floor: what the delivery path must reach."""


def main() -> int:
    parser = results.parser(__doc__ or "")
    parser.add_argument("--deliveries", type=int, default=20_000)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--floor", type=int, default=40_000, help="deliveries")
    parser.add_argument("--rounds", type=int, default=2, help="of drain and floor")
    options = parser.parse_args()
    report = Report("Quick: the delivery path against the floor")
    with processes.sentences(), site.running(receiver="bench.sink --record") as found, machine.watched() as others:
        measure(found, report, options)
    report.notes.append(str(others))
    report.finish(options.json)
    return 2 if report.voids else 0


def measure(found: site.Site, report: Report, options: argparse.Namespace) -> None:
    from . import building, draining

    found.start("worker", WORKER_PROCESSES=str(PROCESSES))
    to, one = draining.subscribe(found, SUBSCRIPTIONS), draining.subscribe(found, 1)
    report.check(draining.drain(found, "warming up", to, WARM))
    floors, drains = [_told(floor.run(found, options.floor, PROCESSES))], []
    for _ in range(options.rounds):
        what = f"drain of {options.deliveries:,} to {SUBSCRIPTIONS}"
        drains.append(_told(draining.drain(found, what, to, options.deliveries)))
        floors.append(_told(floor.run(found, options.floor, PROCESSES)))
    built = _told(building.build(found, f"build and fan-out of {options.events:,}", one, options.events))
    report.check(*floors, *drains, built)
    tell(report, drains, floors, built)


def tell(report: Report, drains: list[Run], floors: list[Run], built: Run) -> None:
    """The figures, and what they are of the floor's. CPU comes first: it is steady, whoever else uses the machine."""
    drain, under = runs.together("drain", drains), runs.together("the floor", floors)
    report.add("CPU of worker and PostgreSQL for a delivery", drain.cost, "µs", at_most=300)
    report.add("this CPU against the floor's", drain.cost / under.cost, "times")
    report.add("CPU of worker and PostgreSQL for an event", built.cost, "µs")
    report.add("this CPU against the floor's for a delivery", built.cost / under.cost, "times")
    report.add("drain", drain.rate, "deliveries/s", at_least=5_000)
    report.add("the floor", under.rate, "deliveries/s")
    report.add("drain against the floor", runs.paired(drains, floors), at_least=THIRD)
    report.add("build and fan-out", built.rate, "events/s", at_least=2_500)
    report.add("build and fan-out against the floor", runs.ratio(built, *floors))
    report.notes.append(f"the floor was {runs.spread(floors)}; of several runs the median counts")


def _told(run: Run) -> Run:
    say(run.told())
    return run


if __name__ == "__main__":
    sys.exit(main())

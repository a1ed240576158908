"""The delivery path against the floor, in about a minute: drain by two processes, and fan-out.

`python -m bench.quick [--deliveries 20000] [--events 20000] [--json PATH]`. The floor is measured before and after, so
that ratios hold on any machine and under any load of others. Ends with a status other than 0 only when a ledger does
not add up: the figures are for people.
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
    parser.add_argument("--floor", type=int, default=40_000, help="deliveries, twice")
    options = parser.parse_args()
    report = Report("Quick: the delivery path against the floor")
    with processes.sentences(), site.running(receiver="bench.sink") as found, machine.watched() as others:
        measure(found, report, options)
    report.notes.append(f"Others used {others.share:.0%} of the machine.")
    report.finish(options.json)
    return 2 if report.voids else 0


def measure(found: site.Site, report: Report, options: argparse.Namespace) -> None:
    from . import building, draining

    deliveries, events = options.deliveries, options.events

    found.start("worker", WORKER_PROCESSES=str(PROCESSES))
    to = draining.subscribe(found, SUBSCRIPTIONS)
    warm = draining.drain(found, "warming up", to, WARM)
    before = _told(floor.run(found, options.floor, PROCESSES))
    drained = _told(draining.drain(found, f"drain of {deliveries:,} to {SUBSCRIPTIONS}", to, deliveries))
    after = _told(floor.run(found, options.floor, PROCESSES))
    one = draining.subscribe(found, 1)
    built = _told(building.build(found, f"build and fan-out of {events:,}", one, events))
    report.check(warm, before, drained, after, built)
    report.add("drain", drained.rate, "deliveries/s", at_least=5_000)
    report.add("the floor before", before.rate, "deliveries/s")
    report.add("the floor after", after.rate, "deliveries/s")
    report.add("drain against the floor", runs.ratio(drained, before, after), at_least=THIRD)
    report.add("CPU of worker and PostgreSQL for a delivery", drained.cost, "µs", at_most=300)
    report.add("this CPU against the floor's", drained.cost / runs.together("", [before, after]).cost, "times")
    report.add("build and fan-out", built.rate, "events/s", at_least=2_500)
    report.add("CPU of worker and PostgreSQL for an event", built.cost, "µs")
    report.add("build and fan-out against the floor", runs.ratio(built, before, after))


def _told(run: Run) -> Run:
    say(run.told())
    return run


if __name__ == "__main__":
    sys.exit(main())

"""What it costs to take work when much waits: leasing, reading, settling and building, beside backlogs of all sizes.

`python -m bench.waiting [--sizes 1000 100000 1000000] [--rounds 200] [--drain N] [--full] [--json PATH]`: the engine's
own functions, in this process, in turn against databases that differ in nothing but how much waits. --full adds
5,000,000 waiting deliveries and 10,000,000 attempts. With --drain a worker also sends that many at each size.
"""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from dotfile_hooks.dev import processes

from . import attempts, machine, results, site
from .results import Report, percentile, say

if TYPE_CHECKING:
    from .backlog import Cast, Database

SIZES = (1_000, 100_000, 1_000_000)
ATTEMPTS = 200_000
FULL_SIZE, FULL_ATTEMPTS = 5_000_000, 10_000_000
BASE = 100_000
"""The size that larger ones are held against."""
WORST_RATIO = 1.2
LANES = {"one": 1, "thousand": 32, "ordered": 1, "later": 1, "held": 1}
"""Lanes of one round, by the kind of backlog."""
TOLD = {
    "one": "all of one subscription",
    "thousand": "of a thousand subscriptions",
    "ordered": "in order, of one subscription",
    "later": "of one whose others are due in hours",
    "held": "of one whose others are held",
}
WARM_UP = 5
"""Rounds that are not counted."""
Times = dict[int, dict[str, list[float]]]
"""Milliseconds of each round: by size, then by part."""


def main() -> int:
    parser = results.parser(__doc__ or "")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), metavar="N")
    parser.add_argument("--rounds", type=int, default=200, help="of each kind at each size")
    parser.add_argument("--attempts", type=int, default=ATTEMPTS, metavar="N", help="beside the largest backlog")
    parser.add_argument("--drain", type=int, default=0, metavar="N", help="a worker sends so many at each size")
    parser.add_argument("--full", action="store_true", help=f"{FULL_SIZE:,} waiting, {FULL_ATTEMPTS:,} attempts, too")
    options = parser.parse_args()
    if options.full:
        options.sizes, options.attempts = sorted({*options.sizes, FULL_SIZE}), FULL_ATTEMPTS
    report = Report("Taking work beside a backlog")
    with processes.sentences(), site.running() as found:
        cast, databases = filled(found, options.sizes, options.attempts)
        with machine.watched() as others:
            measure(report, cast, databases, options.rounds)
        report.notes.append(str(others))
        attempts.look_back(report, databases[-1], options.rounds)
        if options.drain:
            drain(report, found, cast, databases, options.drain)
        attempts.drop(report, databases[-1], cast.kinds["one"])
    return report.finish(options.json)


def filled(found: site.Site, sizes: list[int], count: int) -> tuple[Cast, list[Database]]:
    """Databases with so much waiting, smallest first; the largest has the attempts."""
    from . import backlog

    cast = backlog.cast(found.url("ok"))
    databases = backlog.copied(sizes)
    for each in databases:
        backlog.fill(each, cast, count if each is databases[-1] else 0)
    return cast, databases


def measure(report: Report, cast: Cast, databases: list[Database], count: int) -> None:
    """Round by round, each size in turn, so that whatever else the machine does hits all of them alike."""
    from deliveries.engine.session import Session

    from . import backlog, rounds

    sessions = {each.waiting: Session() for each in databases}
    for each in databases:
        each.use()
        sessions[each.waiting].open()
    for kind, lanes in LANES.items():
        for each in databases:
            each.use()
            rounds.make_due(cast.kinds[kind])
        times = in_turn(databases, count, partial(rounds.take, lanes))
        tell(report, TOLD[kind], times)

    def build() -> dict[str, float]:
        backlog.add_events(cast)
        return {"build and fan out": rounds.fan_out()}

    tell(report, "200 events built and fanned out", in_turn(databases, max(1, count // 5), build))
    large = [each for each in databases if each.waiting >= BASE]
    expired = in_turn(large, max(1, count // 20), lambda: {"remove": rounds.expire()})
    tell(report, "2,000 deliveries past their retention removed", expired)


def in_turn(databases: list[Database], count: int, work: Callable[[], dict[str, float]]) -> Times:
    times: Times = {each.waiting: defaultdict(list) for each in databases}
    for number in range(WARM_UP + count):
        for each in databases:
            each.use()
            for part, took in work().items():
                if number >= WARM_UP:
                    times[each.waiting][part].append(took)
    return times


def tell(report: Report, what: str, times: Times) -> None:
    """The whole round as figures, its parts as a note, and the larger sizes against BASE."""
    totals = {size: [sum(each) for each in zip(*parts.values(), strict=True)] for size, parts in times.items()}
    for size, total in totals.items():
        for share in (0.5, 0.95):
            report.add(f"{what}, {size:,} waiting: p{share * 100:g}", percentile(total, share), "ms")
    medians = {size: percentile(total, 0.5) for size, total in totals.items()}
    for size in [size for size in totals if BASE in totals and size > BASE]:
        ratio = medians[size] / medians[BASE]
        report.add(f"{what}: {size:,} against {BASE:,}", ratio, "times", at_most=WORST_RATIO)
    report.series.append(results.Series(what, list(map(float, medians)), list(medians.values()), "ms"))
    for size, parts in times.items():
        if len(parts) > 1:
            told = ", ".join(f"{part} {percentile(each, 0.5):.2f}" for part, each in parts.items())
            report.notes.append(f"{what}, {size:,} waiting (p50 in ms): {told}")
    say(report.notes[-1] if report.notes else what)


def drain(report: Report, found: site.Site, cast: Cast, databases: list[Database], count: int) -> None:
    """So many deliveries of one subscription, sent by a worker as the Procfile starts it."""
    from . import draining, rounds

    for each in [each for each in databases if each.waiting // 2 > count]:
        each.use()
        rounds.make_due([])
        mark, before, last = found.mark(), found.received(), draining.last_attempt()
        (worker,) = found.start("worker", DATABASE_URL=each.url(found.database_url))
        rounds.make_due(cast.kinds["one"])
        what = f"sent by a worker, {each.waiting:,} waiting"
        report.add(what, _speed(found, count), "1/s")
        found.stop(worker)
        posts = found.posts(mark)
        report.void(what, draining.unaccounted(last, posts, found.received() - before))


def _speed(found: site.Site, count: int) -> float:
    """Deliveries a second, from the first to the last of so many."""
    from deliveries.engine import doorbell

    before = found.received()
    doorbell.publish()
    site.wait_until(lambda: found.received() > before, 30, "the first delivery")
    began, first = time.monotonic(), found.received()
    site.wait_until(lambda: found.received() >= before + count, 300, f"{count:,} deliveries")
    return (found.received() - first) / (time.monotonic() - began)


if __name__ == "__main__":
    sys.exit(main())

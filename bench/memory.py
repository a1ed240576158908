"""What a worker holds on to while much passes through it: memory, and connections that outlive its tasks.

`python -m bench.memory [--deliveries 100000] [--large 5000] [--json PATH]`: built deliveries with bodies of 1.5 kB,
then some of 50 kB, through a worker of two processes whose tasks last for two seconds.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dotfile_hooks.dev import processes

from . import machine, results, site
from .results import Report, Series, say

if TYPE_CHECKING:
    from deliveries.models import Subscription

SUBSCRIPTIONS = 10
WARM_UP = 5_000
BOUND = "2"
"""Seconds that a task lasts: many follow each other."""
LARGE = 50_000
"""Characters of a large body."""
EVERY = 0.2
"""Seconds between two samples."""
FLAT = 1.1
"""The peak of the second half against that of the first."""
PATIENCE = 120.0


def main() -> int:
    parser = results.parser(__doc__ or "")
    parser.add_argument("--deliveries", type=int, default=100_000, help="of 1.5 kB")
    parser.add_argument("--large", type=int, default=5_000, help="of 50 kB")
    options = parser.parse_args()
    report = Report("Memory and connections of a worker")
    with processes.sentences(), site.running(receiver="bench.sink --record") as found:
        measure(found, report, options.deliveries, options.large)
    return report.finish(options.json)


def measure(found: site.Site, report: Report, deliveries: int, large: int) -> None:
    from . import draining, world

    of = world.workspace("memory")
    to = [world.subscribe(of, found.url(path)) for path in world.numbered("ok/memory", SUBSCRIPTIONS)]
    world.build_up(to, WARM_UP)
    (worker,) = found.start("worker", DELIVERY_BOUND=BOUND)
    watch = Watch(found, worker.process.pid)
    send(found, watch, to, WARM_UP)
    for name, count, filler in (("1.5 kB", deliveries, world.FILLER), ("50 kB", large, LARGE)):
        say(f"{count:,} deliveries of {name} are built")
        world.build_up(to, count, filler)
        world.gather_statistics()
        watch.begin()
        send(found, watch, to, count)
        tell(report, f"{count:,} deliveries of {name}", watch)
    tell_connections(report, watch)
    wrong = draining.problems(to, WARM_UP + deliveries + large, found.posts(), found.received())
    report.void("all deliveries", wrong)


def send(found: site.Site, watch: Watch, to: list[Subscription], count: int) -> None:
    """Until all are received and written down."""
    from deliveries.engine import doorbell

    from . import world

    wanted = found.received() + count
    world.make_due(*to)
    doorbell.publish()

    def is_done() -> bool:
        watch.look(count - wanted + (received := found.received()))
        return received >= wanted

    site.wait_until(is_done, PATIENCE, f"{count:,} deliveries", every=EVERY)
    site.wait_until(world.is_drained, PATIENCE, "what is left", every=EVERY)
    watch.look(count)


@dataclass
class Watch:
    """Samples of each process of a worker."""

    found: site.Site
    worker: int
    sent: list[float] = field(default_factory=list)
    """Deliveries so far, at each sample."""
    memory: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    """MiB, by process."""
    databases: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    """Every connection to PostgreSQL that was ever seen."""
    receivers: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    receivers_at_a_time: int = 0

    def begin(self) -> None:
        """Forgets what memory there was; connections are remembered."""
        self.sent.clear()
        self.memory.clear()

    def look(self, sent: int) -> None:
        port = urlsplit(self.found.database_url).port or 0
        self.sent.append(sent)
        for pid in machine.tree(self.worker, machine.parents())[1:]:
            self.memory[pid].append(machine.memory(pid))
            self.databases[pid] |= machine.connections(pid, port)
            now = machine.connections(pid, self.found.receiver_port)
            self.receivers[pid] |= now
            self.receivers_at_a_time = max(self.receivers_at_a_time, len(now))

    def peaks(self) -> tuple[float, float]:
        """MiB of the largest process, while the first half was sent and while the second was."""
        middle = max(self.sent) / 2
        halves: tuple[list[float], list[float]] = [], []
        for samples in self.memory.values():
            for sent, used in zip(self.sent, samples, strict=True):
                halves[sent > middle].append(used)
        return max(halves[0], default=0.0), max(halves[1], default=0.0)


def tell(report: Report, what: str, watch: Watch) -> None:
    first, second = watch.peaks()
    begin = max(samples[0] for samples in watch.memory.values())
    report.add(f"{what}: a process before", begin, "MiB")
    report.add(f"{what}: peak of the first half", first, "MiB")
    report.add(f"{what}: peak of the second half", second, "MiB")
    report.add(f"{what}: second half against first", second / first, "times", at_most=FLAT)
    for number, samples in enumerate(watch.memory.values(), 1):
        report.series.append(Series(f"{what}: process {number}", list(watch.sent), list(samples), "MiB"))


def tell_connections(report: Report, watch: Watch) -> None:
    """Each process that sent has one connection to the database, and all its life the same."""
    from django.conf import settings

    most = settings.DELIVERY_HOST_IN_FLIGHT
    kept = max(len(ends) for ends in watch.databases.values())
    report.add("connections to PostgreSQL that a process ever had", kept, at_least=1, at_most=1)
    report.add("connections to the receiver, of one process at a time", watch.receivers_at_a_time, at_most=most)
    opened = max(len(ends) for ends in watch.receivers.values())
    report.notes.append(f"connections to the receiver that a process was ever seen with: {opened}")


if __name__ == "__main__":
    sys.exit(main())

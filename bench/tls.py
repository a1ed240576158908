"""What TLS costs: deliveries to receivers with a certificate, over kept connections and over a new one each time.

`python -m bench.tls [--kept 10000] [--closed 3000] [--json PATH]`: one courier in this process, since it must trust an
authority that only we know, and a receiver in its own. The same over plain HTTP beside it.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import requests

from dotfile_hooks.dev import processes
from tests.deliveries.engine.authority import Authority

from . import machine, results, site
from .results import Matrix, Report, say

if TYPE_CHECKING:
    from deliveries.models import Subscription

SUBSCRIPTIONS = 10
WARM_UP = 500
FEW = 500
"""Deliveries one after another."""
MOST_HANDSHAKES = 0.1
"""For each delivery, when connections are kept."""
COLUMNS = ["", "deliveries/s", "courier", "PostgreSQL", "receiver", "connections", "resumed"]


class Variant(NamedTuple):
    """One way to be received."""

    name: str
    deliveries: int
    url: str
    subscriptions: int = SUBSCRIPTIONS
    at_a_time: int | None = None
    """Requests to one subscription; None: as by the settings."""


class Run(NamedTuple):
    """What came of one."""

    rate: float
    """Deliveries a second."""
    micros: dict[str, float]
    """Microseconds of CPU for each delivery, by process."""
    counts: Counter[str]
    """What the receiver counted."""
    problems: list[str]
    """Why it is void."""


def main() -> int:
    parser = results.parser(__doc__ or "")
    parser.add_argument("--kept", type=int, default=10_000, help="deliveries over kept connections")
    parser.add_argument("--closed", type=int, default=3_000, help="deliveries over a new connection each")
    options = parser.parse_args()
    report = Report("TLS")
    with processes.sentences(), site.running() as found, machine.watched() as others:
        authority = Authority(found.folder)
        ports = started(found, authority)
        bench = Bench(found, authority.bundle, ports[0])
        bench.run(Variant("warm up", WARM_UP, f"http://127.0.0.1:{ports[0]}/ok"))
        tell(report, {each: bench.run(each) for each in variants(options, ports)})
    report.notes.append(str(others))
    return report.finish(options.json)


def started(found: site.Site, authority: Authority) -> list[int]:
    """The ports of the receiver: plain, TLS."""
    command = [sys.executable, "-m", "bench.tls_receiver", str(found.folder), authority.pem()]
    found.programs.start("TLS receiver", f"exec {shlex.join(command)}")
    path = found.folder / "tls-ports"
    found.programs.wait_for("the TLS receiver", path.exists)
    return list(map(int, path.read_text().split()))


def variants(options: argparse.Namespace, ports: list[int]) -> Iterator[Variant]:
    plain, tls = f"http://127.0.0.1:{ports[0]}", f"https://localhost:{ports[1]}"
    yield Variant("HTTP, connections kept", options.kept, f"{plain}/ok")
    yield Variant("TLS, connections kept", options.kept, f"{tls}/ok")
    yield Variant("HTTP, closed after each answer", options.closed, f"{plain}/close")
    yield Variant("TLS, closed after each answer", options.closed, f"{tls}/close")
    yield Variant("TLS, closed, one at a time", min(FEW, options.closed), f"{tls}/close", 1, 1)


class Bench:
    """A courier in this process, and whom it sends to."""

    def __init__(self, found: site.Site, bundle: str, port: int) -> None:
        self._found = found
        self._bundle = bundle
        self._port = port

    def run(self, variant: Variant) -> Run:
        """Sends the variant's deliveries through a client of its own. The ledger is in the run."""
        say(f"{variant.name}: {variant.deliveries:,}")
        to = self._build(variant)
        counts, cpu, own = self._counts(), self._found.cpu(), time.process_time()
        seconds = self._deliver()
        used = {"courier": time.process_time() - own} | Counter(self._found.cpu()) - Counter(cpu)
        counts = self._counts() - counts
        micros = {name: each / variant.deliveries * 1e6 for name, each in used.items()}
        return Run(variant.deliveries / seconds, micros, counts, problems(to, variant.deliveries, counts))

    def _build(self, variant: Variant) -> list[Subscription]:
        from . import world

        of = world.workspace("tls")
        to: list[Subscription] = [
            world.subscribe(of, f"{variant.url}/{number}", max_in_flight=variant.at_a_time)
            for number in range(variant.subscriptions)
        ]
        world.build_up(to, variant.deliveries)
        world.gather_statistics()
        world.make_due(*to)
        return to

    def _deliver(self) -> float:
        """Seconds until all is settled."""
        from django.conf import settings

        from deliveries import tasks
        from deliveries.engine import lookout, outbound
        from deliveries.engine.courier import Courier
        from deliveries.engine.transport import Window

        lookout.LINGER = 0.0  # it ends when there is nothing left
        window: Window[object] = Window(outbound.policy(), size=settings.DELIVERY_IN_FLIGHT, verify=self._bundle)
        began = time.monotonic()
        Courier("bench", window, tasks.DOMAIN).run()  # type: ignore[arg-type]
        seconds = time.monotonic() - began
        window.close()
        return seconds

    def _counts(self) -> Counter[str]:
        return Counter(requests.get(f"http://127.0.0.1:{self._port}/", timeout=30).json())


def problems(to: list[Subscription], count: int, counts: Counter[str]) -> list[str]:
    """Why these counts of the receiver are not those of so many deliveries, each sent once."""
    from . import draining

    twice = [f"{counts['twice']:,} received twice"] if counts["twice"] else []
    return draining.tally(to, count, counts["posts"]).problems() + twice


def tell(report: Report, runs: dict[Variant, Run]) -> None:
    matrix = Matrix("CPU in microseconds for each delivery; connections that the receiver saw", COLUMNS)
    for variant, run in runs.items():
        report.void(variant.name, run.problems)
        micros = [run.micros.get(name, 0.0) for name in ("courier", "PostgreSQL", "TLS receiver")]
        matrix.rows.append([variant.name, run.rate, *micros, run.counts["connections"], run.counts["resumed"]])
        report.add(f"{variant.name}: deliveries", run.rate, "1/s")
        report.add(f"{variant.name}: CPU of the courier", micros[0], "µs")
    report.matrices.append(matrix)
    for variant, counts in [(variant, run.counts) for variant, run in runs.items() if run.counts["handshakes"]]:
        kept = variant.url.endswith("/ok")
        handshakes = counts["handshakes"] / variant.deliveries
        report.add(f"{variant.name}: handshakes", handshakes, "each", at_most=MOST_HANDSHAKES if kept else None)
        if not kept:
            report.add(f"{variant.name}: sessions resumed", counts["resumed"] / counts["handshakes"] * 100, "%")


if __name__ == "__main__":
    sys.exit(main())

"""What dead receivers, and one with a long queue, cost the others.

`python -m bench.isolation [--seconds 30] [--rounds 3] [--backlog 200000] [--json PATH]`: 100 subscriptions in 10
workspaces under steady load, all healthy and with 10 of them black holes, in turn; then one subscription with a backlog
beside others.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from dotfile_hooks.dev import processes

from . import machine, results, site
from .results import Report, percentile, say

if TYPE_CHECKING:
    from uuid import UUID

    from workspaces.models import Workspace

WORKSPACES, EACH = 10, 10
EVENTS = 15.0
"""A second, in all: each goes to the ten subscriptions of its workspace, so 150 deliveries a second."""
WORST_RATIO, WORST = 1.5, 500.0
"""Healthy p99 with black holes against without; milliseconds."""
SAMPLES, SAMPLE_EVERY = 40, 0.25
WORST_DELAY = 100.0
"""Milliseconds that a backlog may add to the first delivery of another, at its median, its p95 and its slowest."""
DRAIN = 120.0


def main() -> int:
    parser = results.parser(__doc__ or "")
    parser.add_argument("--seconds", type=float, default=30.0, help="of each steady run")
    parser.add_argument("--rounds", type=int, default=3, help="of runs without and with black holes")
    parser.add_argument("--backlog", type=int, default=200_000, help="deliveries that wait for one subscription")
    options = parser.parse_args()
    report = Report("Isolation: commit to receipt")
    with processes.sentences(), site.running() as found:
        found.start("web", "worker", "chores", "beat")
        steady(found, report, options.seconds, options.rounds)
        backlog(found, report, options.backlog)
    return report.finish(options.json)


def steady(found: site.Site, report: Report, seconds: float, rounds: int) -> None:
    """The same load again and again, with and without a black hole in each workspace, in turn."""
    _run(found, "warm", 0, min(5.0, seconds))
    times: dict[int, list[float]] = {0: [], WORKSPACES: []}
    for number in range(rounds):
        for holes, all_times in times.items():
            say(f"{WORKSPACES * EACH} subscriptions, {holes} black holes: {seconds:g} s")
            with machine.watched() as others:
                new = _run(found, f"round{number}-{holes}", holes, seconds)
            all_times += new
            report.notes.append(
                f"round {number + 1}, {holes:2} black holes: p99 {percentile(new, 0.99):.0f} ms, {others}"
            )
    for holes, all_times in times.items():
        for share in (0.5, 0.95, 0.99):
            bar = WORST if share == 0.99 else None
            what = f"p{share * 100:g} of the healthy, {holes} black holes of {WORKSPACES * EACH}"
            report.add(what, percentile(all_times, share), "ms", at_most=bar)
    ratio = percentile(times[WORKSPACES], 0.99) / percentile(times[0], 0.99)
    report.add("p99 with black holes, against without", ratio, "times", at_most=WORST_RATIO)
    held = [post for post in found.posts() if post.path.startswith("/hole/")]
    report.add("requests that the black holes swallowed", len(held), at_least=WORKSPACES)


def _run(found: site.Site, name: str, holes: int, seconds: float) -> list[float]:
    """Milliseconds from commit to receipt of each delivery to a healthy subscription. Raises StartError."""
    from . import world

    workspaces = [world.workspace(f"{name} {number}") for number in range(WORKSPACES)]
    for number, of in enumerate(workspaces):
        for each in range(EACH):
            kind = "hole" if each == 0 and number < holes else "ok"
            world.subscribe(of, found.url(f"{kind}/{name}/{number}/{each}"), promoted=kind == "hole")
    committed = world.create_steadily(workspaces, EVENTS, seconds)
    wanted = len(committed) * EACH - sum(1 for number in range(len(committed)) if number % WORKSPACES < holes)
    times = _arrivals(found, f"/ok/{name}/", committed, wanted)
    _retire(workspaces)
    return times


def _arrivals(found: site.Site, prefix: str, committed: dict[UUID, float], wanted: int) -> list[float]:
    """Milliseconds from commit to first receipt, once so many have arrived at paths with this prefix."""
    from . import world

    firsts: dict[tuple[str, str], float] = {}

    def all_there() -> bool:
        for post in found.posts():
            if post.path.startswith(prefix):
                firsts.setdefault((post.path, post.event), post.received_at)
        return len(firsts) >= wanted

    site.wait_until(all_there, DRAIN, f"{wanted} deliveries at {prefix}")
    moments = world.cases_of_events(committed)
    return [1000 * (at - moments[event]) for (_, event), at in firsts.items() if event in moments]


def _retire(workspaces: list[Workspace]) -> None:
    """Nothing of this run disturbs the next: the black holes' retries are gone with their subscriptions."""
    for of in workspaces:
        for row in of.subscriptions.all():
            row.delete()


def backlog(found: site.Site, report: Report, count: int) -> None:
    """The first delivery of a subscription, again and again of another one, without and beside the backlog."""
    from . import world

    say("first deliveries, nobody else waiting")
    with machine.watched() as others:
        quiet = first_deliveries(found, "quiet", SAMPLES)
    report.notes.append(f"nobody waiting: {others}")
    crowd = world.subscribe(world.workspace("crowd"), found.url("ok/crowd"))
    say(f"{count:,} deliveries are made to wait for one subscription")
    world.pile_up(crowd, count)
    world.make_due(crowd)
    before = found.received()
    site.wait_until(lambda: found.received() > before, 30, "the backlog's first delivery")
    say("first deliveries of others meanwhile")
    began = time.monotonic()
    with machine.watched() as others:
        beside = first_deliveries(found, "beside", SAMPLES)
    seconds, drained = time.monotonic() - began, found.received() - before
    report.notes.append(f"beside the backlog: {others}")
    for name, times in (("nobody waiting", quiet), (f"beside {count:,} waiting", beside)):
        report.add(f"first delivery of another, {name}: p50", percentile(times, 0.5), "ms")
        report.add(f"first delivery of another, {name}: p95", percentile(times, 0.95), "ms")
        report.add(f"first delivery of another, {name}: slowest", max(times), "ms")
    for share in (0.5, 0.95, 1.0):
        added = percentile(beside, share) - percentile(quiet, share)
        report.add(f"delay by the backlog: p{share * 100:g}", added, "ms", at_most=WORST_DELAY)
    report.add("deliveries of the backlog meanwhile", drained / seconds, "1/s")
    report.add("still waiting at the end", count + len(beside) - drained, "deliveries", at_least=1)


def first_deliveries(found: site.Site, name: str, count: int) -> list[float]:
    """Milliseconds from commit to receipt of the first event of so many new subscriptions."""
    from . import world

    committed: dict[UUID, float] = {}
    for path in world.numbered(f"ok/{name}", count):
        of = world.workspace(path)
        world.subscribe(of, found.url(path))
        key, committed[key] = world.create_case(of)
        time.sleep(SAMPLE_EVERY)
    return _arrivals(found, f"/ok/{name}/", committed, count)


if __name__ == "__main__":
    sys.exit(main())

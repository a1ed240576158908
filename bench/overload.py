"""Redis gone while events pile up: how fast all of it is delivered afterwards, and whether anybody is flooded.

`python -m bench.overload [--events 100000] [--json PATH]`: the drain of so many events after an outage of Redis,
against the same drain when only the worker was away.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dotfile_hooks.dev import processes

from . import machine, receiver, results, site
from .receiver import Post
from .results import Report, say

if TYPE_CHECKING:
    from deliveries.models import Subscription

SAVES = 1000
"""Events that come from single save()s; the rest is made in bulk."""
FAIR = 0.9
"""The share of the speed without an outage that the drain afterwards must reach."""
GRACE = 1.1
"""Requests within a second against the rate: some may be a twentieth of a second early, and a network is no clock."""
PATIENCE = 600.0


@dataclass(frozen=True)
class Party:
    """A workspace with one subscription: its share of the events, and what its receiver bears."""

    name: str
    share: float
    limits: dict[str, Any] = field(default_factory=dict)


PARTIES = (
    Party("plain-1", 0.32),
    Party("plain-2", 0.32),
    Party("plain-3", 0.32),
    Party("rate", 0.02, {"rate": 100.0}),
    Party("narrow", 0.02, {"max_in_flight": 4}),
)


def main() -> int:
    parser = results.parser(__doc__ or "")
    parser.add_argument("--events", type=int, default=100_000)
    options = parser.parse_args()
    report = Report(f"Overload: {options.events:,} events while Redis is gone")
    with processes.sentences(), site.running() as found:
        (worker, *_) = found.start("worker", "chores", "beat")
        normal = Drain(found, report, "worker gone", options.events)
        with machine.watched() as others:
            normal.run(gone=lambda: found.stop(worker), back=lambda: found.start("worker"))
        report.notes.append(f"worker gone: {others}")
        outage = Drain(found, report, "Redis gone", options.events)
        with machine.watched() as others:
            outage.run(gone=found.valkey.kill, back=found.valkey.start)
        report.notes.append(f"Redis gone: {others}")
        report.add("speed afterwards, Redis gone against worker gone", outage.speed / normal.speed, at_least=FAIR)
    return report.finish(options.json)


class Drain:
    """So many events recorded while something is gone, and what happens when it is back."""

    def __init__(self, found: site.Site, report: Report, label: str, events: int) -> None:
        self._found, self._report, self._label, self._events = found, report, label, events
        self._prefix = f"/slow/{label.replace(' ', '-')}"
        self._before = found.received()
        self.speed = 0.0
        """Deliveries a second to receivers without limits, from the first to the last of them."""

    def run(self, gone: Callable[[], object], back: Callable[[], object]) -> None:
        from . import world

        subscriptions = [self._subscribe(party) for party in PARTIES]
        gone()
        say(f"{self._label}: recording {self._events:,} events")
        self._record(subscriptions)
        world.gather_statistics()
        early = self._found.received() - self._before
        moment = time.time()
        back()
        say("draining")
        self._wait()
        posts = [post for post in self._found.posts() if post.path.startswith(self._prefix)]
        self._add("delivered meanwhile", early)
        self._add("processes that sent", world.processes_that_sent(subscriptions))
        self._judge_speed(posts, moment)
        for subscription in subscriptions:
            self._judge_limits(subscription, [post for post in posts if subscription.url.endswith(post.path)])

    def _subscribe(self, party: Party) -> Subscription:
        from . import world

        url = self._found.url(f"{self._prefix[1:]}/{party.name}")
        return world.subscribe(world.workspace(party.name), url, name=party.name, **party.limits)

    def _record(self, subscriptions: list[Subscription]) -> None:
        from . import world

        began = time.monotonic()
        for number in range(SAVES):
            world.create_case(subscriptions[number % len(subscriptions)].workspace)
        self._add("a save() took", (time.monotonic() - began) / SAVES * 1000, "ms")
        began = time.monotonic()
        for party, subscription in zip(PARTIES, subscriptions, strict=True):
            bulk = round(self._events * party.share) - SAVES // len(PARTIES)
            world.create_in_bulk(subscription.workspace, bulk)
        self._add("events recorded in bulk", (self._events - SAVES) / (time.monotonic() - began), "1/s")

    def _wait(self) -> None:
        from . import world

        wanted = self._before + self._events
        site.wait_until(lambda: self._found.received() >= wanted and world.is_drained(), PATIENCE, "the drain")

    def _judge_speed(self, posts: list[Post], back: float) -> None:
        later = [post for post in posts if post.received_at > back]
        plain = [post.received_at for post in later if "/plain" in post.path]
        self.speed = len(plain) / (max(plain) - min(plain))
        distinct = {(post.path, post.event) for post in posts}
        self._add("back until the first delivery", min(plain) - back, "s")
        self._add("back until receivers without limits have all", max(plain) - back, "s")
        self._add("back until everybody has all", max(post.received_at for post in later) - back, "s")
        self._add("deliveries to receivers without limits", self.speed, "1/s")
        self._add("lost", self._events - len(distinct), at_most=0)
        self._add("sent twice", len(posts) - len(distinct))

    def _judge_limits(self, of: Subscription, posts: list[Post]) -> None:
        from django.conf import settings

        cap = of.max_in_flight or settings.DELIVERY_LANE_IN_FLIGHT
        self._add(f"{of.name}: most at a time", receiver.most_at_a_time(posts), at_most=cap)
        rate = of.rate and of.rate * GRACE
        self._add(f"{of.name}: most in a second", receiver.most_in_a_second(posts), at_most=rate)

    def _add(self, name: str, value: float, unit: str = "", **bars: float | None) -> None:
        self._report.add(f"{self._label}: {name}", value, unit, **bars)


if __name__ == "__main__":
    sys.exit(main())

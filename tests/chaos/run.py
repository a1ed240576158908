"""One run: load and faults, a full drain, the verdict."""

from __future__ import annotations

import heapq
import time
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from django.db.models import Q
from django.db.models.functions import Now

from deliveries import services
from deliveries.engine import lanes
from deliveries.models import Delivery, Event, Lane, Subscription
from dotfile_hooks.dev.processes import StartError

from . import checker, gather, report, sabotage
from .faults import KINDS, End, Missed, Trouble, patiently
from .ground import Ground
from .plan import KILLS, Step, plan
from .site import EVERYTHING, Site, running
from .world import CASES, World

LOADS = 2
"""Processes that change rows."""
OVERTIME = 6.0
"""A load that is slower than planned gets so many times the time that was planned."""
TICK, REST, TELL = 0.05, 0.3, 5.0
"""Seconds between two looks, before another try of a fault, between two lines for people."""
LATE = "/ok/late"


@dataclass(frozen=True)
class Options:
    seed: int
    events: int
    kills: int
    seconds: float
    """Of load and faults; start, drain and check come on top."""
    only: Sequence[str] = ()
    sabotage: str = ""
    programs: Collection[str] = EVERYTHING
    patience: float = 480.0
    """Seconds for a full drain; one that takes longer makes the run void."""

    @property
    def deadly(self) -> list[str]:
        """Those of the chosen faults that kill; without any, nobody is killed."""
        return [name for name, kind in KINDS.items() if kind.track == KILLS and (not self.only or name in self.only)]


def refuse_unknown(only: Collection[str], way: str) -> None:
    """Raises StartError for a fault or a sabotage that does not exist: the run would be green, and prove nothing."""
    for option, kind, given, known in (("only", "fault", only, KINDS), ("sabotage", "sabotage", [way], sabotage.WAYS)):
        if unknown := sorted({*given} - {*known, ""}):
            raise StartError(f"--{option}: there is no {kind} {', '.join(unknown)}. There are: {', '.join(known)}.")


class Run:
    def __init__(self, site: Site, world: World, options: Options) -> None:
        self.site, self.world, self.options = site, world, options
        self.trouble = Trouble(site)
        self.faults: Counter[str] = Counter()
        self.lacking: list[str] = []
        self._endings: list[tuple[float, int, End]] = []

    def go(self, workspaces: dict[str, tuple[str, str]]) -> None:
        options = self.options
        self.site.start_load(LOADS, options.seed, options.events / options.seconds, workspaces)
        while self.site.committed() == 0:
            time.sleep(TICK)
        self._torment(plan(options.seed, options.seconds, options.kills, KINDS, options.only))
        self._settle_down()
        self._drain()

    def _torment(self, steps: Sequence[Step]) -> None:
        began, left = time.monotonic(), list(reversed(steps))
        told, subscribed = 0.0, False
        while True:
            now, committed = time.monotonic() - began, self.site.committed()
            self._fire(left, now)
            if not subscribed and now > self.options.seconds / 2:
                subscribed = True
                patiently(lambda: self.world.subscribe("a", LATE, CASES))
            if now - told > TELL:
                told = now
                self._tell(now, committed)
            if not left and not self._endings and committed >= self.options.events:
                if self._missing() <= 0:
                    return
                left.append(Step(now + REST, self._more, 0.0, now % 1))
            if now > OVERTIME * self.options.seconds + 30:
                self.lacking.append(f"only {committed} events were committed in {now:.0f} s")
                return
            time.sleep(TICK)

    def _missing(self) -> int:
        """Kills that were planned and hit nobody."""
        return self.options.kills - len(self.trouble.kills) if self.options.deadly else 0

    @property
    def _more(self) -> str:
        """What makes up for them: the child of a worker is there to be killed when a point may never be reached."""
        return "kill_child" if "kill_child" in self.options.deadly else self.options.deadly[0]

    def _fire(self, left: list[Step], now: float) -> None:
        """What is due begins or ends; a fault that finds no victim comes a little later."""
        while left and left[-1].at <= now:
            step = left.pop()
            try:
                self._begin(step, now)
            except Missed:
                left.append(replace(step, at=now + REST))
                break
        while self._endings and self._endings[0][0] <= now:
            heapq.heappop(self._endings)[2]()
        self.trouble.collect()
        self.site.fleet.tend()

    def _begin(self, step: Step, now: float) -> None:
        end = self.trouble.begin(step)
        self.faults[step.fault] += 1
        if end:
            heapq.heappush(self._endings, (now + step.lasts, self.faults.total(), end))

    def _tell(self, now: float, committed: int) -> None:
        kills = len(self.trouble.kills)
        print(
            f"  {now:5.0f} s  {committed:7,} committed  {self.site.tell('count'):7,} received  {kills:4} kills",
            flush=True,
        )

    def _settle_down(self) -> None:
        """No more load, no more faults; every receiver is well."""
        self.site.stop_load()
        for *_, end in self._endings:
            end()
        self.trouble.collect()
        self.site.points.disarm()
        self.site.ground.names_answer.set()
        self.site.tell("calm")

    def _drain(self) -> None:
        began = told = time.monotonic()
        while patiently(self._waits):
            self.site.fleet.tend()
            patiently(_hurry)
            now = time.monotonic()
            if now - told > TELL:
                told = now
                print(f"  draining: {patiently(self._waits):,} to go", flush=True)
            if now - began > self.options.patience:
                return
            time.sleep(0.5)

    def _waits(self) -> int:
        states = [Delivery.State.PENDING, Delivery.State.BLOCKED, Delivery.State.HELD]
        waiting = Delivery.objects.filter(state__in=states).count()
        return waiting + Event.objects.filter(state=Event.State.WAITING).count()


def _hurry() -> None:
    """What people would do now: nothing stays off, parked or put off until later."""
    offline = Subscription.objects.filter(status=Subscription.Status.OFFLINE).values_list("pk", flat=True)
    services.set_online(offline, online=True)
    for lane in Lane.objects.filter(takeovers__gte=lanes.PARK_AFTER):
        services.unpark(lane)
    later = Q(state=Delivery.State.PENDING, due_at__gt=Now()) | Q(state=Delivery.State.HELD)
    services.retry_deliveries(Delivery.objects.filter(later))


def run(ground: Ground, options: Options) -> report.Report:
    """Raises StartError when something could not be started, or a load ended by itself."""
    began = time.monotonic()
    with running(ground, options.seed, options.programs, CHAOS_SABOTAGE=options.sabotage) as site:
        world = World(*site.ports)
        one = Run(site, world, options)
        one.go(world.populate())
    evidence = gather.evidence(site, world)
    verdict = checker.judge(evidence)
    resumed = report.resumed(evidence, one.trouble.kills)
    if options.deadly and len(one.trouble.kills) < options.kills * 0.9:
        one.lacking.append(f"only {len(one.trouble.kills)} of {options.kills} kills took place")
    return report.Report(
        options.seed, time.monotonic() - began, verdict, one.trouble.kills, one.faults, resumed, one.lacking
    )

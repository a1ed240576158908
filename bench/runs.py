"""One timed run: how long it took, what it cost each process, and whether its ledger adds up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

MICRO = 1_000_000


@dataclass(frozen=True)
class Tally:
    """What must be one number at the end of a run that nothing disturbed."""

    deliveries: int
    """That were to be made."""
    succeeded: int
    """Deliveries that are written down as such."""
    attempts: int
    """Rows; one for each delivery."""
    attempted: int
    """Deliveries that have an attempt."""
    requests: int
    """That the receiver counted."""

    def problems(self) -> list[str]:
        """What differs; empty when all is well."""
        found = {
            "succeeded": self.succeeded,
            "attempts": self.attempts,
            "deliveries with an attempt": self.attempted,
            "requests at the receiver": self.requests,
        }
        return [f"{self.deliveries} deliveries, but {n} {what}" for what, n in found.items() if n != self.deliveries]


@dataclass(frozen=True)
class Run:
    """So many things done in so many seconds."""

    what: str
    count: int
    seconds: float
    cpu: Mapping[str, float]
    """Seconds, by process."""
    problems: Sequence[str] = field(default_factory=tuple)
    """Why it is void."""

    @property
    def rate(self) -> float:
        """A second."""
        return self.count / self.seconds

    def micros(self, *names: str) -> float:
        """Microseconds of CPU for each thing, in these processes together."""
        return sum(self.cpu.get(name, 0.0) for name in names) / self.count * MICRO

    @property
    def cost(self) -> float:
        """Microseconds of CPU for each thing where we can save some: in the worker and in PostgreSQL."""
        return self.micros("worker", "PostgreSQL")

    def told(self) -> str:
        """In one line."""
        costs = ", ".join(f"{name} {self.micros(name):.0f}" for name, used in self.cpu.items() if used)
        return f"{self.what}: {self.rate:,.0f}/s; CPU microseconds each: {costs}"


def spent(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """CPU seconds between two readings."""
    return {name: after[name] - before.get(name, 0.0) for name in after}


def rate(runs: Iterable[Run]) -> float:
    """Of several runs of the same kind, a second: the median, since one that was disturbed says nothing."""
    return median(run.rate for run in runs)


def spread(runs: Iterable[Run]) -> str:
    """The lowest and the highest of their rates."""
    rates = [run.rate for run in runs]
    return f"{min(rates):,.0f} to {max(rates):,.0f}/s"


def together(what: str, runs: Sequence[Run]) -> Run:
    """Runs of the same kind, as if they had been one: all that they cost, at the median of their rates."""
    names = {name for run in runs for name in run.cpu}
    cpu = {name: sum(run.cpu.get(name, 0.0) for run in runs) for name in names}
    problems = [problem for run in runs for problem in run.problems]
    count = sum(run.count for run in runs)
    return Run(what, count, count / rate(runs), cpu, problems)


def ratio(run: Run, *floors: Run) -> float:
    """Its rate against floors that were measured around it."""
    return run.rate / rate(floors)


def paired(runs: Sequence[Run], floors: Sequence[Run]) -> float:
    """The median of their ratios, each against the floors just before and just after it: one more than runs."""
    return median(ratio(*each) for each in zip(runs, floors, floors[1:], strict=False))

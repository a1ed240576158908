"""What is sent to the server, first what no honest client sends, then what a document allows and forbids."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from rich import box
from rich.markup import escape
from rich.table import Table

from . import addresses, hostile, plan, rows, thesis, wire

SHOWN = 10  # hostile requests that are shown, each with what was wrong with the answer
Say = Callable[[str], None]


@dataclass
class Session:
    """One run against one server."""

    folder: Path
    base: str
    """Where the API is: http://127.0.0.1:8000."""
    receiver: str
    seed: int
    router: dict[str, addresses.Address] = field(default_factory=addresses.all_addresses)
    secrets: list[str] = field(default_factory=lambda: [*rows.PERSONAL], repr=False)
    """What must be in no log."""
    tally: dict[str, Counter[int]] = field(default_factory=dict)
    """Which statuses each operation was answered with; operations as in plan.py."""

    def be_hostile(self, count: int, say: Say) -> list[str]:
        """Sends this many odd requests; returns what was wrong with the answers."""
        rng, found = random.Random(self.seed), []  # noqa: S311 - no secret is made here
        world = self._world("hostile")
        bodies = rows.bodies(world)
        targets = [
            (method, each.template, [each.values(name, world.workspace) or ["x"] for name in each.parameters])
            for each in self.router.values()
            for method in sorted(each.methods)
        ]
        statuses: Counter[int] = Counter()
        for _ in range(count):
            method, template, values = rng.choice(targets)
            path = template.replace("{}", "%s") % tuple(map(rng.choice, values))
            request = hostile.made(rng, method, path, world.key, bodies)
            answer = wire.send(request, self.base)
            statuses[answer.status] += 1
            found += [f"{request} {fault}" for fault in wire.faults(request, answer, world.key)]
        told = ", ".join(f"{number} x {status or 'nothing'}" for status, number in statuses.most_common())
        say(f"{count} hostile requests: {told}")
        return [*found[:SHOWN], *([f"and {len(found) - SHOWN} more"] if len(found) > SHOWN else [])]

    def _world(self, name: str) -> rows.World:
        world = rows.made(self.receiver, name)
        self.secrets += [world.key]
        return world

    def follow(self, document: dict[str, Any] | None, examples: int, quick: bool, say: Say) -> list[str]:
        """Sends what the document, or our own, allows and forbids. Schemathesis prints what is wrong, at once."""
        made = plan.made(document or self._own(), self.router, self._world("random"))
        every = {f"{method.upper()} {each.template}" for each in self.router.values() for method in each.methods}
        say(f"{len(made.operations)} operations of the document are ours, {len(made.foreign)} are not")
        made.write(self.folder)
        checks = thesis.EVERYWHERE if document else thesis.OURS
        phases = thesis.QUICK if quick else thesis.WHOLE
        status = thesis.run(self.folder, self.base, self.seed, examples, phases, checks)
        tally = thesis.tally(self.folder)
        self.tally = {name: statuses for name, statuses in tally.items() if name in made.operations}
        problems = [f"Schemathesis ended with {status}: see what it printed"] if status else []
        if document is None:
            problems += [f"{name} is not in our document" for name in sorted(every - made.operations)]
            problems += [f"{name} is in our document, and nowhere else" for name in sorted(made.foreign)]
        return problems + [f"{name} was never called" for name in sorted(made.operations - self.tally.keys())]

    def _own(self) -> dict[str, Any]:
        answer = requests.get(f"{self.base}/v1/openapi.json", timeout=20)
        answer.raise_for_status()
        document: dict[str, Any] = answer.json()
        return document

    def table(self) -> Table:
        """A line for each operation: how often it was called, and what it answered."""
        result = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
        result.add_column("operation")
        for name in ("cases", "2xx", "4xx", "5xx"):
            result.add_column(name, justify="right")
        result.add_column("statuses")
        for operation, statuses in sorted(self.tally.items(), key=lambda item: item[0].split()[::-1]):
            sums = [sum(number for status, number in statuses.items() if status // 100 == kind) for kind in (2, 4, 5)]
            told = ", ".join(f"{number} x {status}" for status, number in sorted(statuses.items()))
            result.add_row(escape(operation), *(str(number or "") for number in (statuses.total(), *sums)), told)
        return result

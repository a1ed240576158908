"""A client of an open-loop load, in a process of its own: saves at moments that were chosen beforehand.

`python -m bench.generator` reads plans, a line of JSON each, and answers each with its notes, when it is done. Whoever
is late does not put off what comes next, and leaves nothing out.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from dotfile_hooks.dev import processes

if TYPE_CHECKING:
    from cases.models import Case
    from workspaces.models import Workspace

CREATED, DECIDED = "Case.Created", "Case.StatusUpdated"
DECISIONS = 4
"""One in so many changes approves the oldest open case; the others create one."""

THREADS = 8
"""Changes that one client makes at a time."""


@dataclass(frozen=True)
class Plan:
    """What one client does. Moments are random, as of many people who know nothing of each other."""

    workspaces: list[str]
    rate: float
    """Changes a second."""
    seconds: float
    seed: int
    begin: float
    """Unix seconds."""

    def moments(self) -> Iterator[float]:
        """Unix seconds of each change."""
        chance, moment = random.Random(self.seed), self.begin
        while (moment := moment + chance.expovariate(self.rate)) < self.begin + self.seconds:
            yield moment


class Change(NamedTuple):
    """One change as its client saw it; moments in unix seconds."""

    workspace: str
    case: str
    event: str
    due: float
    began: float
    committed: float
    returned: float


class Notes(NamedTuple):
    """What a client did, and the CPU seconds it took."""

    changes: list[Change]
    cpu: float


class Generator:
    """A client's process, from our side. It ends with us."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.generator"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=processes.tied(signal.SIGKILL),
        )

    def begin(self, plan: Plan) -> None:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(asdict(plan)) + "\n")
        self._process.stdin.flush()

    def notes(self) -> Notes:
        """Waits for the end of the plan. Raises StartError when the client failed."""
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise processes.StartError("A client of the load failed; its last lines say why.")
        changes, cpu = json.loads(line)
        return Notes([Change(*each) for each in changes], cpu)

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


class Client:
    """Changes cases of one workspace."""

    def __init__(self, of: Workspace) -> None:
        self._of = of
        self._open: deque[Case] = deque()
        self._count = 0

    def change(self, due: float) -> Change:
        began = time.time()
        self._count += 1
        name, (key, committed) = self._decide() if self._count % DECISIONS == 0 else self._create()
        return Change(str(self._of.pk), str(key), name, due, began, committed, time.time())

    def _create(self) -> tuple[str, tuple[UUID, float]]:
        from . import world

        case, committed = world.timed(lambda: world.Case.objects.create(workspace=self._of, name="Dotfile"))
        self._open.append(case)
        return CREATED, (case.pk, committed)

    def _decide(self) -> tuple[str, tuple[UUID, float]]:
        from . import world

        case = self._open.popleft()
        _, committed = world.timed(lambda: world.review_case(case, "approved", reviewer_type="user"))
        return DECIDED, (case.pk, committed)


def follow(plan: Plan) -> Notes:
    """As many at a time as need be, up to THREADS: each has its share of the rate, and its own connection."""
    used = time.process_time()
    shares = [replace(plan, rate=plan.rate / THREADS, seed=plan.seed * THREADS + number) for number in range(THREADS)]
    with ThreadPoolExecutor(THREADS) as threads:
        changes = [change for each in threads.map(_follow, shares) for change in each]
    return Notes(changes, time.process_time() - used)


def _follow(plan: Plan) -> list[Change]:
    from django.db import connection

    from . import world

    clients = [Client(of) for of in world.Workspace.objects.filter(pk__in=plan.workspaces)]
    changes = []
    for number, due in enumerate(plan.moments()):
        time.sleep(max(0.0, due - time.time()))
        changes.append(clients[number % len(clients)].change(due))
    connection.close()
    return changes


def main() -> None:
    import django

    django.setup()
    for line in sys.stdin:
        print(json.dumps(follow(Plan(**json.loads(line)))), flush=True)


if __name__ == "__main__":
    main()

"""One process that changes real rows, at a pace, and keeps a history of it: `python -m tests.chaos.load < order.json`.

It stands for the product's users: it goes on when the database, Redis or the web server fail, and says of each
operation whether it was committed, rolled back or, when nobody answered, unknown. Ends at SIGTERM, after an operation.
"""

from __future__ import annotations

import json
import random
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import django
import requests
from django.db import DatabaseError, InterfaceError, connection, transaction

from .history import Journal, Meant

django.setup()

from cases.models import Case, Company, Individual  # noqa: E402  # when Django is ready

KEPT = 400
"""Cases that are changed again; older ones are left alone."""
WEIGHTS = {
    "create": 6, "rename": 10, "delete": 2, "person": 3, "company": 0.25, "bulk_create": 5, "bulk_rename": 5,
    "story": 4, "give_up": 4, "half": 3, "api_create": 1.5, "api_rename": 1.5, "api_delete": 0.5,
}  # fmt: skip
PATIENCE = 5.0
"""Seconds for an answer of the web server."""


class Failed(Exception):
    """Nobody knows whether it was done; the case is not touched again."""


class Load:
    def __init__(self, order: dict[str, Any]) -> None:
        self._number, self._pace, self._bulk = order["number"], order["pace"], order["bulk"]
        self._workspaces, self._web = list(order["workspaces"].values()), order["web"]
        self._chance = random.Random(f"{order['seed']}/{order['number']}")
        folder = Path(order["folder"])
        self._journal = Journal((folder / f"history-{self._number}.jsonl").open("w"))
        self._progress = folder / f"progress-{self._number}"
        self._marks = self._committed = 0
        self._cases: list[tuple[str, str, str, str]] = []
        """Id, workspace, the workspace's API key, the mark it has."""
        self.stopping = False

    def run(self) -> None:
        began, reported = time.monotonic(), 0.0
        names = [name for name in WEIGHTS if self._web or not name.startswith("api")]
        weights = [WEIGHTS[name] for name in names]
        while not self.stopping:
            (name,) = self._chance.choices(names, weights)
            try:
                getattr(self, f"_{name}")()
            except Failed:
                connection.close()
                time.sleep(0.2)
            now = time.monotonic()
            if now - reported > 0.2:
                reported = now
                self._report()
            time.sleep(max(0.0, min(1.0, began + self._committed / self._pace - now)))
        self._report()

    def _report(self) -> None:
        draft = self._progress.with_suffix(".draft")
        draft.write_text(str(self._committed))
        draft.rename(self._progress)

    def _mark(self) -> str:
        self._marks += 1
        return f"mark-{self._number}-{self._marks}"

    def _do(self, meant: Sequence[Meant], work: Callable[[], Any], stands: Callable[[], bool]) -> None:
        """One operation, all of it or nothing. After a failure the database is asked whether it `stands`."""
        number = self._journal.begin(meant, time.time())
        try:
            work()
        except (DatabaseError, InterfaceError):
            if not self._stands(stands):
                self._journal.end(number, "unknown", time.time())
                raise Failed from None
        self._journal.end(number, "committed", time.time())
        self._committed += len(meant)

    def _stands(self, stands: Callable[[], bool]) -> bool:
        """False: it does not, or its commit is still on its way."""
        while not self.stopping:
            connection.close()
            with suppress(DatabaseError, InterfaceError):
                return stands()
            time.sleep(0.2)
        return False

    def _new_case(self) -> Case:
        workspace, _ = self._chance.choice(self._workspaces)
        return Case(workspace_id=workspace, name=self._mark())

    def _meant(self, event: str, case: Case, mark: str = "") -> Meant:
        return event, mark or case.name, str(case.workspace_id), str(case.pk)

    def _keep(self, *cases: Case) -> None:
        keys = dict(self._workspaces)
        for case in cases:
            workspace = str(case.workspace_id)
            self._cases.append((str(case.pk), workspace, keys[workspace], case.name))
        del self._cases[:-KEPT]

    def _pick(self) -> tuple[str, str, str, str]:
        """A case that is taken off the list until it is kept again; a new one when there is none."""
        if not self._cases:
            self._create()
        return self._cases.pop(self._chance.randrange(len(self._cases)))

    # Through the models

    def _create(self) -> None:
        case = self._new_case()
        self._do([self._meant("Case.Created", case)], case.save, lambda: _named(case.pk, case.name))
        self._keep(case)

    def _rename(self) -> None:
        key, workspace, *_ = self._pick()
        mark = self._mark()
        case = self._get(key)
        case.name = mark
        self._do([("Case.InfoUpdated", mark, workspace, key)], case.save, lambda: _named(key, mark))
        self._keep(case)

    def _delete(self) -> None:
        key, workspace, _, mark = self._pick()
        case = self._get(key)
        self._do([("Case.Deleted", mark, workspace, key)], case.delete, lambda: not _exists(key))

    def _person(self) -> None:
        key, workspace, *_ = self._pick()
        case = self._get(key)
        person = Individual(case=case, first_name="Ann", last_name=self._mark())
        there = Individual.objects.filter(pk=person.pk).exists
        self._do([("Individual.Created", person.last_name, workspace, key)], person.save, there)
        self._keep(case)

    def _company(self) -> None:
        case = self._new_case()
        company = Company(case=case, name=self._mark())

        def work() -> None:
            with transaction.atomic():
                case.save()
                company.save()

        meant = [self._meant("Case.Created", case), self._meant("Company.Created", case, company.name)]
        self._do(meant, work, lambda: _exists(case.pk))

    def _bulk_create(self) -> None:
        cases = [self._new_case() for _ in range(self._chance.randint(self._bulk // 2, self._bulk))]
        meant = [self._meant("Case.Created", case) for case in cases]
        self._do(meant, lambda: Case.objects.bulk_create(cases), lambda: _exists(cases[0].pk))
        self._keep(*cases)

    def _bulk_rename(self) -> None:
        picked = [self._pick() for _ in range(min(len(self._cases), self._bulk // 2) or 1)]
        cases = self._get_all([key for key, *_ in picked])
        for case in cases:
            case.name = self._mark()
        meant = [self._meant("Case.InfoUpdated", case) for case in cases]
        if cases:
            self._do(
                meant, lambda: Case.objects.bulk_update(cases, ["name"]), lambda: _named(cases[0].pk, cases[0].name)
            )
        self._keep(*cases)

    def _story(self) -> None:
        """Several changes of one case in a transaction."""
        case = self._new_case()
        meant = [self._meant("Case.Created", case)]
        person, name = Individual(case=case, first_name="Ann", last_name=self._mark()), self._mark()
        meant += [
            self._meant("Individual.Created", case, person.last_name),
            self._meant("Case.InfoUpdated", case, name),
        ]

        def work() -> None:
            with transaction.atomic():
                case.save()
                person.save()
                case.name = name
                case.save()

        self._do(meant, work, lambda: _exists(case.pk))
        self._keep(case)

    def _give_up(self) -> None:
        """A transaction that rolls back on purpose."""
        self._roll_back([self._new_case() for _ in range(self._chance.randint(1, 5))])

    def _roll_back(self, cases: list[Case]) -> None:
        number = self._journal.begin([self._meant("Case.Created", case) for case in cases], time.time())
        with suppress(DatabaseError, InterfaceError), suppress(Failed), transaction.atomic():
            Case.objects.bulk_create(cases)
            raise Failed
        self._journal.end(number, "rolled_back", time.time())

    def _half(self) -> None:
        """The inner half of a transaction rolls back, the outer one commits."""
        outer, inner = self._new_case(), self._new_case()
        number = self._journal.begin([self._meant("Case.Created", inner)], time.time())

        def work() -> None:
            with transaction.atomic():
                outer.save()
                with suppress(Failed), transaction.atomic():
                    inner.save()
                    raise Failed

        try:
            self._do([self._meant("Case.Created", outer)], work, lambda: _exists(outer.pk))
        finally:
            self._journal.end(number, "rolled_back", time.time())
        self._keep(outer)

    # Through the API

    def _api_create(self) -> None:
        workspace, key = self._chance.choice(self._workspaces)
        mark = self._mark()
        case = self._ask("POST", "cases", key, ("Case.Created", mark, workspace, ""), {"name": mark})
        self._cases.append((case, workspace, key, mark))

    def _api_rename(self) -> None:
        case, workspace, key, _ = self._pick()
        mark = self._mark()
        self._ask("PATCH", f"cases/{case}", key, ("Case.InfoUpdated", mark, workspace, case), {"name": mark})
        self._cases.append((case, workspace, key, mark))

    def _api_delete(self) -> None:
        case, workspace, key, mark = self._pick()
        self._ask("DELETE", f"cases/{case}", key, ("Case.Deleted", mark, workspace, case))

    def _ask(self, method: str, path: str, key: str, meant: Meant, body: object = None) -> str:
        """The case's id. A failure of the server says nothing about the change."""
        number = self._journal.begin([meant], time.time())
        headers = {"X-DOTFILE-API-KEY": key}
        try:
            answer = requests.request(method, f"{self._web}/v1/{path}", headers=headers, json=body, timeout=PATIENCE)
        except requests.RequestException:
            self._journal.end(number, "unknown", time.time())
            raise Failed from None
        if answer.status_code >= 500:
            self._journal.end(number, "unknown", time.time())
            raise Failed
        answer.raise_for_status()
        case = meant[3] or str(answer.json()["id"])
        self._journal.end(number, "committed", time.time(), case)
        self._committed += 1
        return case

    def _get(self, key: str) -> Case:
        found = self._get_all([key])
        if not found:
            raise Failed
        return found[0]

    def _get_all(self, keys: Sequence[str]) -> list[Case]:
        try:
            return list(Case.objects.filter(pk__in=keys))
        except (DatabaseError, InterfaceError):
            raise Failed from None


def _exists(key: Any) -> bool:
    return Case.objects.filter(pk=key).exists()


def _named(key: Any, mark: str) -> bool:
    return Case.objects.filter(pk=key, name=mark).exists()


def main() -> None:
    load = Load(json.load(sys.stdin))

    def stop(*_: object) -> None:
        load.stopping = True

    signal.signal(signal.SIGTERM, stop)
    load.run()


if __name__ == "__main__":
    main()

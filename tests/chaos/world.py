"""Who subscribes to what in a run: good receivers, bad ones, and names that no name server answers for."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from deliveries.models import Subscription
from workspaces.models import ApiKey, Workspace

from .evidence import Span, Subscriber
from .ground import DOMAIN

CASES = ["Case.Created", "Case.Updated", "Case.Deleted"]
EVERYTHING = [*CASES, "Individual.Created", "Company.Created"]
SILENT_NAMES = 60
"""Receivers whose name servers say nothing; their half of a courier's window is full with them."""
WORKSPACES = ("a", "b")


@dataclass
class World:
    """The subscriptions of a run, and where their receivers listen."""

    port: int
    refusing: int
    workspaces: dict[str, Workspace] = field(default_factory=dict)
    created: dict[str, Span] = field(default_factory=dict)
    """When each subscription came to be, by its path."""

    def populate(self) -> dict[str, tuple[str, str]]:
        """Creates workspaces and subscriptions; answers with each workspace's id and API key, for the load."""
        keys = {}
        for name in WORKSPACES:
            workspace = self.workspaces[name] = Workspace.objects.create(name=name)
            keys[name] = (str(workspace.pk), ApiKey.objects.issue(workspace, "chaos")[1])
            self.subscribe(name, "/ok/steady", EVERYTHING)
        self.subscribe("a", "/flaky/ordered", CASES, ordered=True)
        self.subscribe("b", "/ok/ordered", ["Case.Updated", "Case.Created"], ordered=True)
        self.subscribe("a", "/flaky/names", ["Case.InfoUpdated"])
        self.subscribe("b", "/ok/switched", ["Case.Updated"], max_in_flight=8)
        for kind in ("down", "hang", "drip", "reset", "flaky"):
            self.subscribe("a", f"/{kind}/people", ["Individual.Created"])
        self.subscribe("b", "/ok/refusing", ["Individual.Created"], port=self.refusing)
        for number in range(SILENT_NAMES):
            self.subscribe("b", f"/ok/silent-{number}", ["Company.Created"], host=f"silent-{number}.{DOMAIN}")
        return keys

    def subscribe(
        self, workspace: str, path: str, events: list[str], *, host: str = "", port: int = 0, **fields: Any
    ) -> Subscription:
        """`path` gets the workspace's name behind it. Bad receivers are promoted: they must not go offline."""
        path = f"{path}/{workspace}"
        row = Subscription(
            workspace=self.workspaces[workspace],
            name=path,
            url=f"http://{host or f'ok.{DOMAIN}'}:{port or self.port}{path}",
            events=events,
            promoted=True,
            **fields,
        )
        began = time.time()
        row.save()
        self.created[path] = (began, time.time())
        return row

    def subscribers(self, offline: dict[str, tuple[Span, ...]], cap: int) -> list[Subscriber]:
        """As the checker knows them; `offline` by subscription."""
        return [
            Subscriber(
                id=str(row.pk),
                workspace=str(row.workspace_id),
                path=row.name,
                events=frozenset(row.events),
                secret=row.secret,
                created=self.created[row.name],
                ordered=row.ordered,
                cap=min(cap, row.max_in_flight or cap),
                retries=row.retries,
                offline=offline.get(str(row.pk), ()),
            )
            for row in Subscription.objects.all()
        ]

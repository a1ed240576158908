"""Where the changes happen: a workspace with its people, and two subscriptions that between them ask for every name."""

from __future__ import annotations

from dataclasses import dataclass

from deliveries import services
from deliveries.models import Subscription
from dotfile_hooks.dev.conformance.judge import OTHER_NAMES
from workspaces.models import User, Workspace

from . import cases, checks, documents, notes, parties


@dataclass(frozen=True)
class World:
    """What exists before the first change."""

    workspace: Workspace
    reviewer: User
    main: Subscription
    other: Subscription


def made(main_url: str, other_url: str) -> World:
    """A workspace of its own."""
    workspace = Workspace.objects.create(name="Conformance")
    reviewer = User.objects.create_user("ada", "ada@example.com", first_name="Ada", last_name="LOVELACE")
    reviewer.workspaces.add(workspace)
    main = services.create_subscription(workspace, {"name": "Main", "url": main_url, "events": ["*"]})
    other = services.create_subscription(workspace, {"name": "By name", "url": other_url, "events": OTHER_NAMES})
    return World(workspace, reviewer, main, other)


def change_everything(there: World) -> None:
    """All changes, each in a transaction of its own."""
    for room in (cases, parties, notes, documents, checks):
        room.change(there.workspace, there.reviewer)

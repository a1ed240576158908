"""Changes of notes and their comments, by a person and by the API."""

from __future__ import annotations

from workspaces.models import User, Workspace


def change(workspace: Workspace, reviewer: User) -> None: ...

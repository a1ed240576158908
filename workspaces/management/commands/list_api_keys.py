"""Lists API keys: all that is known of them, but never their text."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from workspaces.management import arguments
from workspaces.models import ApiKey
from workspaces.timestamps import iso


class Command(BaseCommand):
    help = "Lists live API keys, newest first: identifier, workspace, scopes, state, last use, networks, name."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("workspace_id", nargs="?", help="left out: of all workspaces")
        parser.add_argument("--all", action="store_true", dest="every", help="those that are not live, too")

    def handle(self, *, workspace_id: str | None, every: bool, **options: Any) -> None:
        keys = ApiKey.objects.all() if every else ApiKey.objects.live()
        if workspace_id:
            keys = keys.filter(workspace=arguments.workspace(workspace_id))
        for key in keys:
            self.stdout.write(line(key))


def line(key: ApiKey) -> str:
    """Separated by tabs, for people and for `cut`."""
    used, networks = iso(key.last_used_at) or "never used", ",".join(key.allowed_networks) or "everywhere"
    return "\t".join(
        [key.identifier, str(key.workspace_id), ",".join(key.scopes), key.state(), used, networks, key.name]
    )

"""Issues another API key for a workspace."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand

from workspaces.keys import Scope
from workspaces.management import arguments
from workspaces.models import ApiKey


class Command(BaseCommand):
    help = "Prints a new API key for a workspace. The key is not stored: this is the only time it shows."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("workspace_id")
        parser.add_argument("name", help="where the key will be used")
        parser.add_argument(
            "--scope", action="append", choices=Scope.values, help="what it may do; may be repeated; left out: all"
        )
        parser.add_argument("--expires", type=arguments.moment, help="such as 2030-01-31; left out: never")
        parser.add_argument(
            "--allow",
            action="append",
            default=[],
            metavar="NETWORK",
            help="where it is good from, such as 203.0.113.0/24 or one address; may be repeated; left out: everywhere",
        )

    def handle(
        self,
        *,
        workspace_id: str,
        name: str,
        scope: list[str] | None,
        expires: datetime | None,
        allow: list[str],
        **options: Any,
    ) -> None:
        workspace = arguments.workspace(workspace_id)
        with arguments.sentences():
            _, text = ApiKey.objects.issue(workspace, name, scopes=scope, allowed_networks=allow, expires_at=expires)
        self.stdout.write(text)

"""Issues another API key for a workspace."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from workspaces.models import ApiKey, Workspace


class Command(BaseCommand):
    help = "Prints a new API key for a workspace. The key is not stored: this is the only time it shows."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("workspace_id")
        parser.add_argument("name", help="where the key will be used")

    def handle(self, *, workspace_id: str, name: str, **options: Any) -> None:
        try:
            workspace = Workspace.objects.get(pk=workspace_id)
        except (Workspace.DoesNotExist, ValidationError):
            raise CommandError(f"There is no workspace {workspace_id}.") from None
        self.stdout.write(ApiKey.objects.issue(workspace, name)[1])

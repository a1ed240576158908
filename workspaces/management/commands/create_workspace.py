"""Creates a workspace and its first API key."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from workspaces.models import ApiKey, Workspace


class Command(BaseCommand):
    help = "Creates a workspace and prints its id and an API key. The key is shown this once: it is not stored."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--json", action="store_true", help="print JSON, for programs")

    @transaction.atomic
    def handle(self, *, name: str, json: bool, **options: Any) -> None:  # noqa: A002  # the option's name is --json
        workspace = Workspace.objects.create(name=name)
        _, key = ApiKey.objects.issue(workspace, "first key")
        self.stdout.write(as_json(workspace, key) if json else f"workspace {workspace.pk}\nAPI key   {key}")


def as_json(workspace: Workspace, key: str) -> str:
    return json.dumps({"workspace_id": str(workspace.pk), "api_key": key})

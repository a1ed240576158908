"""Revokes an API key."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from workspaces.management import arguments


class Command(BaseCommand):
    help = "Revokes an API key: it is refused from then on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("identifier", help="the last 12 characters of the key")

    def handle(self, *, identifier: str, **options: Any) -> None:
        key = arguments.key(identifier)
        self.stdout.write(f"{key} is revoked." if key.revoke() else f"{key} was revoked before.")

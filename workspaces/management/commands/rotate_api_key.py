"""Replaces an API key by a new one; both are good for a while."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from workspaces.management import arguments
from workspaces.models import ApiKey

LONGEST_GRACE = 31 * 86_400
"""Seconds: who needs longer issues another key."""


class Command(BaseCommand):
    help = "Prints a new key with the name, scopes and allow list of an old one, which expires after the grace."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("identifier", help="the last 12 characters of the old key")
        parser.add_argument(
            "--grace", type=int, help=f"seconds for which the old key stays good; left out: {settings.KEY_GRACE:,}"
        )

    def handle(self, *, identifier: str, grace: int | None, **options: Any) -> None:
        if grace is not None and not 0 <= grace <= LONGEST_GRACE:
            raise CommandError(f"--grace must be from 0 to {LONGEST_GRACE:,} seconds.")
        old = arguments.key(identifier)
        with arguments.sentences():
            _, text = ApiKey.objects.rotate(old, None if grace is None else timedelta(seconds=grace))
        self.stdout.write(text)

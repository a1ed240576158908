"""Makes partitions for the days ahead and removes what is older than RETENTION_DAYS; the chore does so every hour."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from deliveries import upkeep


class Command(BaseCommand):
    help = "Makes partitions for the days ahead and removes what is older than RETENTION_DAYS. Repeat it as you like."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say what would be made and removed")

    def handle(self, *, dry_run: bool, **options: Any) -> None:
        try:
            for line in upkeep.plan() if dry_run else upkeep.run():
                self.stdout.write(line)
        except upkeep.Busy:
            raise CommandError("Another process is at it. Nothing was done.") from None
        except upkeep.Unfinished as error:
            raise CommandError(f"Not all was done: {error}. Mend that and repeat.") from None
        self.stdout.write("Nothing was changed." if dry_run else "Done.")

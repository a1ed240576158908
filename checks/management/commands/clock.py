"""Does at once what beat does every minute, for any day: tells what has fallen due."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from checks import services


class Command(BaseCommand):
    help = "Expires the checks whose last day is over: clock [--on 2027-01-31]"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--on", type=date.fromisoformat, metavar="DATE", help="As if it were that day. Today.")

    def handle(self, *, on: date | None, **options: Any) -> None:
        today = on or timezone.localdate()
        expired = services.expire_checks(today)
        self.stdout.write(f"As of {today}, {expired} check(s) have expired.")

"""Does at once what beat does every minute, for any day: tells what has fallen due."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from cases.services import tell_due_reviews
from checks.services import expire_checks


class Command(BaseCommand):
    help = (
        "Tells which periodic reviews are due, and expires the checks whose last day is over: clock [--on 2027-01-31]"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--on", type=date.fromisoformat, metavar="DATE", help="As if it were that day. Today.")

    def handle(self, *, on: date | None, **options: Any) -> None:
        today = on or timezone.localdate()
        due, expired = tell_due_reviews(today), expire_checks(today)
        self.stdout.write(f"As of {today}, {due} periodic review(s) fell due and {expired} check(s) expired.")

"""Sends deliveries again: those that failed, are held or wait for a later attempt."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from deliveries import services


class Command(BaseCommand):
    help = "Makes deliveries due now, as manual retries under the ids of their events."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("ids", nargs="+", type=UUID, metavar="ID")
        parser.add_argument("--replay", action="store_true", help="those that succeeded too")

    def handle(self, *, ids: list[UUID], replay: bool, **options: Any) -> None:
        try:
            retried = services.retry_deliveries(ids, replay=replay)
        except services.Refused as refused:
            raise CommandError(str(refused)) from None
        left = len(set(ids)) - len(retried)
        self.stdout.write(f"Sent again now: {len(retried)}. Left alone, or not there: {left}.")

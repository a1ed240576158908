"""Sends again what failed or was held of a subscription, within a range of time."""

from __future__ import annotations

import time
from argparse import ArgumentParser, ArgumentTypeError
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from deliveries import recovery
from deliveries.models import Recovery, Subscription
from deliveries.services import Refused
from workspaces.api import moments

GLANCE = 1.0
"""Seconds between two looks at the job."""


class Command(BaseCommand):
    help = (
        "Starts a job that sends again, oldest first, what failed or is held. With --wait it prints how far the job "
        "is; Ctrl-C ends the printing, not the job."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        moment = "such as 2023-01-31 or 2023-01-31T13:30:00Z"
        parser.add_argument("subscription", type=UUID)
        parser.add_argument("--since", type=_moment, required=True, help=f"events recorded from then on, {moment}")
        parser.add_argument("--until", type=_moment, help="and before then; left out: up to now")
        parser.add_argument("--rate", type=float, default=recovery.DEFAULT_RATE, help="deliveries a second at most")
        parser.add_argument("--wait", action="store_true", help="print the progress until the job has ended")

    def handle(
        self,
        *,
        subscription: UUID,
        since: datetime,
        until: datetime | None,
        rate: float,
        wait: bool,
        **options: Any,
    ) -> None:
        row = Subscription.objects.filter(pk=subscription).first()
        if row is None:
            raise CommandError(f"There is no subscription {subscription}.")
        try:
            job = recovery.start_recovery(row, since, until, rate, requested_by="manage.py recover")
        except Refused as refused:
            raise CommandError(str(refused)) from None
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        self.stdout.write(f"Recovery {job.pk} is running.")
        if wait:
            self._follow(job)

    def _follow(self, job: Recovery) -> None:
        said = ""
        while True:
            job.refresh_from_db()
            if (line := _told(job)) != said:
                self.stdout.write(said := line)
            if job.state != Recovery.State.RUNNING:
                return
            time.sleep(GLANCE)


def _moment(text: str) -> datetime:
    try:
        return moments.parse(text).start
    except ValueError:
        raise ArgumentTypeError("use a date or a time such as 2023-01-31 or 2023-01-31T13:30:00Z") from None


def _told(job: Recovery) -> str:
    if job.total is None:
        return "Counting."
    line = f"{job.recovered:,} of {job.total:,} made due ({recovery.share(job):.0%}), {job.get_state_display().lower()}"
    waits = recovery.waits_for([job]).get(job.pk, "")
    return f"{line}; {recovery.WAITS[waits]}" if waits else line

"""Celery's way to the clock of checks."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from .services import expire_checks


@shared_task(name="checks.chores.expiry", ignore_result=True)
def expire() -> None:
    """Expires the checks whose last day is over. A minute later beat asks again: it needs no retry."""
    expire_checks(timezone.localdate())

"""What the clock does to cases."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from . import services


@shared_task(name="cases.chores.reviews", ignore_result=True)
def tell_due_reviews() -> None:
    """A minute later beat asks again: it needs no retry."""
    services.tell_due_reviews(timezone.now().date())

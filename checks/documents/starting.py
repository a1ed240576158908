"""Asks workers to analyse documents: by a chain of tasks, right after the commit and again for what stands still.

The stage on the row is what counts. A message that is lost costs a minute or two, one that comes twice does nothing.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from uuid import UUID

from celery import chain, current_app
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from .models import Document, Stage

logger = logging.getLogger(__name__)

STEPS = ("checks.documents.extract", "checks.documents.analyse", "checks.documents.decide")
RESUME = "checks.chores.resume_documents"
STILL = timedelta(minutes=2)
"""Without anybody attending to it. Longer than a step may take, and than the pauses between its tries."""
MOST = 100
"""Documents that are asked for again at a time."""


def start(document_id: UUID) -> bool:
    """Publishes the chain; whether it could. Never raises and never waits long: what was not published, beat finds."""
    try:
        _publish(document_id)
    except Exception as error:
        logger.warning("the analysis of a document was not started (%s); beat will see to it", type(error).__name__)
        return False
    return True


def _publish(document_id: UUID) -> None:
    steps = [current_app.signature(name, args=(str(document_id),), immutable=True) for name in STEPS]
    wait = settings.WAKE_TIMEOUT
    # A connection of its own: Celery's waits for seconds when the broker hangs, and whoever commits waits with it.
    impatient = {"socket_timeout": wait, "socket_connect_timeout": wait, "max_retries": 0}
    with current_app.connection_for_write(transport_options=impatient) as connection:
        chain(*steps).apply_async(connection=connection, retry=False)


def resume() -> int:
    """Asks again for documents that stand still, the longest first; how many."""
    keys = _take()
    for key in keys:
        if not start(key):
            break
    return len(keys)


@transaction.atomic
def _take() -> list[UUID]:
    """Notes that they were asked for, so that a queue that is long does not grow by them."""
    rows = Document.objects.select_for_update(no_key=True, skip_locked=True).exclude(stage=Stage.DECIDED)
    still = rows.filter(attended_at__lt=timezone.now() - STILL).order_by("attended_at")
    keys = list(still.values_list("pk", flat=True)[:MOST])
    Document.objects.filter(pk__in=keys).update(attended_at=timezone.now())
    return keys

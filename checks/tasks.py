"""Celery's way to checks: the clock, and the analysis of documents. Tasks fetch, call and return."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from celery import Task, shared_task
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from .documents import services, starting
from .files.services import remove_expired
from .services import expire_checks


@shared_task(name="checks.chores.expiry", ignore_result=True)
def expire() -> None:
    """Expires the checks whose last day is over. A minute later beat asks again: it needs no retry."""
    expire_checks(timezone.localdate())


# The database is away: no fault of the document. Beat finds it again when Celery's tries are used up.
OWN_FAULTS = (OperationalError, InterfaceError)


class Step(Task[Any, Any]):
    """One step of a document: tried again with pauses, then left to people."""

    autoretry_for = (services.AnalyserFailed, *OWN_FAULTS)
    max_retries = 3
    retry_backoff = True
    retry_backoff_max = 30
    retry_jitter = True
    soft_time_limit = 20
    time_limit = 30  # for what does not let itself be interrupted; five workers die of it at most
    ignore_result = True

    def on_failure(self, exc: Exception, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:
        if not isinstance(exc, OWN_FAULTS):
            services.give_up(UUID(args[0]))


@shared_task(name=starting.STEPS[0], base=Step)
def extract_document(document_id: str) -> None:
    services.extract(UUID(document_id))


@shared_task(name=starting.STEPS[1], base=Step)
def analyse_document(document_id: str) -> None:
    services.analyse(UUID(document_id))


@shared_task(name=starting.STEPS[2], base=Step)
def decide_document(document_id: str) -> None:
    services.settle(UUID(document_id))


@shared_task(name=starting.RESUME, ignore_result=True)
def resume_documents() -> None:
    """Starts again what stands still. A minute later beat asks again: it needs no retry."""
    starting.resume()


@shared_task(name="checks.chores.remove_uploads", ignore_result=True)
def remove_uploads() -> None:
    """Removes the uploads whose day is over. An hour later beat asks again: it needs no retry."""
    remove_expired(timezone.now())

"""What happens to documents: handed in, then moved from stage to stage until they are decided.

Each step may be asked for twice, at once or long after: the stage, under the row's lock, says whether it is still due.
No transaction is open while an analyser works. Locks are taken in this order: the case, the check, its document.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from functools import cache, partial
from pathlib import PurePosixPath
from typing import Any, TypeVar
from uuid import UUID

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from checks.models import Check
from checks.services.common import locked
from workspaces.rules import lock_in_order

from . import starting
from .analysers import Analyser, Extraction, File, Finding, Severity
from .decision import decide
from .models import Document, DocumentFile, Stage, deciding, refuse_misfit
from .texts import as_json, printable, storable
from .verdict import move

T = TypeVar("T")

MOST_BYTES = 20_000_000
"""Of a file: some scanned pages. It is held in memory, twice, by whoever stores or analyses it."""
MOST_TRIES = 5
"""Of one stage. A document that takes its worker down with it must not do so for ever."""
FAILED = Finding("analysis_failed", Severity.DOUBT, "The analysis failed or took too long; a person has to look.")


class AnalyserFailed(Exception):
    """An analyser raised something. Says which class, and no more: its text may hold what was read."""


@cache
def analyser() -> Analyser:
    made: Analyser = import_string(settings.DOCUMENT_ANALYSER)()
    return made


def analyser_exists(**kwargs: Any) -> list[CheckMessage]:
    """One of Django's system checks: better no start than documents that all wait for people."""
    try:
        analyser()
    except Exception as error:
        return [Error(f"Set DOCUMENT_ANALYSER to the module.Class of an analyser ({error}).", id="checks.E001")]
    return []


@transaction.atomic
def submit(check: Check, name: str, content: bytes, content_type: str = "") -> Document:
    """Takes a file for a check and has it analysed. `content_type` is what the sender declares.

    Raises ValidationError with a sentence for a check of another type, and for a file that is empty or too large.
    """
    name = printable(PurePosixPath(name.replace("\\", "/")).name)[-255:]
    refuse(check, name, len(content))
    check = locked(check)  # and its case: who deletes that would not see the document
    document = Document(for_check=check, name=name, content_type=printable(content_type)[:255])
    document.size, document.sha256 = len(content), hashlib.sha256(content).hexdigest()
    document.save()
    DocumentFile.objects.create(document=document, content=content)
    check.data = {**check.data, "document_file_ids": [*check.data.get("document_file_ids", ()), str(document.pk)]}
    check.save()
    transaction.on_commit(partial(starting.start, document.pk), robust=True)
    return document


def refuse(check: Check, name: str, size: int) -> None:
    """Raises ValidationError with a sentence unless such a file can be handed in for this check."""
    refuse_misfit(check)
    if not name.strip("."):
        raise ValidationError("Give the file a name.", code="no_name")
    if not size:
        raise ValidationError("The file is empty.", code="empty")
    if size > MOST_BYTES:
        raise ValidationError(f"The file is larger than {MOST_BYTES // 1_000_000} MB.", code="too_large")


def extract(document_id: UUID) -> None:
    """Has the document read. Raises AnalyserFailed."""
    if document := _begin(document_id, Stage.RECEIVED):
        file, today = _file(document), timezone.now().date()
        fields, findings = _ask(lambda: _read(analyser().extract(file, today)))
        _advance(document, Stage.EXTRACTED, fields=fields, findings=findings)


def analyse(document_id: UUID) -> None:
    """Has the document examined. Raises AnalyserFailed."""
    if document := _begin(document_id, Stage.EXTRACTED):
        file, today = _file(document), timezone.now().date()
        extraction = Extraction(document.fields, findings_of(document))
        found = _ask(lambda: _told(analyser().examine(file, extraction, today)))
        _advance(document, Stage.ANALYZED, findings=[*document.findings, *found])


@transaction.atomic
def settle(document_id: UUID) -> None:
    """Decides on a document that was analysed, and moves its check."""
    _decide(document_id, [Stage.ANALYZED])


@transaction.atomic
def give_up(document_id: UUID) -> None:
    """Leaves the decision to people: the analyser failed for good."""
    _decide(document_id, [Stage.RECEIVED, Stage.EXTRACTED, Stage.ANALYZED], FAILED)


def findings_of(document: Document) -> list[Finding]:
    return [Finding(row["code"], Severity(row["severity"]), row["message"]) for row in document.findings]


def _begin(document_id: UUID, stage: Stage) -> Document | None:
    """The document, if it is at this stage still; the try is counted whatever becomes of it."""
    with transaction.atomic():
        document = _locked(document_id, [stage])
        if document is None:
            return None
        document.tries, document.attended_at = document.tries + 1, timezone.now()
        document.save()
    if document.tries > MOST_TRIES:
        give_up(document_id)
        return None
    return document


@transaction.atomic
def _advance(read: Document, stage: Stage, **values: Any) -> None:
    """To the next stage, unless somebody was faster."""
    if document := _locked(read.pk, [Stage(read.stage)]):
        _reach(document, stage, **values)


def _decide(document_id: UUID, stages: Sequence[Stage], *more: Finding) -> None:
    check = _locked_check(document_id)
    document = _locked(document_id, stages)
    if check and document:
        findings = [*findings_of(document), *more]
        decision = decide(document.fields, findings)
        with deciding():
            _reach(document, Stage.DECIDED, findings=_told(findings), decision=decision.value)
        move(check)


def _reach(document: Document, stage: Stage, **values: Any) -> None:
    now = timezone.now()
    for name, value in {**values, "stage": stage.value, f"{stage}_at": now, "attended_at": now, "tries": 0}.items():
        setattr(document, name, value)
    document.save()


def _locked_check(document_id: UUID) -> Check | None:
    check = Check.objects.filter(documents=document_id).first()
    if check is None:
        return None
    lock_in_order(check)
    return Check.objects.select_for_update(no_key=True).filter(pk=check.pk).first()


def _locked(document_id: UUID, stages: Sequence[Stage]) -> Document | None:
    return Document.objects.select_for_update(no_key=True).filter(pk=document_id, stage__in=stages).first()


def _file(document: Document) -> File:
    content = DocumentFile.objects.values_list("content", flat=True).get(document=document)
    return File(document.name, document.content_type, document.document_type_key, bytes(content))


def _ask(question: Callable[[], T]) -> T:
    try:
        return question()
    except SoftTimeLimitExceeded:
        raise  # another try would take as long
    except Exception as error:
        raise AnalyserFailed(type(error).__name__) from None


def _read(found: Extraction) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Raises TypeError or ValueError for what is no object of JSON: the database would say what is in it."""
    return as_json(dict(found.fields)), _told(found.findings)


def _told(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    return [storable(asdict(finding) | {"severity": Severity(finding.severity).value}) for finding in findings]

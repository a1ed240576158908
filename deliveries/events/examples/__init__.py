"""An example of the body of every event that arises: made-up rows through the very projections that real ones take."""

from __future__ import annotations

import json
from collections.abc import Callable

from cases import projection as cases
from checks import projection as checks
from checks.models import ABOUT_COMPANIES, CheckType
from deliveries.engine import retry
from deliveries.engine.envelope import Counters, Parts, members
from deliveries.engine.envelope import body as envelope
from deliveries.events.catalogue import sent_as
from deliveries.events.families import EventType

from . import check_rows, rows
from .rows import CHANGED, Json, key

CHECK_STATUS = {
    "Check.Started": "in_progress",
    "Check.ReviewNeeded": "need_review",
    "Check.Approved": "approved",
    "Check.Rejected": "rejected",
    "Check.Expired": "expired",
}
APPENDED = "Something was appended to the PDF after it was made."
DOCUMENT_STAGES = {
    "Document.Received": "received",
    "Document.Extracted": "extracted",
    "Document.AuthenticityAnalyzed": "analyzed",
    "Document.Decided": "decided",
}


def body(name: str, check_type: str = CheckType.AML) -> Json:
    """What arrives under this name, in full; that of a check is of this type.

    Raises KeyError for a name under which nothing is ever sent.
    """
    event = sent_as(name)[0]
    form = next(form for form in event.forms if form.event == name)
    if not event.family.arises:
        raise KeyError(name)
    context = {"workspace": rows.WORKSPACE, **_context(event, check_type), "sequence": _sequence(event)}
    parts = Parts(members(context), members({event.entity: ENTITIES[event.family.name](event, check_type)}))
    counters = Counters(int(CHANGED.timestamp()), 0, retry.DEFAULT_RETRIES)
    example: Json = json.loads(envelope(form.event, form.sub_event, key(100), counters, parts))
    return example


def _sequence(event: EventType) -> int | None:
    if event.family.name == "Webhook":
        return None
    return 1 if event.name == "Case.Created" else 7


def _context(event: EventType, check_type: str) -> Json:
    of_company = event.family.name == "Check" and check_type in ABOUT_COMPANIES
    found: Json = {
        "case": cases.case_context(rows.CASE, ["High risk"]),
        "note": {"id": rows.NOTE["id"], "author": rows.NOTE["author"]},
        "individual": None if of_company else cases.individual_context(rows.INDIVIDUAL),
        "company": cases.company_context(rows.COMPANY) if of_company else None,
    }
    return {name: found[name] for name in event.family.context}


def _case(event: EventType, _: str) -> Json:
    if not event.is_whole:
        return cases.case_deleted(rows.CASE)
    if event.name == "Case.Created":
        fresh: Json = {"status": "open", "flags": [], "risk": None, "updated_at": rows.MADE}
        return cases.case_detailed({**rows.CASE, **fresh}, cases.CaseRelated(templates={key(3): rows.TEMPLATE}))
    related = cases.CaseRelated(
        individuals=[cases.individual(rows.INDIVIDUAL, [_summary()])],
        companies=[cases.company(rows.COMPANY, [])],
        tags=["High risk"],
        review=cases.review(rows.REVIEW, rows.USER),
        templates={key(3): rows.TEMPLATE},
        users={key(2): rows.USER},
    )
    return cases.case_detailed(rows.CASE, related)


def _individual(event: EventType, _: str) -> Json:
    row = rows.INDIVIDUAL
    return cases.individual(row, [_summary()]) if event.is_whole else cases.individual_deleted(row)


def _company(event: EventType, _: str) -> Json:
    row = rows.COMPANY
    return cases.company(row, []) if event.is_whole else cases.company_deleted(row)


def _check(event: EventType, kind: str) -> Json:
    row = check_rows.row(kind, CHECK_STATUS.get(event.name, "approved"))
    return checks.check(row) if event.is_whole else checks.check_deleted(row)


def _summary() -> Json:
    return checks.check_summary(check_rows.row(CheckType.AML, "approved"))


def _document(event: EventType, _: str) -> Json:
    reached = [*DOCUMENT_STAGES.values()].index(DOCUMENT_STAGES[event.name])
    at = [f"2026-02-03T09:15:{40 + second}.128Z" if second <= reached else None for second in range(4)]
    return {
        **rows.DOCUMENT,
        "stage": DOCUMENT_STAGES[event.name],
        "fields": {"last_name": "CARTER", "document_number": "12AB34567"} if at[1] else {},
        "findings": [{"code": "incremental_update", "severity": "doubt", "message": APPENDED}] if at[2] else [],
        "decision": "review_required" if at[3] else None,
        **dict(zip(("received_at", "extracted_at", "analyzed_at", "decided_at"), at, strict=True)),
    }


ENTITIES: dict[str, Callable[[EventType, str], Json]] = {
    "Case": _case,
    "Individual": _individual,
    "Company": _company,
    "Check": _check,
    "Document": _document,
    "Note": lambda event, _: rows.NOTE,
    "NoteComment": lambda event, _: rows.COMMENT,
    "Webhook": lambda event, _: rows.WEBHOOK,
}

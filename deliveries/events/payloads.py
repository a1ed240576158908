"""What an event says: builders that turn recorded rows into the parts of a payload, for a whole batch at once.

An entity's own columns come from the event, as they were recorded; related rows are read when it is built. What is gone
by then is an empty list or null, but for the case of an event: the event of its deletion still tells what it was.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings

from cases import projection as cases
from cases.noted import NotesRelated
from checks import projection as checks
from checks.documents.projection import document
from deliveries.engine.envelope import Parts, Shape
from deliveries.engine.fanout import Recorded, Told
from deliveries.models import Event, Subscription
from workspaces.compiled import ByKeys
from workspaces.models import Workspace
from workspaces.timestamps import iso

from . import shapes
from .catalogue import EVENTS

JSON = dict[str, Any]


@dataclass(frozen=True)
class Related:
    """All rows that a batch of events refers to, read in a constant number of queries."""

    workspaces: Mapping[UUID, JSON]
    cases: Mapping[UUID, cases.CaseRelated]
    contexts: Mapping[UUID, JSON]
    individuals: Mapping[UUID, JSON]
    companies: Mapping[UUID, JSON]
    checks: Mapping[UUID, Sequence[JSON]]
    notes: NotesRelated


def build(events: Sequence[Recorded], wanted: Mapping[UUID, Collection[Shape]]) -> dict[UUID, Told | Exception]:
    """What each event says in the shapes wanted of it; an event that cannot be built answers with its exception."""
    related = _load(events)
    built: dict[UUID, Told | Exception] = {}
    for event in events:
        try:
            built[event.id] = _build(event, related, wanted[event.id])
        except Exception as error:
            built[event.id] = error
    return built


def _build(event: Recorded, related: Related, wanted: Collection[Shape]) -> dict[Shape, Parts]:
    kind = EVENTS[event.name]
    context = {"workspace": related.workspaces[event.workspace_id], **CONTEXTS[kind.entity](event, related)}
    context["sequence"] = event.sequence
    gone = event.name.endswith(".Deleted")
    entity = (DELETED if gone else ENTITIES)[kind.entity](event, related)
    base = settings.PUBLIC_URL
    return {shape: shapes.parts(shape, kind.entity, context, entity, base, gone=gone) for shape in wanted}


def _no_context(event: Recorded, related: Related) -> JSON:
    return {}


def _party_context(event: Recorded, related: Related) -> JSON:
    return {"case": related.contexts.get(event.case_id) if event.case_id else None}


def _check_context(event: Recorded, related: Related) -> JSON:
    return {
        "case": related.contexts.get(event.case_id) if event.case_id else None,
        "individual": related.individuals.get(event.individual_id) if event.individual_id else None,
        "company": related.companies.get(event.company_id) if event.company_id else None,
    }


def _comment_context(event: Recorded, related: Related) -> JSON:
    return {**_party_context(event, related), "note": related.notes.contexts.get(UUID(event.fields["note_id"]))}


def _note(event: Recorded, related: Related) -> JSON:
    comments = related.notes.comments.get(event.entity_id, [])
    return cases.note(event.fields, _author(event, related), comments)


def _note_comment(event: Recorded, related: Related) -> JSON:
    return cases.note_comment(event.fields, _author(event, related))


def _author(event: Recorded, related: Related) -> JSON | None:
    found: JSON | None = related.notes.users.get(str(event.fields["author_id"]))
    return found


def _case(event: Recorded, related: Related) -> JSON:
    return cases.case_detailed(event.fields, related.cases[event.entity_id])


def webhook_fields(row: Subscription) -> JSON:
    """What is recorded of a subscription. No path and no query: in a URL they may be as good as a password."""
    return {
        "id": row.pk,
        "workspace_id": row.workspace_id,
        "name": row.name,
        "host": row.host,
        "status": row.status,
        "offline_reason": row.offline_reason,
        "offline_since": row.offline_since,
        "events": row.events,
    }


def _webhook(fields: JSON) -> JSON:
    told = {name: value for name, value in fields.items() if name != "workspace_id"}
    return {**told, "offline_since": iso(fields["offline_since"])}


Builder = Callable[[Recorded, Related], JSON]

CONTEXTS: dict[str, Builder] = {
    "case": _no_context,
    "individual": _party_context,
    "company": _party_context,
    "check": _check_context,
    "note": _party_context,
    "noteComment": _comment_context,
    "document": _check_context,
    "webhook": _no_context,
}
ENTITIES: dict[str, Builder] = {
    "case": _case,
    "individual": lambda event, related: cases.individual(event.fields, related.checks.get(event.entity_id, [])),
    "company": lambda event, related: cases.company(event.fields, related.checks.get(event.entity_id, [])),
    "check": lambda event, related: checks.check(event.fields),
    "note": _note,
    "noteComment": _note_comment,
    "document": lambda event, related: document(event.fields),
    "webhook": lambda event, related: _webhook(event.fields),
}
DELETED: dict[str, Builder] = {
    "case": lambda event, related: cases.case_deleted(event.fields),
    "individual": lambda event, related: cases.individual_deleted(event.fields),
    "company": lambda event, related: cases.company_deleted(event.fields),
    "check": lambda event, related: checks.check_deleted(event.fields),
    "note": _note,
    "noteComment": _note_comment,
}


def _load(events: Sequence[Recorded]) -> Related:
    def of(entity: str) -> list[Recorded]:
        return [event for event in events if EVENTS[event.name].entity == entity]

    case_events = of("case")
    in_context = [event for event in events if EVENTS[event.name].entity != "case"]
    case_ids = {event.case_id for event in in_context if event.case_id}
    of_checks = [*of("check"), *of("document")]
    parties = [event.entity_id for event in (*of("individual"), *of("company"))]
    return Related(
        workspaces=_workspaces({event.workspace_id for event in events}),
        cases=cases.load_related({event.entity_id for event in case_events}, [event.fields for event in case_events]),
        contexts=_contexts(case_ids),
        individuals=cases.load_individual_contexts({e.individual_id for e in of_checks if e.individual_id}),
        companies=cases.load_company_contexts({e.company_id for e in of_checks if e.company_id}),
        checks=cases.load_check_summaries(parties),
        notes=_notes(of("note"), of("noteComment")),
    )


def _notes(notes: Sequence[Recorded], comments: Sequence[Recorded]) -> NotesRelated:
    authors = {UUID(key) for event in (*notes, *comments) if (key := event.fields["author_id"])}
    above = {UUID(event.fields["note_id"]) for event in comments}
    return cases.load_notes({event.entity_id for event in notes}, above, authors)


_workspace_names = ByKeys(Workspace.objects.values("id", "name"), "id")


def _workspaces(ids: Collection[UUID]) -> dict[UUID, JSON]:
    return {row["id"]: {"id": str(row["id"]), "name": row["name"]} for row in _workspace_names.rows(ids)}


def _contexts(case_ids: set[UUID]) -> dict[UUID, JSON]:
    if not case_ids:
        return {}
    found = cases.load_case_contexts(case_ids)
    gone = case_ids - found.keys()
    if not gone:
        return found
    last = Event.objects.filter(name="Case.Deleted", case_id__in=gone).values_list("entity_id", "fields")
    return found | {key: cases.case_context(fields, []) for key, fields in last if fields}

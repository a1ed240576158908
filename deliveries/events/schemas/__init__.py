"""What receivers may rely on: a JSON Schema (2020-12) of the body of every event that arises."""

from __future__ import annotations

from deliveries.events.catalogue import FAMILIES, sent_as
from deliveries.events.families import EventType, Family
from deliveries.models import Subscription

from . import cases, checks
from .words import COUNT, MOMENT, NOTHING, TEXT, UUID, Schema, nullable, obj, one_of, only, ref, told

SEQUENCE = "The event's number within its case: 1, 2, 3, ... without gaps, in order of commit."
WORKSPACE = obj({"id": UUID, "name": TEXT})
WEBHOOK = obj(
    {
        "id": UUID,
        "name": TEXT,
        "host": told(TEXT, "The rest of the URL may be as good as a password."),
        "status": one_of(Subscription.Status.values),
        "offline_reason": TEXT,
        "offline_since": nullable(MOMENT),
        "events": {"type": "array", "items": TEXT},
    }
)

_IN_CONTEXT: dict[str, Schema] = {
    "case": ref("CaseContext"),
    "note": nullable(ref("NoteContext")),
    "individual": nullable(ref("IndividualContext")),
    "company": nullable(ref("CompanyContext")),
}


def body(name: str) -> Schema:
    """The body of what is sent under this name, in full. Raises KeyError for one under which nothing is ever sent."""
    first, *others = sent_as(name)
    if not first.family.arises:
        raise KeyError(name)
    subs = [event.name for event in (first, *others) if event.main == name]
    return obj(
        {
            "event": only(name),
            **({"sub_event": one_of(subs)} if subs else {}),
            "context": ref(f"{first.family.name}EventContext"),
            first.entity: ref(_entity(first)),
        }
    )


def _entity(event: EventType) -> str:
    return event.family.name if event.is_whole else f"{event.family.name}Deleted"


def _context(family: Family) -> Schema:
    of_a_case = "case" in (family.entity, *family.context)
    return obj(
        {
            "timestamp": told(COUNT, "When this attempt was made, in seconds since 1970."),
            "event_id": told(UUID, "The same on every attempt."),
            "retry_count": told(COUNT, "Attempts before this one."),
            "remaining_retry_count": told(COUNT, "Automatic retries that are left."),
            "workspace": ref("Workspace"),
            **{key: _IN_CONTEXT[key] for key in family.context},
            "sequence": told({**COUNT, "minimum": 1}, SEQUENCE) if of_a_case else NOTHING,
        }
    )


DEFINITIONS: dict[str, Schema] = {
    "Workspace": WORKSPACE,
    **{f"{family.name}EventContext": _context(family) for family in FAMILIES if family.arises},
    **cases.CONTEXTS,
    **cases.DEFINITIONS,
    **cases.REMAINS,
    **checks.DEFINITIONS,
    **checks.REMAINS,
    "Webhook": WEBHOOK,
}
"""What the bodies refer to, by name."""

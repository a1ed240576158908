"""Which events exist, when each arises, and under which names each is sent. Pure data, and how names match.

Names and families follow Dotfile's API, v1. `Check.Completed` is of its first API (approved or rejected, not yet told
apart). The Document events, Webhook.WentOffline and the wildcards are ours.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import cache

from .families import EventType, Family, Form

EVERYTHING = "*"
"""What a subscription asks for that wants every event, also those that do not exist yet."""


def _types(family: Family, when: Mapping[str, str]) -> Iterator[EventType]:
    return (EventType(f"{family.name}.{action}", family, told) for action, told in when.items())


def _subs(family: Family, when: Mapping[str, str]) -> Iterator[EventType]:
    """What `Updated` is told with, as its `sub_event`."""
    main = f"{family.name}.Updated"
    return (EventType(f"{family.name}.{action}", family, told, main=main) for action, told in when.items())


CASE = Family("Case", "case", "the case with its people and companies", "`id`, `name`, `external_id`")
REPORT = Family("CaseReport", "report", "links to the report", context=("case",), arises=False)
NOTE = Family("Note", "note", "the note with its comments", context=("case",))
COMMENT = Family("NoteComment", "noteComment", "the comment", context=("case", "note"))
INDIVIDUAL = Family(
    "Individual",
    "individual",
    "the individual with a summary of each check",
    remains="`id`, `case_id`, `first_name`, `last_name`",
    context=("case",),
)
COMPANY = Family(
    "Company",
    "company",
    "the company with a summary of each check",
    remains="`id`, `case_id`, `name`, `country`",
    context=("case",),
)
CHECK = Family(
    "Check",
    "check",
    "the check with the `data` of its type",
    remains="the check without `data`",
    context=("case", "individual", "company"),
)
DOCUMENT = Family(
    "Document",
    "document",
    "the document with what was read and found, never the file",
    context=("case", "individual", "company"),
)
ORDER = Family("DocumentOrder", "document_order", "the order", arises=False)
RUN = Family("AutonomyChatRun", "autonomy_chat_run", "the run", arises=False)
WEBHOOK = Family("Webhook", "webhook", "the webhook, of its URL the host only")

FAMILIES = (CASE, INDIVIDUAL, COMPANY, CHECK, DOCUMENT, NOTE, COMMENT, WEBHOOK, REPORT, ORDER, RUN)

_CASE_SUBS = {
    "StatusUpdated": "The status changed.",
    "FlagsUpdated": "A flag was set or removed.",
    "ContactHasActionsUpdated": "`contact_has_actions` changed: a contact has something to do, or has no more.",
    "InfoUpdated": "`name`, `external_id` or `custom_properties` changed.",
    "ReviewerHasActionsUpdated": "`reviewer_has_actions` changed: a reviewer has something to do, or has no more.",
    "TemplateUpdated": "Another template was chosen, or none.",
    "RiskUpdated": "The risk was assessed anew.",
    "MetadataUpdated": "`metadata` changed.",
    "TagsUpdated": "A tag was added or removed, or one that the case has was renamed or deleted.",
    "AssigneeUpdated": "Another person was assigned, or nobody.",
}
_PARTY_SUBS = {
    "InfoUpdated": "Anything but its relevance changed.",
    "MarkedAsRelevant": "It was marked as relevant: the case is shown with it.",
    "MarkedAsNotRelevant": "It was marked as not relevant: the case is shown without it.",
}
_UPDATED = "Something of it changed: `sub_event` says what."
_NEVER = "Never arises here."

_TYPES = [
    *_types(CASE, {"Created": "A case was created.", "Updated": _UPDATED}),
    *_subs(CASE, _CASE_SUBS),
    *_types(
        CASE,
        {
            "ReviewUpdated": "The date of the next periodic review was set, moved or removed.",
            "ReviewDue": "The date of the next periodic review came.",
            "ReviewConfirmed": "A reviewer confirmed an approved case at its periodic review; the next date is in "
            "`case.review.next_review_at`, and no `Case.ReviewUpdated` comes beside it.",
            "ClientPortalWaitStepTriggered": "A contact reached a wait step: `client_portal.wait_step_key` was set.",
            "Deleted": "The case was deleted; nothing is told of the deletion of what belonged to it.",
        },
    ),
    *_types(INDIVIDUAL, {"Created": "An individual was added to a case.", "Updated": _UPDATED}),
    *_subs(INDIVIDUAL, _PARTY_SUBS),
    *_types(INDIVIDUAL, {"Deleted": "The individual was removed, but not with the whole case."}),
    *_types(COMPANY, {"Created": "A company was added to a case.", "Updated": _UPDATED}),
    *_subs(COMPANY, _PARTY_SUBS),
    *_types(COMPANY, {"Deleted": "The company was removed, but not with the whole case."}),
    *_types(
        CHECK,
        {
            "Started": "A check was created.",
            "ReviewNeeded": "The status became `need_review`: a person has to look at it.",
        },
    ),
    EventType("Check.Approved", CHECK, "The status became `approved`.", early="Check.Completed"),
    EventType("Check.Rejected", CHECK, "The status became `rejected`.", early="Check.Completed"),
    *_types(
        CHECK,
        {
            "Expired": "The status became `expired`: the clock passed the check's date.",
            "Deleted": "The check was deleted, but not with its individual, company or case.",
        },
    ),
    *_types(
        DOCUMENT,
        {
            "Received": "A file was handed in for a document check.",
            "Extracted": "It was read: `fields` says what stands in it.",
            "AuthenticityAnalyzed": "It was examined: `findings` says what speaks against it.",
            "Decided": "It was decided on: `decision` is accepted, rejected or review_required.",
        },
    ),
    *_types(
        NOTE,
        {
            "Created": "A note was written about a case.",
            "Updated": "Its content changed. A new comment is no change of the note.",
            "Deleted": "The note was deleted, but not with its case.",
        },
    ),
    *_types(
        COMMENT,
        {
            "Created": "A note was commented on.",
            "Updated": "Its content changed.",
            "Deleted": "The comment was deleted, but not with its note or case.",
        },
    ),
    *_types(WEBHOOK, {"WentOffline": "Another webhook of the workspace was taken offline: its receiver failed."}),
    *_types(REPORT, {"Generated": _NEVER}),
    *_types(ORDER, {"Completed": _NEVER, "Failed": _NEVER}),
    *_types(RUN, {"Completed": _NEVER, "Failed": _NEVER}),
]

EVENTS = {event.name: event for event in _TYPES}

EARLY = {"Check.Completed": "A check was approved or rejected: how Dotfile's first API named both."}
"""The names of Dotfile's first API that are no event today, and when they are used."""

NAMES = frozenset(form.event for event in _TYPES for form in event.forms)
"""Every name under which something is sent."""

WILDCARDS = (EVERYTHING, *(family.wildcard for family in FAMILIES))

ASKABLE = NAMES.union(WILDCARDS)
"""Everything a subscription may ask for."""


def names_of(family: Family) -> list[str]:
    """Every name of a family: sub-events after their main event, early names last."""
    early = [name for name in EARLY if name.startswith(f"{family.name}.")]
    return [event.name for event in _TYPES if event.family is family] + early


def sent_as(name: str) -> list[EventType]:
    """The events that are sent under this name, at least one. A main event stands for its sub-events alone.

    Raises KeyError for a name that does not exist.
    """
    if name not in NAMES:
        raise KeyError(name)
    mains = {event.main for event in _TYPES}
    return [event for event in _TYPES if event.name not in mains and name in {form.event for form in event.forms}]


@cache
def _ways(name: str) -> tuple[tuple[frozenset[str], Form], ...]:
    """The forms of an event, the preferred first, each with what asks for it; a wildcard asks for the preferred."""
    event = EVENTS[name]
    first, *others = event.forms
    preferred = frozenset((first.event, EVERYTHING, event.family.wildcard))
    return ((preferred, first), *((frozenset((form.event,)), form) for form in others))


def form_for(name: str, asked: Collection[str]) -> Form | None:
    """The one form in which an event reaches a subscription that asked for these names; None: it did not ask.

    Raises KeyError for a name that no event has. Called for each pair of event and subscription: quick.
    """
    for names, form in _ways(name):
        if not names.isdisjoint(asked):
            return form
    return None


def complaint(names: Iterable[str]) -> str | None:
    """A sentence about the first of these that cannot be asked for, with the nearest that can; None when all can."""
    unknown = next((name for name in names if name not in ASKABLE), None)
    if unknown is None:
        return None
    if "*" in unknown:
        near = get_close_matches(unknown, WILDCARDS[1:], n=1) or [CASE.wildcard]
        return f"{unknown} is no pattern for events: write a whole family, such as {near[0]}, or * for everything."
    near = get_close_matches(unknown, sorted(NAMES), n=1, cutoff=0.4)
    return f"There is no event named {unknown}.{f' Did you mean {near[0]}?' if near else ''}"

"""Which events exist, and under which names each is sent. Names and families follow Dotfile's API, v1.

`Check.Completed` is of Dotfile's first API (approved or rejected, not yet told apart); it may still be asked for.
`Webhook.WentOffline` is ours.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache


@dataclass(frozen=True, slots=True)
class Form:
    """How an event is presented to a subscription: its `event` and `sub_event`."""

    event: str
    sub_event: str = ""

    @property
    def asked_by(self) -> str:
        """The name a subscription must hold to be sent this form."""
        return self.event


@dataclass(frozen=True, slots=True)
class EventType:
    """One thing that can happen."""

    name: str
    entity: str
    """The body's key, and which builder makes it."""
    main: str = ""
    """The main event, for a sub-event."""
    early: str = ""
    """The name it had in Dotfile's first API."""

    @property
    def forms(self) -> tuple[Form, ...]:
        """First come, first served: the first form that a subscription asked for is the one it gets."""
        main = (Form(self.main, self.name),) if self.main else ()
        early = (Form(self.early),) if self.early else ()
        return (*main, Form(self.name), *early)


def _family(entity: str, prefix: str, *names: str) -> list[EventType]:
    return [EventType(f"{prefix}.{name}", entity) for name in names]


def _subs(entity: str, main: str, *names: str) -> list[EventType]:
    prefix = main.split(".", 1)[0]
    return [EventType(f"{prefix}.{name}", entity, main=main) for name in names]


_TYPES = [
    *_family("case", "Case", "Created", "Updated", "ReviewUpdated", "ReviewDue", "ReviewConfirmed"),
    *_family("case", "Case", "ClientPortalWaitStepTriggered", "Deleted"),
    *_subs("case", "Case.Updated", "StatusUpdated", "FlagsUpdated", "ContactHasActionsUpdated", "InfoUpdated"),
    *_subs("case", "Case.Updated", "ReviewerHasActionsUpdated", "TemplateUpdated", "RiskUpdated", "MetadataUpdated"),
    *_subs("case", "Case.Updated", "TagsUpdated", "AssigneeUpdated"),
    *_family("report", "CaseReport", "Generated"),
    *_family("note", "Note", "Created", "Updated", "Deleted"),
    *_family("noteComment", "NoteComment", "Created", "Updated", "Deleted"),
    *_family("individual", "Individual", "Created", "Updated", "Deleted"),
    *_subs("individual", "Individual.Updated", "InfoUpdated", "MarkedAsRelevant", "MarkedAsNotRelevant"),
    *_family("company", "Company", "Created", "Updated", "Deleted"),
    *_subs("company", "Company.Updated", "InfoUpdated", "MarkedAsRelevant", "MarkedAsNotRelevant"),
    *_family("check", "Check", "Started", "ReviewNeeded", "Expired", "Deleted"),
    EventType("Check.Approved", "check", early="Check.Completed"),
    EventType("Check.Rejected", "check", early="Check.Completed"),
    *_family("document_order", "DocumentOrder", "Completed", "Failed"),
    *_family("autonomy_chat_run", "AutonomyChatRun", "Completed", "Failed"),
    *_family("webhook", "Webhook", "WentOffline"),
]

EVENTS = {event.name: event for event in _TYPES}

NAMES = frozenset(form.asked_by for event in _TYPES for form in event.forms)
"""Every name a subscription may ask for."""


@cache
def forms(name: str) -> tuple[Form, ...]:
    """The forms of an event, the preferred first. Raises KeyError for a name that no event has."""
    return EVENTS[name].forms


def form_for(name: str, asked: Collection[str]) -> Form | None:
    """The one form in which an event reaches a subscription that asked for these names; None: it did not ask."""
    return next((form for form in forms(name) if form.asked_by in asked), None)


def complaint(names: Iterable[str]) -> str | None:
    """A sentence about the first name that does not exist, with the nearest that does; None when all exist."""
    for name in names:
        if name not in NAMES:
            near = get_close_matches(name, NAMES, n=1, cutoff=0.4)
            hint = f" Did you mean {near[0]}?" if near else ""
            return f"There is no event named {name}.{hint}"
    return None

"""What the catalogue is made of: families, their events, and the forms in which an event is presented. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Form:
    """How an event is presented to a subscription: its `event` and `sub_event`."""

    event: str
    sub_event: str = ""


@dataclass(frozen=True, slots=True)
class Family:
    """Events about one kind of thing; their names begin with the family's."""

    name: str
    entity: str
    """The body's key, and which builder makes it."""
    body: str
    """What stands under that key, for people."""
    remains: str = ""
    """The same of an event that tells of a deletion; "": the whole, as it was."""
    context: tuple[str, ...] = ()
    """What the context holds beside the workspace."""
    arises: bool = True
    """False: the names are Dotfile's and may be asked for, but nothing here causes such an event."""

    @property
    def wildcard(self) -> str:
        """What a subscription asks for that wants the whole family, also events that do not exist yet."""
        return f"{self.name}.*"


@dataclass(frozen=True, slots=True)
class EventType:
    """One thing that can happen."""

    name: str
    family: Family
    when: str
    """When it arises: a sentence."""
    main: str = ""
    """The main event, for a sub-event."""
    early: str = ""
    """The name it had in Dotfile's first API."""

    @property
    def entity(self) -> str:
        return self.family.entity

    @property
    def is_whole(self) -> bool:
        """Whether the body is the full entity; else it is what is left to say of one that was deleted."""
        return not (self.family.remains and self.name.endswith(".Deleted"))

    @property
    def forms(self) -> tuple[Form, ...]:
        """First come, first served: the first form that a subscription asked for is the one it gets."""
        main = (Form(self.main, self.name),) if self.main else ()
        early = (Form(self.early),) if self.early else ()
        return (*main, Form(self.name), *early)

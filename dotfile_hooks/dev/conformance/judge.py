"""Judges what two endpoints received: one asked for all main events, the other for what they can be asked for else.

Each body must fit the schema of its event; a sub-event asked for by its own name, and the early name of an event, must
say the same as the main event does. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from deliveries.events.catalogue import EVENTS
from dotfile_hooks.dev import recording
from dotfile_hooks.dev.recording import Post

from .contract import Contract

FAMILIES = ("Case", "Individual", "Company", "Check", "Note", "NoteComment", "Document")
MADE = [event for event in EVENTS.values() if event.name.partition(".")[0] in FAMILIES]
MAIN_NAMES = [event.name for event in MADE if not event.main]
OTHER_NAMES = sorted({name for event in MADE for name in (event.main and event.name, event.early) if name})
COUNTERS = {"timestamp", "retry_count", "remaining_retry_count"}
"""What the context says of the attempt, not of the event."""


@dataclass(frozen=True)
class Endpoint:
    """A subscription's secret, and what it received."""

    secret: str = field(repr=False)
    posts: Sequence[Post] = field(repr=False)


@dataclass
class Row:
    """What came of one event."""

    event: str
    sub_event: str = ""
    received: int = 0
    asked_by_name: int = 0
    """How often it came to the endpoint that asked for the sub-event, or the early name, itself."""
    is_described: bool = True
    """The document has a schema for it."""
    is_made: bool = True
    problems: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    """What the document leaves open, and no body can mend."""

    @property
    def name(self) -> str:
        return self.sub_event or self.event


def judge(contract: Contract, main: Endpoint, other: Endpoint, check_types: Iterable[str]) -> list[Row]:
    """A row for each event that is made here, and for each other one of the document."""
    rows = _empty_rows()
    _judge_main(contract, main, rows)
    _judge_other(main, other, rows)
    _judge_types(main, check_types, rows)
    for row in [row for row in rows.values() if row.sub_event and row.problems]:
        rows[row.event].problems[f"{row.sub_event} of it is wrong"] += 1
    for row in rows.values():
        todays = {each.name for each in MADE if row.event in (each.name, each.early)}
        row.is_described = not contract.names.isdisjoint({row.event} | todays)
        if not row.received + row.asked_by_name:
            row.problems["did not arrive"] += 1
    return [*rows.values(), *(Row(name, is_made=False) for name in sorted(contract.names - rows.keys()))]


def _empty_rows() -> dict[str, Row]:
    """By name; sub-events stand behind their main event, early names behind today's."""
    rows: dict[str, Row] = {}
    for name in MAIN_NAMES:
        rows[name] = Row(name)
        rows |= {each.name: Row(name, each.name) for each in MADE if each.main == name}
    return rows | {each.early: Row(each.early) for each in MADE if each.early}


def _judge_main(contract: Contract, endpoint: Endpoint, rows: dict[str, Row]) -> None:
    for post in endpoint.posts:
        event, sub_event = post.content.get("event", ""), post.content.get("sub_event", "")
        row = rows.setdefault(sub_event or event, Row(event, sub_event))
        row.received += 1
        row.problems.update(_forged(post, endpoint.secret))
        if event in contract.names:
            for problem in contract.problems(event, post.body):
                (row.notes if problem.is_documents else row.problems)[f"{_kind(post)}{problem}"] += 1
        if sub_event:
            rows.setdefault(event, Row(event)).received += 1
        elif any(each.main == event for each in MADE):
            row.problems["came without a sub_event"] += 1


def _kind(post: Post) -> str:
    """Checks of different types have bodies of different kinds."""
    check = post.content.get("check")
    return f"({check.get('type')}) " if isinstance(check, dict) else ""


def _forged(post: Post, secret: str) -> Iterator[str]:
    if not recording.standard_holds(post, secret):
        yield "its Standard Webhooks signature does not hold"
    if not recording.hmac_holds(post, secret):
        yield "its Dotfile-Signature does not hold"


def _judge_other(main: Endpoint, other: Endpoint, rows: dict[str, Row]) -> None:
    """The same events under their own names: the two must say the same, event by event."""
    by_id = {post.context.get("event_id"): post for post in main.posts}
    found = set()
    for post in other.posts:
        name, key = post.content.get("event", ""), post.context.get("event_id")
        row = rows.setdefault(name, Row(name))
        row.asked_by_name += 1
        row.problems.update(_forged(post, other.secret))
        row.problems.update(_unlike(post, by_id.get(key)))
        found.add(key)
    for key, post in by_id.items():
        name = _other_name(post)
        if name and key not in found:
            rows[name].problems["did not come to who asked for it by this name"] += 1


def _other_name(post: Post) -> str:
    """Under which name the other endpoint gets this event; empty: it did not ask for it."""
    event = EVENTS.get(post.content.get("sub_event") or post.content.get("event", ""))
    return "" if event is None else event.name if event.main else event.early


def _unlike(post: Post, main: Post | None) -> Iterator[str]:
    if main is None:
        yield "came with an event_id that no main event has"
    elif "sub_event" in post.content:
        yield "has a sub_event, though it was asked for by its name"
    elif post.content.get("event") != _other_name(main):
        yield f"is {main.name} to who asked for the main event"
    elif _said(post.content) != _said(main.content):
        yield "does not say the same as its main event"


def _said(content: Mapping[str, Any]) -> dict[str, Any]:
    """All but the name and the attempt's counters."""
    context = {key: value for key, value in content.get("context", {}).items() if key not in COUNTERS}
    return {key: value for key, value in content.items() if key not in ("event", "sub_event")} | {"context": context}


def _judge_types(main: Endpoint, check_types: Iterable[str], rows: dict[str, Row]) -> None:
    came = {(post.content.get("event"), post.content.get("check", {}).get("type")) for post in main.posts}
    for name in (name for name in MAIN_NAMES if name.startswith("Check.")):
        if missing := [kind for kind in check_types if (name, kind) not in came]:
            rows[name].problems[f"did not arrive for checks of type {', '.join(missing)}"] += 1

"""docs/events.md: every event, when it arises, and what is true of all of them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from deliveries.events.catalogue import FAMILIES
from deliveries.events.families import Family

Json = dict[str, Any]

HEAD = """\
# Events

What may be asked for in a webhook's `events`, and what then arrives. `manage.py catalogue` writes this page and the
[JSON Schemas](schemas/events.json) of all bodies from the catalogue itself; the [OpenAPI description](openapi.json) of
the API has them, too. How to check and handle what arrives: [receivers.md](receivers.md).

An event arises from a change that was committed, however it was made: in the admin, through the API, in a shell, in
bulk, or by the clock. A save that changes nothing is no event. One save that changes three things is three events.

## What to ask for

- **A name** from the tables below. One that does not exist is refused, with the nearest that does.
- **A family**, such as `Case.*`, or **everything**, `*`. Either is stored as it is written and covers events that
  are added later. Other patterns (`*.Deleted`, `Case.Review*`) are refused.
- **A main event**, such as `Case.Updated`, stands for its sub-events. What arrives has `event` `Case.Updated` and
  says in `sub_event` what changed. A family or `*` asks for main events. Who asks for the sub-event itself gets it
  in `event`, without a `sub_event`.
- **An event reaches a webhook once**, whatever it asked for: under the main event if that was asked for, else under
  its own name, else under an early one.
- What was asked for is matched when an event is built, milliseconds after the change. A webhook is never sent an
  event that is older than itself, nor one about itself.
- Dotfile's webhooks have no families and no `*`: they are ours. `?events=` of `GET /v1/webhooks` compares with what
  is stored.

## What arrives

`event`, perhaps `sub_event`, `context`, and the entity under its own key. The context always has `timestamp`,
`event_id`, `retry_count`, `remaining_retry_count`, `workspace` and `sequence`; what it has beside them is told with
each family.

- **The entity's own columns** are as the change left them, even if it was changed again since. **What belongs to
  it** (a case's people, companies, tags and review, a person's checks) and the context are read when the payload is
  built.
- **Two changes within a millisecond** are two events, numbered by `context.sequence` in the order in which they
  were committed. Each tells the entity as that change left it, but both may show the same related rows: the first
  can already tell of a person whom only the second change added.
- **Duplicates** have the same `event_id`. Delivery is at least once, so keep the ids you have handled.
- **Deletions do not cascade.** A case that is deleted is one `Case.Deleted`; nothing is told of its people,
  companies, checks, notes and documents.
- All this is of payloads in full; a webhook may choose to be told less ([receivers.md](receivers.md)).
- New fields and new events may be added at any time; ignore what you do not know.
"""
NEVER = """\
## Names that never arise here

Dotfile has them, so a webhook may ask for them, but nothing here causes them:
"""


def markdown(listing: Iterable[Json]) -> str:
    by_family = {name: list(entries) for name, entries in groupby(listing, key=lambda entry: entry["family"])}
    arising = [_section(family, by_family[family.name]) for family in FAMILIES if family.arises]
    never = [entry["name"] for family in FAMILIES if not family.arises for entry in by_family[family.name]]
    return "\n".join([HEAD, *arising, NEVER, _wrapped(", ".join(f"`{name}`" for name in never) + ".")]) + "\n"


def _section(family: Family, entries: Sequence[Json]) -> str:
    rows = [f"| {_label(entry)} | {entry['when']} |" for entry in entries]
    return "\n".join([f"## {family.name}", "", _about(family), "", "| event | arises when |", "|---|---|", *rows, ""])


def _about(family: Family) -> str:
    context = " and ".join(", ".join(f"`{key}`" for key in family.context).rsplit(", ", 1))
    body = f"The body has `{family.entity}`: {family.body}."
    beside = f" The context also has {context}." if context else ""
    deleted = f" Of one that was deleted there is {family.remains}." if family.remains else ""
    return _wrapped(f"{body}{deleted}{beside}")


def _label(entry: Json) -> str:
    """Sub-events are indented below their main event."""
    return f"{'↳ ' if entry['main_event'] else ''}`{entry['name']}`"


def _wrapped(text: str) -> str:
    return textwrap.fill(text, 120, break_long_words=False, break_on_hyphens=False)

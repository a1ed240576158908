"""The body of a request: counters of the attempt joined with the stored parts of the event. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import orjson

FULL, THIN = "full", "thin"


class Shape(NamedTuple):
    """How much of an event a subscription is told. What it means, the domain's side knows; equal ones share a body."""

    payload: str = FULL
    without: tuple[str, ...] = ()
    """Paths of the fields that are left out, sorted, each once."""

    @classmethod
    def of(cls, payload: str, without: Iterable[str | None]) -> Shape:
        """Gaps are passed over: a list that was not written through a form may have some."""
        return cls(payload, tuple(sorted({path for path in without if path})))


@dataclass(frozen=True, slots=True)
class Parts:
    """What an event says, as JSON members without the braces around them."""

    context: str = field(repr=False)
    """`"workspace":{...},"case":{...}`: what no attempt changes."""
    entity: str = field(repr=False)
    """`"case":{...}`: the body's own key and the entity."""

    @property
    def size(self) -> int:
        """Characters: about as many bytes."""
        return len(self.context) + len(self.entity)


@dataclass(frozen=True, slots=True)
class Counters:
    """What differs between two attempts."""

    timestamp: int
    """Seconds since the epoch, of this attempt."""
    retry_count: int
    remaining_retry_count: int


def members(values: dict[str, object]) -> str:
    """The object's JSON without its braces."""
    try:
        return orjson.dumps(values)[1:-1].decode()
    except TypeError:  # a whole number beyond 64 bits
        return json.dumps(values, ensure_ascii=False, separators=(",", ":"))[1:-1]


def body(event: str, sub_event: str, event_id: str, counters: Counters, parts: Parts) -> bytes:
    """The very bytes that are signed and sent. Names and ids hold nothing that JSON would escape."""
    sub = f'"sub_event":"{sub_event}",' if sub_event else ""
    return (
        f'{{"event":"{event}",{sub}"context":{{"timestamp":{counters.timestamp},"event_id":"{event_id}",'
        f'"retry_count":{counters.retry_count},"remaining_retry_count":{counters.remaining_retry_count},'
        f"{parts.context}}},{parts.entity}}}"
    ).encode()

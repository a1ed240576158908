"""What the checker is given: who subscribed, what was received, what the engine's own rows say. Plain values."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from dotfile_hooks.dev import recording
from dotfile_hooks.dev.recording import Post

from .history import Fact

RESET = 1
"""`Post.answered` of a POST whose connection the receiver reset; the client may send it again by itself."""
SILENCE = 0
"""`Post.answered` of a POST that got no answer."""

_COUNTERS = re.compile(rb'"(timestamp|retry_count|remaining_retry_count)":[0-9]+')

Span = tuple[float, float]


@dataclass(frozen=True)
class Subscriber:
    """A subscription: what it must get, and what it must not. Times in unix seconds."""

    id: str
    workspace: str
    path: str
    events: frozenset[str]
    secret: str = field(repr=False)
    created: Span = (0.0, 0.0)
    """Between the two it came to be."""
    ordered: bool = False
    cap: int = 32
    """Requests in flight at most."""
    retries: int = 18
    """Automatic retries before it is given up."""
    offline: tuple[Span, ...] = ()

    def wants(self, event: str) -> bool:
        """By its own name or by that of the family: Case.InfoUpdated is a Case.Updated too."""
        family = f"{event.partition('.')[0]}.Updated"
        return event in self.events or (event.endswith("Updated") and family in self.events)


@dataclass(frozen=True, slots=True)
class Receipt:
    """A POST that arrived, and what its body says."""

    path: str
    at: float
    answered: int
    event_id: str
    """Of the body."""
    header_id: str
    event: str
    mark: str
    workspace: str
    case: str
    sequence: int
    retry_count: int
    signature: str
    signed: bool
    """Both signatures hold."""
    stale: float
    """Seconds between the times that it says it was signed at, the further one, and its arrival."""
    bytes: int
    """A hash of the body but for what may differ between attempts."""
    entity: int
    """A hash of what it says of the entity: the same for all who are told."""

    @property
    def key(self) -> tuple[str, str]:
        return self.event, self.mark

    @property
    def ok(self) -> bool:
        return 200 <= self.answered < 300


def receipt(post: Post, secret: str) -> Receipt:
    """What a POST says, judged with its subscription's secret."""
    content, context = post.content, post.context
    entity = next((content[key] for key in content if key not in {"event", "sub_event", "context"}), None) or {}
    case = entity.get("id") if "case" in content else (context.get("case") or {}).get("id")
    signed = recording.standard_holds(post, secret) and recording.hmac_holds(post, secret)
    return Receipt(
        path=post.path,
        at=post.received_at,
        answered=post.answered,
        event_id=str(context.get("event_id")),
        header_id=post.headers.get("webhook-id", ""),
        event=post.names[-1] if post.names else "",
        mark=str(entity.get("name") or entity.get("last_name")),
        workspace=str((context.get("workspace") or {}).get("id")),
        case=str(case),
        sequence=context.get("sequence") or 0,
        retry_count=context.get("retry_count", -1),
        signature=post.headers.get("webhook-signature", ""),
        signed=signed,
        stale=max(abs(post.received_at - said) for said in _times(post)),
        entity=hash(json.dumps(entity, sort_keys=True)),
        bytes=hash(_COUNTERS.sub(b"", post.body, count=3)),
    )


def _times(post: Post) -> Iterator[float]:
    """When it was signed, as the header and the body say; never, if they do not."""
    for said in (post.headers.get("webhook-timestamp"), post.context.get("timestamp")):
        try:
            yield float(said or 0)
        except ValueError:
            yield 0.0


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    id: str
    subscription: str
    event_id: str
    state: str
    """pending, succeeded, failed, held or blocked."""
    attempts: int
    key: tuple[str, str] | None = None
    """Event and mark, of those that failed or are held."""


@dataclass(frozen=True, slots=True)
class AttemptRow:
    delivery: str
    late: bool
    signature: str
    number: int = 1
    answered: bool = True
    """It has a status: the receiver must have got it."""


@dataclass(frozen=True)
class Evidence:
    """Everything about one run."""

    facts: Sequence[Fact]
    subscribers: Sequence[Subscriber]
    receipts: Sequence[Receipt]
    deliveries: Sequence[DeliveryRow]
    attempts: Sequence[AttemptRow]
    strangers: int = 0
    """POSTs to a path of no subscription."""
    unbuilt: int = 0
    """Events that were not built, or given up."""
    takeovers: Mapping[str, int] = field(default_factory=dict)
    """How often another courier took over the lane of a subscription."""
    outages: Sequence[Span] = ()
    """When the database was down, or refused to write."""


def receipts(posts: Iterable[Post], subscribers: Sequence[Subscriber]) -> tuple[list[Receipt], int]:
    """The receipts in order of arrival, and how many POSTs went to nobody's path."""
    secrets = {one.path: one.secret for one in subscribers}
    found: list[Receipt] = []
    strangers = 0
    for post in posts:
        if post.path in secrets:
            found.append(receipt(post, secrets[post.path]))
        else:
            strangers += 1
    return sorted(found, key=lambda each: each.at), strangers

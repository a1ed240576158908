"""Judges what the receiver got: complete, once, in time, verified, and nothing else. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import recording
from .recording import Post
from .story import Expected, Webhook

FIRST_WITHIN = 1.0  # seconds from the moment the change was recorded
RETRY_WITHIN = 2.0  # seconds after the retry was due
CLOCK_GRAIN = 0.05  # seconds: times are cut to milliseconds, and taken by different processes

Key = tuple[str, str]  # of a delivery: the receiver's path, the event's id


@dataclass(frozen=True)
class Log:
    """What GET /v1/webhook-logs tells of a delivery; times in unix seconds, one worker for each attempt."""

    recorded_at: float
    workers: Sequence[str]


@dataclass(frozen=True)
class Evidence:
    """What is judged. `due` says when the try after so many retries was announced for."""

    posts: Sequence[Post]
    webhooks: Mapping[str, Webhook]
    logs: Mapping[Key, Log]
    due: Mapping[tuple[Key, int], float]


@dataclass
class Row:
    """One POST, judged. `lateness` is in seconds: since the change for a first try, since it was due for a retry."""

    post: Post
    attempt: int
    lateness: float | None = None
    worker: str = "?"
    library: bool = False
    plain: bool = False
    problems: list[str] = field(default_factory=list)

    @property
    def label(self) -> str:
        return f"{self.post.path} {self.post.name}, attempt {self.attempt}"


def key_of(post: Post) -> Key:
    return post.path, str(post.context.get("event_id"))


def judge(expected: Sequence[Expected], evidence: Evidence) -> tuple[list[Row], list[str]]:
    """A row for each POST in order of receipt, and every reason why the demo has failed."""
    posts = sorted(evidence.posts, key=lambda post: post.received_at)
    rows = [_row(post, evidence) for post in posts]
    problems = [f"{row.label}: {problem}" for row in rows for problem in row.problems]
    return rows, problems + _deliveries(expected, posts, evidence)


def _row(post: Post, evidence: Evidence) -> Row:
    key, retries = key_of(post), post.context.get("retry_count")
    count = retries if isinstance(retries, int) else 0
    row = Row(post, count + 1)
    if webhook := evidence.webhooks.get(post.path):
        row.library = recording.library_accepts(post, webhook.secret)
        row.plain = recording.hmac_holds(post, webhook.secret)
    if log := evidence.logs.get(key):
        row.worker = log.workers[count] if count < len(log.workers) else "?"
        start = evidence.due.get((key, count)) if count else log.recorded_at
        row.lateness = None if start is None else post.received_at - start
    row.problems = list(_row_problems(row))
    return row


def _row_problems(row: Row) -> Iterable[str]:
    if not row.library:
        yield "the standardwebhooks library does not verify it"
    if not row.plain:
        yield "Dotfile-Signature is not the HMAC of the body"
    limit = FIRST_WITHIN if row.attempt == 1 else RETRY_WITHIN
    if row.lateness is None:
        yield "the webhook logs do not tell when it was due"
    elif not -CLOCK_GRAIN <= row.lateness <= limit:
        yield f"it came {row.lateness:.2f} s after it was due, not within {limit:.0f} s"
    if row.worker == "?":
        yield "the webhook logs do not name the worker that sent it"


def _deliveries(expected: Sequence[Expected], posts: Sequence[Post], evidence: Evidence) -> list[str]:
    groups: dict[Key, list[Post]] = defaultdict(list)
    for post in posts:
        groups[key_of(post)].append(post)
    unclaimed = dict(groups)
    problems = []
    for each in expected:
        key = next((key for key, group in unclaimed.items() if _matches(each, group[0])), None)
        if key is None:
            problems.append(f"{each.label} did not come.")
        else:
            problems += _attempts(each, unclaimed.pop(key), key, evidence)
    return problems + [f"{group[0].path} {group[0].name} came and was not expected." for group in unclaimed.values()]


def _matches(expected: Expected, post: Post) -> bool:
    content: Mapping[str, Any] = post.content
    return (post.path, content.get("event"), content.get("sub_event")) == (
        expected.path,
        expected.event,
        expected.sub_event,
    )


def _attempts(expected: Expected, group: Sequence[Post], key: Key, evidence: Evidence) -> list[str]:
    wanted = [(retry, 503) for retry in range(len(expected.retry_after))] + [(len(expected.retry_after), 200)]
    came = [(post.context.get("retry_count"), post.answered) for post in group]
    if came != wanted:
        return [f"{expected.label}: expected (retry_count, answer) {wanted}, got {came}."]
    problems = []
    for retry, refused in enumerate(group[:-1]):
        pause = expected.earliest(retry)
        due = evidence.due.get((key, retry + 1))
        if due is not None and due < refused.received_at + pause - CLOCK_GRAIN:
            problems.append(f"{expected.label}: retry {retry + 1} was due before {pause:.0f} s had passed.")
    return problems

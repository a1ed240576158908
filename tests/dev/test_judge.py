"""The demo's judge: it must find each thing that can be wrong, or its green line means nothing."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest

from dotfile_hooks.dev.judge import Evidence, Log, judge
from dotfile_hooks.dev.recording import Post
from dotfile_hooks.dev.story import Expected, Webhook

KEY = b"0123456789abcdef0123456789abcdef"
SECRET = "whsec_" + base64.b64encode(KEY).decode()
WEBHOOKS = {"/main": Webhook("hook", "/main", SECRET)}
CREATED = Expected("/main", "Case.Created")
REFUSED = Expected("/main", "Check.ReviewNeeded", retry_after=(7.0,))
FIRST, SECOND = (str(UUID(int=number)) for number in (1, 2))
START = time.time()


def post(event: str, event_id: str, at: float, retry: int = 0, answered: int = 200) -> Post:
    """A POST signed as ours are, `at` seconds after the start."""
    body = json.dumps({"event": event, "context": {"event_id": event_id, "retry_count": retry}}).encode()
    timestamp = str(int(time.time()))  # not START: the library takes none that is five minutes old
    signature = hmac.digest(KEY, f"{event_id}.{timestamp}.".encode() + body, hashlib.sha256)
    headers = {
        "webhook-id": event_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": "v1," + base64.b64encode(signature).decode(),
        "dotfile-signature": hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest(),
    }
    return Post("/main", START + at, answered, headers, body)


def good() -> Evidence:
    """One first try that was accepted, and one event that came again after a refusal."""
    return Evidence(
        posts=[
            post("Case.Created", FIRST, 0.02),
            post("Check.ReviewNeeded", SECOND, 1.02, answered=503),
            post("Check.ReviewNeeded", SECOND, 8.3, retry=1),
        ],
        webhooks=WEBHOOKS,
        logs={
            ("/main", FIRST): Log(START, ["worker1@here"]),
            ("/main", SECOND): Log(START + 1, ["worker1@here", "worker2@here"]),
        },
        due={(("/main", SECOND), 1): START + 8.1},
    )


def with_post(evidence: Evidence, number: int, **changes: object) -> Evidence:
    posts = list(evidence.posts)
    posts[number] = replace(posts[number], **changes)  # type: ignore[arg-type]  # the names are checked at run time
    return replace(evidence, posts=posts)


def test_what_came_as_it_must_is_found_good() -> None:
    rows, problems = judge([CREATED, REFUSED], good())
    assert problems == []
    assert [(row.attempt, row.worker, row.library, row.plain) for row in rows] == [
        (1, "worker1@here", True, True),
        (1, "worker1@here", True, True),
        (2, "worker2@here", True, True),
    ]
    assert [round(row.lateness or 0, 2) for row in rows] == [0.02, 0.02, 0.2]


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        pytest.param(lambda e: replace(e, posts=e.posts[1:]), "Case.Created did not come", id="lost"),
        pytest.param(lambda e: replace(e, posts=[*e.posts, e.posts[0]]), "expected (retry_count, answer)", id="twice"),
        pytest.param(lambda e: replace(e, posts=e.posts[:2]), "expected (retry_count, answer)", id="no retry"),
        pytest.param(
            lambda e: replace(e, posts=[*e.posts, post("Case.Deleted", str(UUID(int=3)), 1)]),
            "Case.Deleted came and was not expected",
            id="unexpected",
        ),
        pytest.param(lambda e: with_post(e, 0, received_at=START + 1.2), "came 1.20 s after it was due", id="late"),
        pytest.param(
            lambda e: with_post(e, 2, received_at=START + 10.5), "came 2.40 s after it was due", id="late retry"
        ),
        pytest.param(lambda e: with_post(e, 2, received_at=START + 7.5), "came -0.60 s after it was due", id="early"),
        pytest.param(
            lambda e: replace(e, due={(("/main", SECOND), 1): START + 6.5}),
            "was due before 7 s had passed",
            id="Retry-After ignored",
        ),
        pytest.param(lambda e: replace(e, due={}), "do not tell when it was due", id="no due time"),
        pytest.param(lambda e: with_post(e, 0, body=e.posts[0].body + b" "), "library does not verify", id="altered"),
        pytest.param(lambda e: with_post(e, 0, body=e.posts[0].body + b" "), "is not the HMAC", id="altered, HMAC"),
        pytest.param(lambda e: with_post(e, 0, headers={}), "library does not verify", id="unsigned"),
        pytest.param(
            lambda e: replace(e, logs={**e.logs, ("/main", FIRST): Log(START, [])}),
            "do not name the worker",
            id="no worker",
        ),
    ],
)
def test_what_is_wrong_is_found(spoil: Callable[[Evidence], Evidence], problem: str) -> None:
    _, problems = judge([CREATED, REFUSED], spoil(good()))
    assert any(problem in each for each in problems), problems

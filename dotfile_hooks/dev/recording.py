"""What a receiver got: one line of JSON for each POST, and whether its two signatures hold."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

TOLERANCE = 300  # seconds a timestamp may be off when it arrives: the figure of Standard Webhooks


@dataclass(frozen=True)
class Post:
    """A POST as it arrived: header names in lower case, body as the very bytes, times in unix seconds."""

    path: str
    received_at: float
    answered: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def to_line(self) -> str:
        return json.dumps({**asdict(self), "body": base64.b64encode(self.body).decode()}) + "\n"

    @classmethod
    def from_line(cls, line: str) -> Post:
        values = json.loads(line)
        return cls(**{**values, "body": base64.b64decode(values["body"])})

    @cached_property
    def content(self) -> dict[str, Any]:
        """The body as an object; empty when it is none."""
        try:
            content = json.loads(self.body)
        except ValueError:
            return {}
        return content if isinstance(content, dict) else {}

    @property
    def context(self) -> dict[str, Any]:
        context = self.content.get("context")
        return context if isinstance(context, dict) else {}

    @property
    def name(self) -> str:
        """The event, and the sub-event where the body has one."""
        return " / ".join(self.names)

    @property
    def names(self) -> list[str]:
        return [str(self.content[key]) for key in ("event", "sub_event") if self.content.get(key)]


def library_accepts(post: Post, secret: str) -> bool:
    """Whether the `standardwebhooks` library verifies the POST, timestamp included; ask within five minutes."""
    try:
        Webhook(secret).verify(post.body, dict(post.headers), json_parse=False)
    except (WebhookVerificationError, ValueError):
        return False
    return True


def standard_holds(post: Post, secret: str) -> bool:
    """As `library_accepts`, but judged by the time of receipt: for a POST that is looked at later."""
    try:
        timestamp = int(post.headers["webhook-timestamp"])
        moment = datetime.fromtimestamp(timestamp, UTC)
        expected = Webhook(secret).sign(post.headers["webhook-id"], moment, post.body.decode())
    except (KeyError, ValueError, OverflowError):
        return False
    fresh = abs(post.received_at - timestamp) <= TOLERANCE
    given = post.headers.get("webhook-signature", "").split(" ")
    return fresh and any(hmac.compare_digest(expected.encode(), each.encode()) for each in given)


def hmac_holds(post: Post, secret: str) -> bool:
    """Whether Dotfile-Signature is the hexadecimal HMAC-SHA256 of the body, keyed with the secret's text."""
    expected = hmac.new(secret.encode(), post.body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), post.headers.get("dotfile-signature", "").encode())

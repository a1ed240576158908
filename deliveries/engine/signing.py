"""Signs request bodies: Standard Webhooks (v1) and the plain Dotfile-Signature, both HMAC-SHA256."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
import secrets as randomness
from collections.abc import Mapping, Sequence
from functools import lru_cache

PREFIX = "whsec_"
SECRET_BYTES = 32
"""Standard Webhooks asks for 24 to 64 random bytes."""

TOLERANCE = 5 * 60
"""Seconds a timestamp may lie in the past or the future: the figure of the official libraries."""

_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_CACHED_KEYS = 4096  # decoded keys kept: one or two per subscription that one process serves


def generate_secret() -> str:
    """A new secret in the form of Standard Webhooks: `whsec_` and 32 random bytes in base64."""
    return PREFIX + base64.b64encode(randomness.token_bytes(SECRET_BYTES)).decode("ascii")


def secrets_at(now: float, secret: str, previous: tuple[str, float] | None) -> list[str]:
    """The secrets that sign at a time, newest first: `previous` too, until its own time. Seconds since the epoch."""
    return [secret, previous[0]] if previous and previous[1] > now else [secret]


def sign(event_id: str, timestamp: int, body: bytes, secrets: Sequence[str]) -> dict[str, str]:
    """The headers that prove who sent `body`; `secrets` newest first, the older ones in their grace time.

    `timestamp` is that of this attempt, in unix seconds. `event_id` stays the same on every retry.
    Raises ValueError for an empty secret, or none.
    Source: Standard Webhooks 1.0.0 (`webhook-*`), Dotfile's documentation (`Dotfile-Signature`).
    """
    if not secrets:
        raise ValueError("A webhook needs a secret to be signed with.")
    content = _content(event_id, str(timestamp), body)
    headers = {
        "webhook-id": event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join([_standard(_key(secret), content) for secret in secrets]),
        "Dotfile-Signature": _dotfile(secrets[0], body),
    }
    if len(secrets) > 1:
        headers["Dotfile-Signature-Previous"] = _dotfile(secrets[1], body)
    return headers


def verify_standard(headers: Mapping[str, str], body: bytes, secret: str, now: float) -> bool:
    """Whether a `v1` signature is by `secret` and the timestamp within five minutes of `now` (unix seconds)."""
    given = {name.lower(): value for name, value in headers.items()}
    timestamp = given.get("webhook-timestamp", "")
    if not _TIMESTAMP.fullmatch(timestamp) or abs(int(timestamp) - now) > TOLERANCE:
        return False
    expected = _standard(_key(secret), _content(given.get("webhook-id", ""), timestamp, body)).encode()
    signatures = given.get("webhook-signature", "").split(" ")
    return any(hmac.compare_digest(expected, signature.encode()) for signature in signatures)


def verify_dotfile(header: str, body: bytes, secret: str) -> bool:
    """Whether `header` is the Dotfile-Signature of `body` by `secret`."""
    return hmac.compare_digest(_dotfile(secret, body).encode(), header.encode())


def _content(event_id: str, timestamp: str, body: bytes) -> bytes:
    return f"{event_id}.{timestamp}.".encode() + body


def _standard(key: bytes, content: bytes) -> str:
    return "v1," + binascii.b2a_base64(hmac.digest(key, content, "sha256"), newline=False).decode("ascii")


def _dotfile(secret: str, body: bytes) -> str:
    return hmac.digest(secret.encode(), body, "sha256").hex()


@lru_cache(maxsize=_CACHED_KEYS)
def _key(secret: str) -> bytes:
    """The key of the `v1` signature: what the text after `whsec_` decodes to, padded or not.

    A secret that is not base64 (a customer's own phrase) signs with its UTF-8 bytes as they stand.
    """
    encoded = secret.removeprefix(PREFIX)
    if not encoded:
        raise ValueError("A webhook's secret must not be empty.")
    try:
        return base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except ValueError:
        return secret.encode()

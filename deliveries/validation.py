"""What a subscription may hold: its URL, events, headers, secret, ... Forms and serializers ask here.

Each function answers with the value as it is to be stored, and raises Django's ValidationError with a sentence that
says what to do.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import requests
from django.core.exceptions import ValidationError

from .engine import signing
from .engine.egress import Policy, Refused
from .engine.endpoints import HIDDEN
from .events import catalogue, shapes

SHORTEST_SECRET = 16
"""Characters: 128 bits if each is a random byte. Less can be guessed from one signed request."""
LONGEST_SECRET = 256
"""Characters. HMAC-SHA256 gains nothing beyond 64 bytes."""
SECRET_KEY_BYTES = range(24, 65)
"""Random bytes behind `whsec_`, as Standard Webhooks has it."""

LARGEST_HEADERS = 8 * 1024
"""Bytes of all custom headers together, as sent. Many servers refuse a request whose headers are larger."""

MOST_LEFT_OUT = 50
"""Paths of fields. Each costs time in every event that is built."""
LONGEST_PATH = 200
"""Characters."""

INNER_ADDRESS = (
    "This name leads to an address that is not public, so it will not be called. Use a name that leads to a public one."
)

_ORIGIN = re.compile(r"[^:]+://(?:\[[^\]]*\]|[^:/?]*)")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# What frames the message or the connection, what we set ourselves, and what other senders sign with.
_OURS = frozenset(
    ("user-agent", "host", "connection", "te", "trailer", "trailers", "transfer-encoding", "upgrade", "expect")
    + ("cookie", "keep-alive")
)  # fmt: skip
_OUR_PREFIXES = ("content-", "proxy-", "webhook-", "dotfile-", "x-amz-", "svix-")


def url(value: str, policy: Policy) -> str:
    """A URL that may be called, as far as its text tells: its name is resolved at each request.

    Scheme and host are stored as they are dialled: in lower case, and in ASCII (bücher.example: xn--bcher-kva.example).
    """
    try:
        target = policy.check_url(value)
        host = f"[{target.host}]" if ":" in target.host else target.host
        value = _ORIGIN.sub(lambda _: f"{target.scheme}://{host}", value, count=1)
        policy.check_url(value)  # in ASCII it may be too long
        requests.Request("POST", value).prepare()
    except Refused as refused:
        raise ValidationError(str(refused), code=refused.code) from None
    except (requests.exceptions.RequestException, ValueError):
        raise ValidationError("This URL cannot be called; check it for typing errors.", code="malformed") from None
    return value


def public(value: str, policy: Policy, resolve: Callable[[str], Sequence[str]]) -> None:
    """Refuses a URL whose name leads, at this moment, to an address that may not be called.

    A courtesy: what counts is the address that is dialled. A name that `resolve` knows no address for may come yet.
    """
    target = policy.check_url(value)
    found = () if target.address else resolve(target.host)
    if any(policy.refusal(address, target.port) for address in found):
        raise ValidationError(INNER_ADDRESS, code="address")


def events(names: Sequence[str]) -> list[str]:
    """Names, families or everything, as the catalogue knows them, each once, in the order given; at least one."""
    chosen = list(dict.fromkeys(names))
    if not chosen:
        raise ValidationError("Choose at least one event.", code="empty")
    if complaint := catalogue.complaint(chosen):
        raise ValidationError(complaint, code="unknown_event")
    return chosen


def without(paths: Sequence[str]) -> list[str]:
    """Paths of fields to leave out, each once, in the order given."""
    chosen = list(dict.fromkeys(paths))
    if len(chosen) > MOST_LEFT_OUT:
        raise ValidationError(f"Leave out at most {MOST_LEFT_OUT} fields; a thin payload holds few.", code="too_many")
    if any(len(path) > LONGEST_PATH for path in chosen):
        raise ValidationError(f"Write each path in at most {LONGEST_PATH} characters.", code="too_long")
    if complaint := shapes.complaint(chosen):
        raise ValidationError(complaint, code="unknown_field")
    return chosen


def secret(value: str) -> str:
    """Printable text of 16 to 256 characters; after `whsec_`, base64 of 24 to 64 bytes (Standard Webhooks)."""
    if not SHORTEST_SECRET <= len(value) <= LONGEST_SECRET:
        raise ValidationError(f"Use a secret of {SHORTEST_SECRET} to {LONGEST_SECRET} characters.", code="length")
    if not value.isprintable() or value != value.strip():
        raise ValidationError("Use printable characters only, and no blanks at the ends.", code="not_printable")
    if value.startswith(signing.PREFIX) and _decoded_length(value) not in SECRET_KEY_BYTES:
        raise ValidationError("After whsec_, write 24 to 64 random bytes in base64.", code="not_base64")
    return value


def _decoded_length(value: str) -> int:
    encoded = value.removeprefix(signing.PREFIX)
    try:
        return len(base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True))
    except ValueError:
        return 0


def headers(values: Mapping[str, Any], stored: Mapping[str, str] | None = None) -> dict[str, str]:
    """Custom headers. A value of "(hidden)", as they are shown, stands for the one that is `stored`."""
    known = {name.lower(): value for name, value in (stored or {}).items()}
    result: dict[str, str] = {}
    others: set[str] = set()
    for name, value in values.items():
        _check_name(name, others)
        others.add(name.lower())
        result[name] = known[name.lower()] if _is_kept(name, value, known) else _header_value(name, value)
    if sum(len(name) + len(value) + len(": \r\n") for name, value in result.items()) > LARGEST_HEADERS:
        raise ValidationError("The custom headers are larger than 8 KiB; shorten them.", code="too_large")
    return result


def _is_kept(name: str, value: Any, known: Mapping[str, str]) -> bool:
    if value != HIDDEN:
        return False
    if name.lower() not in known:
        raise ValidationError(f"Write the value of {name}: none is stored for it.", code="invalid")
    return True


def _check_name(name: str, others: Collection[str]) -> None:
    """`others` in lower case."""
    if not _TOKEN.fullmatch(name):
        raise ValidationError(
            f"{name!r} is no name for a header; use letters, digits and hyphens, such as X-Api-Key.", code="invalid"
        )
    if name.lower() in _OURS or name.lower().startswith(_OUR_PREFIXES):
        raise ValidationError(f"{name} is set by us or by the connection; choose another name.", code="forbidden")
    if name.lower() in others:
        raise ValidationError(f"{name} is there twice; write it once.", code="twice")


def _header_value(name: str, value: Any) -> str:
    """The value without blanks at its ends. It may be a password: no message repeats it."""
    if not isinstance(value, str) or _CONTROL.search(value):
        raise ValidationError(f"Write the value of {name} as text on one line.", code="invalid")
    try:
        value.encode("latin-1")
    except UnicodeEncodeError:
        raise ValidationError(f"Use only characters of Latin-1 in the value of {name}.", code="invalid") from None
    return value.strip()

"""What a courier must know of a subscription to send to it: prepared once, copied for each request."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import cast
from urllib.parse import urlsplit
from uuid import UUID

import requests
from cryptography.fernet import InvalidToken
from django.conf import settings
from django.db import connection
from requests.structures import CaseInsensitiveDict

from deliveries.models import Subscription

from . import signing
from .session import Reading
from .transport import Limits

logger = logging.getLogger(__name__)

ENCRYPTED = ("secret", "previous_secret", "headers")
VERSIONS = """
SELECT id, updated_at, extract(epoch FROM clock_timestamp())::float8 FROM deliveries_subscription
WHERE id = ANY(%s::uuid[])
"""
# The share of a lease that one request may last at most, so that it is settled while the lane is still ours.
LONGEST = 0.75
# Endpoints that a process remembers, some 5 kB each; they are read and decrypted again when this is reached.
KNOWN = 5_000
_known: dict[UUID, Endpoint] = {}
HIDDEN = "(hidden)"
"""What the history shows for a custom header: it may be a password."""


@dataclass(frozen=True)
class Endpoint:
    """A subscription as it was at `version`."""

    id: UUID
    version: datetime
    online: bool
    url: str
    secret: str = field(repr=False)
    previous: tuple[str, float] | None = field(repr=False)
    """The secret before the last rotation, and until when (seconds since the epoch) it signs too."""
    headers: dict[str, str] = field(repr=False)
    limits: Limits
    max_retries: int
    host: str
    max_in_flight: int
    """Requests at a time."""
    rate: float | None
    """Requests a second at most, evenly spaced; None: as many as there are."""
    promoted: bool
    """Stays online whatever it answers."""
    template: requests.PreparedRequest | None = field(repr=False)
    """None: the URL or a header cannot be sent at all."""

    def request(self, event_id: str, timestamp: int, body: bytes) -> requests.PreparedRequest:
        """The signed request of one attempt. The endpoint must have a template."""
        if self.template is None:
            raise ValueError("This endpoint has no valid URL.")
        request = requests.PreparedRequest()
        vars(request).update(vars(self.template))
        request.body = body
        # A plain dict: its names are ours, and a CaseInsensitiveDict costs more CPU than the signatures.
        own = {"Content-Length": str(len(body)), **signing.sign(event_id, timestamp, body, self.secrets(timestamp))}
        request.headers = cast("CaseInsensitiveDict[str]", {**self.template.headers, **own})
        return request

    def secrets(self, now: float) -> list[str]:
        return signing.secrets_at(now, self.secret, self.previous)

    def shown(self, request: requests.PreparedRequest) -> dict[str, str]:
        """The request's headers as the history keeps them."""
        if not self.headers:
            return dict(request.headers)
        return {name: HIDDEN if name.lower() in self.headers else value for name, value in request.headers.items()}


def at(versions: Mapping[UUID, datetime]) -> dict[UUID, Endpoint]:
    """The endpoints at these versions or later, read only if this process has not met them yet."""
    known = {key: _known[key] for key, version in versions.items() if key in _known and _known[key].version == version}
    return known | load(versions.keys() - known.keys())


def load(ids: Collection[UUID]) -> dict[UUID, Endpoint]:
    """The endpoints as they are now; a deleted one is missing."""
    if not ids:
        return {}
    found = _read(ids)
    if len(_known) + len(found) > KNOWN:
        _known.clear()
    _known.update(found)
    return found


def _read(ids: Collection[UUID]) -> dict[UUID, Endpoint]:
    try:
        return {row.pk: of(row) for row in Subscription.objects.filter(pk__in=ids)}
    except InvalidToken:
        if len(ids) > 1:  # one lost key must not stop the others
            return {key: endpoint for each in ids for key, endpoint in _read([each]).items()}
    logger.error("the secrets of subscription %s cannot be decrypted; was a key dropped?", *ids)
    return {row.pk: _unreadable(row) for row in Subscription.objects.defer(*ENCRYPTED).filter(pk__in=ids)}


def _unreadable(row: Subscription) -> Endpoint:
    """Stands for a subscription whose secrets are lost: each attempt fails, visibly."""
    row.secret, row.previous_secret, row.headers = "", None, {}
    return replace(of(row), template=None)


def of(row: Subscription) -> Endpoint:
    return Endpoint(
        id=row.pk,
        version=row.updated_at,
        online=row.is_online,
        url=row.url,
        secret=row.secret,
        previous=row.previous,
        headers={name.lower(): value for name, value in row.headers.items()},
        limits=Limits(
            connect_timeout=settings.DELIVERY_CONNECT_TIMEOUT,
            timeout=min(row.deadline, LONGEST * settings.DELIVERY_LEASE),
        ),
        max_retries=row.retries,
        host=row.host,
        max_in_flight=row.max_in_flight or settings.DELIVERY_LANE_IN_FLIGHT,
        rate=row.rate,
        promoted=row.promoted,
        template=_template(row),
    )


def versions(ids: Iterable[UUID]) -> tuple[dict[UUID, datetime], Reading | None]:
    """When each subscription was last changed, and the database's clock (None if none of them is left)."""
    asked = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute(VERSIONS, [[str(key) for key in ids]])
        rows = cursor.fetchall()
    return {row[0]: row[1] for row in rows}, Reading(rows[0][2], asked) if rows else None


def _template(row: Subscription) -> requests.PreparedRequest | None:
    own = {"Content-Type": "application/json", "User-Agent": f"Dotfile-Hooks/{settings.VERSION}"}
    try:
        if "@" in urlsplit(row.url).netloc:  # credentials in a URL would become a header in the history
            return None
        # PreparedRequest alone: a Session would read the environment and .netrc.
        prepared = requests.Request("POST", row.url, headers={**row.headers, **own}).prepare()
        prepared.headers = cast("CaseInsensitiveDict[str]", dict(prepared.headers))
        return prepared
    except (requests.exceptions.RequestException, ValueError):
        return None

"""A test event: sent once, in the foreground, signed as a real one would be, so that people see the answer at once."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import requests
from django.conf import settings
from django.db import connection

from deliveries.models import Subscription
from workspaces.identifiers import new_id

from . import endpoints, faults, outcomes, transport
from .egress import Policy
from .envelope import Counters, Parts, body

EVENT = "Webhook.Test"
COUNTED = frozenset({"timestamp", "event_id", "retry_count", "remaining_retry_count"})
"""Members of a context that are this very request's own."""
UNSENDABLE = "The URL or a custom header cannot be sent; correct it and save."


@dataclass(frozen=True)
class Trial:
    """What was sent and what came back."""

    url: str
    status: int | None
    """None: no complete answer came."""
    error: str
    """Why not, as a sentence; empty when an answer came."""
    duration_ms: int | None
    """None when there was no connection."""
    code: str = field(kw_only=True, default="")
    """The class of the error, as faults.classify() tells it; empty when an answer came."""
    request_headers: dict[str, str] = field(repr=False)
    request_body: str = field(repr=False)
    response_headers: dict[str, str] = field(repr=False, default_factory=dict)
    response_body: str = field(repr=False, default="")
    """The first 4 KiB."""
    truncated: bool = False
    """There was more than is kept."""

    @property
    def succeeded(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def send_trial(
    subscription: Subscription, policy: Policy, parts: Parts, event: str = EVENT, sub_event: str = ""
) -> Trial:
    """Sends a signed event that says this to the subscription, offline or not. Nothing is retried or kept."""
    endpoint = endpoints.of(subscription)
    now, event_id = _now(), str(new_id())
    content = body(event, sub_event, event_id, Counters(now, 0, 0), parts)
    try:
        request = endpoint.request(event_id, now, content)
    except ValueError as error:
        code = faults.classify(error) if isinstance(error, requests.RequestException) else "invalid_url"
        return Trial(subscription.url, None, UNSENDABLE, None, {}, content.decode(), code=code)
    return _send(endpoint, request, content.decode(), policy)


def _send(endpoint: endpoints.Endpoint, request: requests.PreparedRequest, content: str, policy: Policy) -> Trial:
    adapter = transport.CurlAdapter(
        policy,
        endpoint.limits,
        dns_servers=settings.EGRESS_DNS_SERVERS,
        dns_timeout=settings.EGRESS_DNS_TIMEOUT,
    )
    began, shown = time.monotonic(), endpoint.shown(request)
    with transport.DirectSession(adapter) as session:
        try:
            response = session.send(request, allow_redirects=False)
        except requests.exceptions.RequestException as error:
            code = faults.classify(error)
            duration = None if code in faults.SILENT else _milliseconds(began)
            return Trial(endpoint.url, None, str(error), duration, shown, content, code=code)
    return Trial(
        url=endpoint.url,
        status=response.status_code,
        error="",
        duration_ms=_milliseconds(began),
        request_headers=shown,
        request_body=content,
        response_headers=outcomes.kept_headers(response),
        response_body=outcomes.kept_body(response),
        truncated=len(response.content) >= endpoint.limits.keep_bytes,
    )


def _now() -> int:
    """By PostgreSQL's clock, as the timestamps of real events."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())::bigint")
        (now,) = cursor.fetchone()
    return int(now)


def _milliseconds(began: float) -> int:
    return round((time.monotonic() - began) * 1000)

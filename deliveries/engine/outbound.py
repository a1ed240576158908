"""The one way out of this process: which addresses may be dialled, and the HTTP client that dials them."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.conf import settings

from . import transport
from .egress import Policy


@cache
def policy() -> Policy:
    """Which URLs and addresses the settings allow."""
    return Policy.parse(
        settings.EGRESS_PORTS,
        settings.EGRESS_ALLOW_HTTP,
        settings.EGRESS_ALLOWED_NETWORKS,
        settings.EGRESS_NAT64_PREFIX,
    )


@cache
def window() -> transport.Window[Any]:
    """This process's HTTP client: its connections outlive a task. Made on first use, after the worker has forked."""
    return transport.Window(
        policy(),
        size=settings.DELIVERY_IN_FLIGHT,
        dns_servers=settings.EGRESS_DNS_SERVERS,
        dns_timeout=settings.EGRESS_DNS_TIMEOUT,
    )

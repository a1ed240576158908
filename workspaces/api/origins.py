"""Where a request comes from."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv6Address, ip_network
from typing import Any

from django.conf import settings

from workspaces.networks import Address, address

# Whoever has one IPv6 address has the 2^64 of its network: counted one by one, they would never be too many.
IPV6_PREFIX = 64


def caller(meta: Mapping[str, Any]) -> Address | None:
    """The address of who sent a request, by its WSGI environment; None when that is not to be known.

    Each proxy writes the address that it was called from at the end of X-Forwarded-For. So with TRUSTED_PROXIES proxies
    in front it is that many from the end, whatever a caller wrote there first; a request that did not come through
    all of them is nobody's.
    """
    proxies = settings.TRUSTED_PROXIES
    if not proxies:
        return address(meta.get("REMOTE_ADDR", ""))
    told = meta.get("HTTP_X_FORWARDED_FOR", "").split(",")
    return address(told[-proxies]) if len(told) >= proxies else None


def whole(at: Address | None) -> str:
    """What counts as one origin: an IPv4 address, or the network of an IPv6 one."""
    if isinstance(at, IPv6Address):
        return str(ip_network((at.packed, IPV6_PREFIX), strict=False))
    return str(at or "unknown")

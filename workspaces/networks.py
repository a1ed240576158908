"""Addresses and networks of the Internet, as the allow list of a key names them."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_interface, ip_network

from django.core.exceptions import ValidationError

Address = IPv4Address | IPv6Address

MOST = 100
"""Networks in one list: each request compares them all."""
LONGEST = 43
"""Characters of the longest network in its shortest form, with its prefix length."""


def address(text: str) -> Address | None:
    """The address that a text names, with a port or without; an IPv4 address mapped into IPv6 is the IPv4 address."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def network(text: str) -> str:
    """A CIDR block in its one form; a single address is the block of it alone. Raises ValidationError."""
    text = text.strip()
    try:
        if "%" in text:  # a zone means something on one machine only
            raise ValueError
        found = ip_interface(text)
    except ValueError:
        raise ValidationError(
            f"{text[:LONGEST]!r} is no network: write an IPv4 or IPv6 block such as 203.0.113.0/24 or 2001:db8::/32, "
            "or one address.",
            code="invalid",
        ) from None
    if found.ip != found.network.network_address:
        raise ValidationError(
            f"{text} names an address inside a network: write {found.network}, or {found.ip} for the one address.",
            code="invalid",
        )
    if getattr(found.ip, "ipv4_mapped", None):
        raise ValidationError(f"{text} is IPv4 written as IPv6: write the IPv4 network.", code="invalid")
    return str(found.network)


def allow_list(texts: Iterable[str]) -> list[str]:
    """Each network once, in its one form. Raises ValidationError with a sentence for each that is none."""
    found: list[str] = []
    wrong: list[ValidationError] = []
    for text in texts:
        try:
            found.append(network(text))
        except ValidationError as error:
            wrong.append(error)
    if len(found) > MOST:
        wrong.append(ValidationError(f"At most {MOST} networks; these are {len(found)}.", code="max_length"))
    if wrong:
        raise ValidationError(wrong)
    return list(dict.fromkeys(found))


def holds(networks: Iterable[str], at: Address | None) -> bool:
    """Whether one of the networks has this address; no network has an unknown one."""
    return at is not None and any(at in ip_network(each) for each in networks)

"""Which URLs and addresses may be called. Pure: names are resolved elsewhere, and each address is judged here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from . import addresses
from .targets import Refused, Target, parse

__all__ = ["Policy", "Refused", "Target"]

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

NAT64_LENGTHS = (32, 40, 48, 56, 64, 96)
"""Bits that a NAT64 prefix may have (RFC 6052, 2.2)."""

CLOSED_ADDRESS = "This address may not be called: webhooks go to public addresses only."
"""The one sentence for every closed address: it must not tell what is there."""

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
# Names that mean something only inside a network; the clouds' metadata servers live under some of them.
_INNER_NAMES = (
    ("localhost", "local", "internal", "localdomain", "lan", "intranet", "private", "corp", "home")
    + ("home.arpa", "onion", "invalid", "metadata.goog")
)  # fmt: skip


@dataclass(frozen=True)
class Policy:
    """What may be called: `ports` None means any; `allowed_networks` may be called although they are not public.

    Loopback, once it is among the allowed networks, is open over http and on any port: that is how development works,
    and such a request never leaves the machine. Addresses in `nat64_prefix` are judged by the IPv4 address they carry.
    """

    ports: frozenset[int] | None
    allow_http: bool
    allowed_networks: tuple[Network, ...]
    nat64_prefix: IPv6Network | None

    @classmethod
    def parse(cls, ports: Sequence[str], allow_http: bool, networks: Sequence[str], nat64: str) -> Policy:
        """From texts as they stand in settings; `ports` ("*",) means any. Raises ValueError for what is none."""
        prefix = IPv6Network(nat64) if nat64 else None
        if prefix and prefix.prefixlen not in NAT64_LENGTHS:
            raise ValueError("A NAT64 prefix has 32, 40, 48, 56, 64 or 96 bits.")
        numbers = None if tuple(ports) == ("*",) else frozenset(int(port) for port in ports)
        return cls(numbers, allow_http, tuple(ip_network(network) for network in networks), prefix)

    def check_url(self, url: str) -> Target:
        """Where `url` leads, if it may be called as far as its text tells. Raises Refused.

        A name is not resolved: its addresses are to be judged with `refusal` when they are dialled.
        """
        target = parse(url)
        self._check_target(target)
        return target

    def refusal(self, address: str, port: int) -> str | None:
        """Why the very address about to be dialled may not be, as a sentence; None when it may."""
        try:
            judged = ip_address(address)
        except ValueError:
            return CLOSED_ADDRESS
        if not self._open(judged):
            return CLOSED_ADDRESS
        if self.ports is not None and port not in self.ports and not self._is_open_loopback(judged):
            return self._port_sentence(port)
        return None

    def _open(self, address: Address) -> bool:
        # A zone would let a link-local address through a network that was allowed on another link.
        if isinstance(address, IPv6Address) and address.scope_id is not None:
            return False
        if any(address in network for network in self.allowed_networks):
            return True
        if isinstance(address, IPv6Address) and self.nat64_prefix and address in self.nat64_prefix:
            return self._open(addresses.embedded(address, self.nat64_prefix))
        return addresses.is_public(address)

    def _is_open_loopback(self, address: Address) -> bool:
        return address.is_loopback and self._open(address)

    def _check_target(self, target: Target) -> None:
        literal = ip_address(target.address) if target.address else None
        if literal and not self._open(literal):
            raise Refused("address", CLOSED_ADDRESS)
        if literal is None:
            _check_name(target.host, localhost_is_open=bool(self.allowed_networks))
        if target.host == "localhost" or (literal and self._is_open_loopback(literal)):
            return
        if target.scheme == "http" and not self.allow_http:
            raise Refused("scheme", "Write a URL that begins with https://; http:// would send the data unencrypted.")
        if self.ports is not None and target.port not in self.ports:
            raise Refused("port", self._port_sentence(target.port))

    def _port_sentence(self, port: int) -> str:
        choices = " or ".join(str(choice) for choice in sorted(self.ports or ()))
        return f"Port {port} may not be called; use port {choices}."


def _check_name(name: str, *, localhost_is_open: bool) -> None:
    if name == "localhost" and localhost_is_open:
        return
    labels = name.removesuffix(".").split(".")
    inner = any(f".{name.removesuffix('.')}".endswith(f".{suffix}") for suffix in _INNER_NAMES)
    if len(labels) < 2 or inner:
        raise Refused("name", "This name is known only inside a network; use a public host name.")
    if name.endswith("."):
        raise Refused("host", "Remove the dot at the end of the host name.")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise Refused("host", "This is not a valid host name; use letters, digits, hyphens and dots.")

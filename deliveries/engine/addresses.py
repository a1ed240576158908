"""Which addresses are public: a table of our own, since `ipaddress.is_global` changes between versions of Python."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

# IANA IPv4 Special-Purpose Address Registry, with multicast, class E and one cloud's inner server.
_CLOSED_V4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this host
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carriers' NAT; also a cloud's metadata (100.100.100.200)
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # Azure's wire server: looks public
        "169.254.0.0/16",  # link-local; the metadata of most clouds (169.254.169.254)
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # IETF protocols; also a cloud's metadata (192.0.0.192)
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
# For IPv6 the list is of what is open: v4-mapped, v4-compatible, NAT64, site-local and what is yet to come stay closed.
_OPEN_V6 = IPv6Network("2000::/3")
_CLOSED_V6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # IETF protocols, Teredo
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: carries any IPv4 address
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)
# RFC 5214: an interface identifier 0000:5efe or 0200:5efe carries an IPv4 address that a router would unpack.
_ISATAP_MASK, _ISATAP = 0xFCFFFFFF, 0x00005EFE


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether anybody on the Internet could be called at this address."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _CLOSED_V4)
    return (
        address in _OPEN_V6
        and not any(address in network for network in _CLOSED_V6)
        and (int(address) >> 32) & _ISATAP_MASK != _ISATAP
    )


def embedded(address: IPv6Address, prefix: IPv6Network) -> IPv4Address:
    """The IPv4 address that a NAT64 address carries after `prefix` (RFC 6052, 2.2: bits 64 to 71 are skipped)."""
    bits = f"{int(address):0128b}"
    start = prefix.prefixlen
    carried = bits[start:] if start >= 72 else bits[start:64] + bits[72:]
    return IPv4Address(int(carried[:32], 2))

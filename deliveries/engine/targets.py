"""Reads a URL strictly, so that no two parsers can read it differently. Pure; what may be called is egress.py's."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

import idna

LONGEST_URL = 2048
"""Characters. What browsers, proxies and logs handle everywhere."""

DEFAULT_PORTS = {"http": 80, "https": 443}

_UNSAFE = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029\ufeff]")
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?]*)([/?].*)?", re.DOTALL)
_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]]+)(?::([1-9][0-9]{0,4}))?")
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")
_IDEOGRAPHIC_DOTS = re.compile(r"[\u3002\uff0e\uff61]")


class Refused(ValueError):
    """A URL or an address that may not be called. The text is for the person who chose it; `code` is for programs."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True, slots=True)
class Target:
    """Where a URL leads: `host` in ASCII, lower case, without brackets; `address` when the host is a literal one."""

    scheme: str
    host: str
    port: int
    address: str | None


def parse(url: str) -> Target:
    """Where `url` leads. Raises Refused for what is not a plain, complete http or https URL."""
    scheme, authority = _split(url)
    host, port = _host_and_port(authority)
    return _target(scheme, host, port or DEFAULT_PORTS[scheme])


def _split(url: str) -> tuple[str, str]:
    if len(url) > LONGEST_URL:
        raise Refused("malformed", f"The URL is too long; use at most {LONGEST_URL} characters.")
    if _UNSAFE.search(url):
        raise Refused("malformed", "Remove blanks, control characters and backslashes from the URL.")
    if "#" in url:
        raise Refused("fragment", "Remove the # and what follows it from the URL: it is never sent.")
    match = _URL.fullmatch(url)
    if match is None:
        raise Refused("malformed", "Write a complete URL, such as https://example.com/webhooks.")
    scheme = match[1].lower()
    if scheme not in DEFAULT_PORTS:
        raise Refused("scheme", "Write a URL that begins with https://.")
    return scheme, match[2]


def _host_and_port(authority: str) -> tuple[str, int | None]:
    if "@" in authority:
        raise Refused("userinfo", "Remove the user name and password from the URL; use a custom header instead.")
    if not authority or authority.startswith(":"):
        raise Refused("host", "The URL has no host name; write one, such as https://example.com/webhooks.")
    match = _AUTHORITY.fullmatch(authority)
    if match is None or (match[2] and int(match[2]) > 65535):
        raise Refused("host", "Write the host as a name or an IP address, with a port from 1 to 65535 if any.")
    return match[1], int(match[2]) if match[2] else None


def _target(scheme: str, host: str, port: int) -> Target:
    if host.startswith("["):
        address = _literal(host[1:-1], IPv6Address)
        return Target(scheme, address, port, address)
    name = _ascii(host)
    if not _NUMBER.fullmatch(name.rstrip(".").rpartition(".")[2]):
        return Target(scheme, name, port, None)
    # What ends in a number is an IPv4 address to some parser (127.1, 0x7f.1, 2130706433): only the plain form passes.
    address = _literal(name, IPv4Address)
    return Target(scheme, address, port, address)


def _literal(text: str, kind: type[IPv4Address] | type[IPv6Address]) -> str:
    try:
        return str(kind(text))
    except ValueError:
        raise Refused("host", "Write the IP address in its plain form, such as 93.184.215.14.") from None


def _ascii(host: str) -> str:
    """The host in lower-case ASCII. Full-width letters and dots, which some parsers fold to plain ones, do not pass."""
    if host.isascii():
        return host.lower()
    try:
        if _IDEOGRAPHIC_DOTS.search(host):
            raise ValueError
        return idna.encode(host.lower()).decode("ascii")
    except ValueError:  # idna.IDNAError is one
        raise Refused("host", "This is not a valid host name; write it with plain letters and dots.") from None

"""Reads settings from the environment; a wrong value becomes a sentence that names the variable."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import parseaddr
from ipaddress import IPv6Network, ip_address, ip_network
from math import inf, isfinite
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from redis import Redis

T = TypeVar("T")
N = TypeVar("N", int, float)
TRUE, FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off", ""}
NAT64_LENGTHS = (32, 40, 48, 56, 64, 96)  # bits that a NAT64 prefix may have (RFC 6052, 2.2)
SOCKET_SCHEMES = {"unix", "redis+socket"}
NUMBERED_SCHEMES = {"redis", "rediss", "sentinel"}  # their path is the number of a database
REDIS_SCHEMES = {"unix", "redis", "rediss"}  # those that redis-py parses itself
MAIL_PORTS = {"smtp": 25, "smtp+tls": 587, "smtps": 465}  # where a mail server listens unless its URL says otherwise


def text(name: str, default: str | None = None) -> str:
    """The variable, or the content of the file that NAME_FILE points to; required when there is no default."""
    value = os.environ.get(name)
    if value is None and (path := os.environ.get(f"{name}_FILE")):
        try:
            value = Path(path).read_text().strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE names a file that cannot be read: {path}.") from error
    if value is None:
        value = default
    if value is None:
        raise ImproperlyConfigured(f"Set {name} in the environment (see dotfile_hooks/settings.py for what it means).")
    return value


def parsed(name: str, default: T, parse: Callable[[str], T], expected: str) -> T:
    """The variable through `parse`; `expected` completes the sentence "NAME must be ..."."""
    value = text(name, "")
    if not value:
        return default
    try:
        return parse(value)
    except (ValueError, KeyError) as error:
        raise ImproperlyConfigured(f"{name} must be {expected}; it is {value!r}.") from error


def number(name: str, default: float, minimum: float = 0, maximum: float = inf) -> float:
    return parsed(
        name, default, lambda value: _between(float(value), minimum, maximum), _range("number", minimum, maximum)
    )


def integer(name: str, default: int, minimum: int = 0, maximum: float = inf) -> int:
    expected = _range("whole number", minimum, maximum)
    return parsed(name, default, lambda value: _between(int(value), minimum, maximum), expected)


def _between(value: N, minimum: float, maximum: float) -> N:
    if not (isfinite(value) and minimum <= value <= maximum):
        raise ValueError
    return value


def _range(kind: str, minimum: float, maximum: float) -> str:
    return f"a {kind} of at least {minimum:g}" + (f" and at most {maximum:,.15g}" if isfinite(maximum) else "")


def boolean(name: str, default: bool) -> bool:
    def parse(value: str) -> bool:
        if value.lower() in TRUE | FALSE:
            return value.lower() in TRUE
        raise ValueError(value)

    return parsed(name, default, parse, "true or false")


def strings(name: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
    """A comma-separated list, blanks around each item dropped."""
    value = text(name, "")
    return tuple(item.strip() for item in value.split(",") if item.strip()) if value else default


def ports(name: str, default: tuple[str, ...]) -> tuple[str, ...]:
    """Comma-separated ports, or ("*",) for any."""

    def parse(value: str) -> tuple[str, ...]:
        items = _items(value)
        if items != ("*",):
            _ = [_port(item) for item in items]
        return items

    return parsed(name, default, parse, "* or comma-separated ports, e.g. 443,80")


def networks(name: str) -> tuple[str, ...]:
    """Comma-separated CIDR blocks."""

    def parse(value: str) -> tuple[str, ...]:
        items = _items(value)
        _ = [ip_network(item) for item in items]
        return items

    return parsed(name, (), parse, "comma-separated CIDR blocks such as 10.1.0.0/16")


def days(name: str, words: tuple[str, ...]) -> dict[str, int]:
    """Whole days by word, comma-separated; a word that is not there has none."""

    def parse(value: str) -> dict[str, int]:
        found = dict(item.split(":") for item in _items(value))
        if not found.keys() <= {*words}:
            raise ValueError
        return {word: int(_between(int(count), 1, 36_500)) for word, count in found.items()}

    return parsed(name, {}, parse, f"days by word, e.g. {words[1]}:365, for any of {', '.join(words)}")


def nat64_prefix(name: str) -> str:
    """An IPv6 network of a length that NAT64 knows; empty where none is given."""

    def parse(value: str) -> str:
        if IPv6Network(value).prefixlen not in NAT64_LENGTHS:
            raise ValueError
        return value

    return parsed(name, "", parse, "an IPv6 network of 32, 40, 48, 56, 64 or 96 bits, e.g. 2001:db8:64::/96")


def name_servers(name: str) -> tuple[str, ...]:
    """Comma-separated IP addresses, each with a port or without: 10.0.0.2, 10.0.0.2:53, ::1, [::1]:53."""

    def parse(value: str) -> tuple[str, ...]:
        items = _items(value)
        for item in items:
            _name_server(item)
        return items

    return parsed(name, (), parse, "comma-separated IP addresses, each with :port or without, e.g. 10.0.0.2:53")


def server_url(name: str, value: str, schemes: tuple[str, ...], example: str) -> str:
    """`value`, if it is the URL of a server, or several with `;` between them. It may hold a password: not repeated."""
    for url in value.split(";"):
        scheme = url.partition("://")[0]
        if scheme not in schemes or "://" not in url:
            first, *rest = (f"{each}://" for each in schemes)
            raise ImproperlyConfigured(
                f"{name} must begin with {first}" + "".join(f", or {each}" for each in rest) + "."
            )
        try:
            _check_server(scheme, url)
        except ValueError:
            raise ImproperlyConfigured(f"{name} must look like {example}.") from None
    return value


def _check_server(scheme: str, url: str) -> None:
    if scheme in REDIS_SCHEMES:
        Redis.from_url(url)  # connects to nothing yet
    parts = urlsplit(url)
    if not (parts.path.strip("/") if scheme in SOCKET_SCHEMES else parts.hostname) or parts.port == 0:
        raise ValueError
    # redis-py takes a database that is no number for database 0, and says nothing.
    if scheme in NUMBERED_SCHEMES and not re.fullmatch("[0-9]*", parts.path.strip("/")):
        raise ValueError


@dataclass(frozen=True)
class MailServer:
    """Where e-mails go, in the words of Django's settings."""

    backend: str
    host: str = "localhost"
    port: int = 25
    user: str = ""
    password: str = field(default="", repr=False)
    starttls: bool = False
    tls: bool = False


def mail_server(name: str, default: str) -> MailServer:
    """smtp://user:password@host:port, smtp+tls:// (STARTTLS), smtps:// (TLS), console:// (printed). Never repeated."""
    url = text(name, "") or default
    try:
        parts = urlsplit(url)
        if parts.scheme == "console":
            return MailServer("django.core.mail.backends.console.EmailBackend")
        if parts.scheme not in MAIL_PORTS or not parts.hostname or parts.path.strip("/") or parts.port == 0:
            raise ValueError
        return MailServer(
            "deliveries.mailing.EmailBackend",
            parts.hostname,
            parts.port or MAIL_PORTS[parts.scheme],
            unquote(parts.username or ""),
            unquote(parts.password or ""),
            starttls=parts.scheme == "smtp+tls",
            tls=parts.scheme == "smtps",
        )
    except ValueError:
        example = "smtp+tls://user:password@host:587 (or smtp://, smtps://, console://)"
        raise ImproperlyConfigured(f"{name} must look like {example}.") from None


def sender(name: str, default: str) -> str:
    """An address that e-mails come from, with a name before it or without."""

    def parse(value: str) -> str:
        _, at, domain = parseaddr(value)[1].rpartition("@")
        if not at or not domain or not value.isprintable():
            raise ValueError
        return value

    return parsed(name, default, parse, "an e-mail address, e.g. Dotfile Hooks <hooks@example.com>")


def origin(name: str) -> str:
    """The beginning of our own addresses, such as https://hooks.example.com, without a slash at its end; or nothing."""

    def parse(value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError
        return value.rstrip("/")

    return parsed(name, "", parse, "a URL such as https://hooks.example.com")


def _items(value: str) -> tuple[str, ...]:
    """What a comma-separated list holds. Raises ValueError when that is nothing."""
    items = tuple(item.strip() for item in value.split(",") if item.strip())
    if not items:
        raise ValueError
    return items


def _port(value: str) -> int:
    if not re.fullmatch("[0-9]{1,5}", value) or not 0 < int(value) < 65536:
        raise ValueError
    return int(value)


def _name_server(value: str) -> None:
    bracketed = re.fullmatch(r"\[([^]]+)\](?::(.*))?", value)
    plain = re.fullmatch(r"([^:]+):(.*)", value)
    host, port = bracketed.groups() if bracketed else plain.groups() if plain else (value, None)
    ip_address(host)
    if port is not None:
        _port(port)

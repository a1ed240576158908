"""What a name resolves to at this moment, asked in the foreground: for people who choose a URL, not for couriers."""

from __future__ import annotations

import selectors
from collections.abc import Sequence
from time import monotonic

from .resolver import Answer, Resolver


def addresses_of(name: str, servers: Sequence[str], timeout: float) -> tuple[str, ...]:
    """The addresses of a name; none when it has none, or when nobody says so within `timeout` seconds."""
    found: list[Answer] = []
    with selectors.DefaultSelector() as selector:
        resolver = Resolver(selector, servers, timeout)
        try:
            if known := resolver.lookup(name, found.append):
                return known.addresses
            while not found:
                for key, events in selector.select(resolver.wait(monotonic())):
                    resolver.process(key.fd, events)
                resolver.tick(monotonic())
        finally:
            resolver.close()
    return found[0].addresses

"""How often a key may call, and how often an address may try keys that are none.

A token bucket each, kept in Redis: `burst` requests at once, then as many a minute as the rate says. Redis is only an
accelerator: while it is away, nothing is throttled and nobody waits.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from math import ceil
from typing import Any

import redis
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.exceptions import Throttled
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from workspaces.accelerator import BREAK, Accelerator, Resting, client
from workspaces.models import ApiKey

logger = logging.getLogger(__name__)

MINUTE = 60_000_000
"""Microseconds: the unit of everything below, so that all numbers are whole."""
# What is kept of a bucket is the moment when it will be full again, by Redis's clock: one number, and none for a full
# one. ARGV: what a request costs, and what the whole bucket is worth, in time. Answers whether there was enough, and
# how long the bucket needs to be full again. A clock that is put back, or a smaller burst, empties a bucket at most.
TAKE = """
local cost, size = tonumber(ARGV[1]), tonumber(ARGV[2])
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local missing = math.min(math.max(tonumber(redis.call('GET', KEYS[1]) or now) - now, 0), size)
if missing + cost > size then return {0, missing} end
missing = missing + cost
redis.call('SET', KEYS[1], string.format('%.0f', now + missing), 'PX', math.ceil(missing / 1000))
return {1, missing}
"""
# Where a request keeps its State until its answer is on the way.
STATE = "workspaces.throttle"


@dataclass(frozen=True)
class Rate:
    """So many requests a minute, `burst` of them at once."""

    per_minute: int
    burst: int

    @property
    def cost(self) -> int:
        """The time in which one request's token comes back."""
        return ceil(MINUTE / self.per_minute)

    def __str__(self) -> str:
        return f"{self.per_minute};w=60;burst={self.burst}"


@dataclass(frozen=True)
class State:
    """A bucket, right after a request took a token, or found none."""

    rate: Rate
    allowed: bool
    missing: int
    """Until it is full again, in microseconds."""

    @property
    def remaining(self) -> int:
        return (self.rate.burst * self.rate.cost - self.missing) // self.rate.cost

    @property
    def wait(self) -> int:
        """Whole seconds until there is a token."""
        lacking = self.missing + self.rate.cost - self.rate.burst * self.rate.cost
        return max(1, ceil(lacking / 1_000_000))

    def headers(self) -> dict[str, str]:
        """Those of draft-ietf-httpapi-ratelimit-headers up to 06, which clients know, not the later one-line form."""
        return {
            "RateLimit-Limit": str(self.rate.burst),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(ceil(self.missing / 1_000_000)),
            "RateLimit-Policy": str(self.rate),
        }


class Buckets(Accelerator):
    """Every key's and address's."""

    def take(self, name: str, rate: Rate) -> State | None:
        """Takes a token, if there is one; None while Redis is away, and where there is no limit."""
        if not rate.per_minute:
            return None
        try:
            allowed, missing = self.guarded(lambda: self._ask(f"dotfile-hooks:throttle:{name}", rate))
        except Resting:
            return None
        except redis.RedisError as error:
            logger.warning("Redis is away, nothing is throttled for %g s: %s", BREAK, type(error).__name__)
            return None
        return State(rate, bool(allowed), int(missing))

    def _ask(self, name: str, rate: Rate) -> Any:
        return self.client.eval(TAKE, 1, name, str(rate.cost), str(rate.cost * rate.burst))


@cache
def buckets() -> Buckets:
    """This process's (redis-py reconnects after a fork)."""
    return Buckets(client())


class TooManyRequests(Throttled):
    """429. DRF makes `Retry-After` of `wait`."""

    default_detail = "This API key was used too often."
    extra_detail_singular = "Send the next request in {wait} second."
    extra_detail_plural = "Send the next request in {wait} seconds."


class TooManyKeys(TooManyRequests):
    default_detail = "Too many requests with API keys that are not valid came from your address."


def by_key(request: Request, key: ApiKey) -> None:
    """Counts a request of a key. Raises TooManyRequests."""
    if request.method in SAFE_METHODS:
        kind, rate = "reads", Rate(settings.READS_PER_MINUTE, settings.READS_BURST)
    else:
        kind, rate = "writes", Rate(settings.WRITES_PER_MINUTE, settings.WRITES_BURST)
    state = buckets().take(f"{kind}:{key.pk}", rate)
    if state is None:
        return
    request._request.META[STATE] = state
    if not state.allowed:
        raise TooManyRequests(state.wait)


def by_address(origin: str) -> None:
    """Counts a refused key of an address or network. Raises TooManyKeys. Good keys are not counted, nor refused."""
    rate = Rate(settings.BAD_KEYS_PER_MINUTE, settings.BAD_KEYS_BURST)
    state = buckets().take(f"refused:{origin}", rate)
    if state is not None and not state.allowed:
        raise TooManyKeys(state.wait)


def headers(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: every answer to a key says what is left of its bucket, whatever the view and however it ended."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        state = request.META.get(STATE)
        if isinstance(state, State):
            for name, value in state.headers().items():
                response.headers[name] = value
        return response

    return answer

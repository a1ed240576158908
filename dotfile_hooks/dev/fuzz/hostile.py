"""Requests that no honest client sends: each an ordinary one, with one to three things wrong with it."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable, Sequence

from workspaces.api.authentication import HEADER

from . import odd, odd_bodies
from .wire import Request

Oddity = Callable[[random.Random, Request], Request]
WRITES = (b"POST", b"PATCH", b"PUT", b"DELETE")
MOST = 3
"""Oddities at once. One alone is found by whoever looks first; the second is what is looked at when it is too late."""


def made(rng: random.Random, method: str, path: str, key: str, bodies: Sequence[bytes]) -> Request:
    """An odd request to this address. `bodies`: ones that it may understand."""
    headers = ((HEADER.encode(), key.encode()), (b"Accept", b"*/*"))
    request = Request(method.upper().encode(), path.encode(), headers)
    if request.method in WRITES:
        request = request.having(b"Content-Type", b"application/json").told("", body=rng.choice(bodies))
    for oddity in rng.sample(ODDITIES, rng.choice((1, 1, 1, 2, MOST))):
        request = oddity(rng, request)
    return request


def another_method(rng: random.Random, request: Request) -> Request:
    name = rng.choice(odd.METHODS)
    return request.told(f"method {name!r}", method=name)


def path(rng: random.Random, request: Request) -> Request:
    part = rng.choice(odd.SEGMENTS)
    before, _, query = request.target.partition(b"?")
    steps = before.split(b"/")
    if rng.random() < 0.5:
        steps.append(part)
    else:
        steps[rng.randrange(2, len(steps))] = part
    return request.told("path", target=b"/".join(steps) + (b"?" + query if query else b""))


def query(rng: random.Random, request: Request) -> Request:
    parts = [rng.choice(odd.QUERIES) for _ in range(rng.choice((1, 1, 2)))]
    mark = b"&" if b"?" in request.target else b"?"
    return request.told("query", target=request.target + mark + b"&".join(parts))


def filters(rng: random.Random, request: Request) -> Request:
    """Names that lists know, with values that they do not."""
    name, value = rng.choice(odd.FILTERS), rng.choice(odd.VALUES)
    mark = b"&" if b"?" in request.target else b"?"
    return request.told("filter", target=request.target + mark + name + b"=" + value)


def header(rng: random.Random, request: Request) -> Request:
    name, value = rng.choice(odd.HEADERS)
    return request.having(name, value).told(f"header {name.decode()}")


def second_header(rng: random.Random, request: Request) -> Request:
    name, value = rng.choice(odd.HEADERS)
    is_http = request.is_http and name != b"Host"  # the only one that HTTP allows just once
    return request.told(f"one more {name.decode()}", headers=(*request.headers, (name, value)), is_http=is_http)


def content_type(rng: random.Random, request: Request) -> Request:
    value = rng.choice(odd.CONTENT_TYPES)
    return request.having(b"Content-Type", value).told(f"Content-Type {value[:40]!r}")


def body(rng: random.Random, request: Request) -> Request:
    name = rng.choice([*odd_bodies.BODIES])
    return request.told(name, body=odd_bodies.BODIES[name])


def member(rng: random.Random, request: Request) -> Request:
    """A value of the body is another one."""
    if b": " not in request.body:
        return request
    before, _, after = request.body.partition(b": ")
    value = rng.choice(odd_bodies.JSON_VALUES)
    return request.told(f"value {value[:30]!r}", body=before + b": " + value + b", " + b'"x": ' + after)


def multipart(rng: random.Random, request: Request) -> Request:
    name = rng.choice([*odd_bodies.PARTS])
    typed = request.having(b"Content-Type", b"multipart/form-data; boundary=limit")
    return typed.told(name, body=odd_bodies.PARTS[name])


def compressed(rng: random.Random, request: Request) -> Request:
    # Without the time, which it would else hold: the same seed sends the same.
    return request.having(b"Content-Encoding", b"gzip").told("gzip", body=gzip.compress(request.body, mtime=0))


def chunked(rng: random.Random, request: Request) -> Request:
    whole = b"%x\r\n%b\r\n0\r\n\r\n" % (len(request.body), request.body) if request.body else b"0\r\n\r\n"
    return request.having(b"Transfer-Encoding", b"chunked").told("chunked", body=whole)


def broken_http(rng: random.Random, request: Request) -> Request:
    """The frame itself is broken."""
    name, value, text = rng.choice(odd.FRAMES)
    return request.having(name, value).told(f"{name.decode()} {value!r}", body=text, is_http=False)


ODDITIES: list[Oddity] = [
    another_method,
    path,
    query,
    filters,
    header,
    second_header,
    content_type,
    body,
    member,
    multipart,
    compressed,
    chunked,
    broken_http,
]

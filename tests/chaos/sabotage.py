"""An engine broken on purpose, to see that the checker sees it. Each way breaks one promise, now and then."""

from __future__ import annotations

import http.client
import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.db.models import F
from requests import PreparedRequest

from deliveries.engine import courier, envelope, fanout, retry, settle, signing
from deliveries.engine.answers import Answer, Headers
from deliveries.engine.envelope import Counters, Parts
from deliveries.engine.window import Finished, Window
from deliveries.models import Delivery
from workspaces.models import Workspace

EVERY, FEW = 20, 5
"""One of so many is spoilt; of what is rare."""
BEHIND = 200
"""Seconds."""


def drop() -> None:
    """Says of one that it was delivered, and does not send it."""
    start, count = Window.start, itertools.count(1)

    def spoilt(window: Window[Any], key: Any, request: PreparedRequest, limits: Any) -> None:
        if next(count) % EVERY:
            start(window, key, request, limits)
        else:
            _pretend(window, key)

    _put(Window, "start", spoilt)


def forget() -> None:
    """Leaves one delivery out when an event is fanned out."""
    match, count = fanout._match, itertools.count(1)

    def spoilt(*arguments: Any) -> list[fanout.Match]:
        return [found for found in match(*arguments) if next(count) % EVERY]

    _put(fanout, "_match", spoilt)


def twice() -> None:
    """Sends one twice."""
    start, count = Window.start, itertools.count(1)

    def spoilt(window: Window[Any], key: Any, request: PreparedRequest, limits: Any) -> None:
        if not next(count) % EVERY:
            _send(request)
        start(window, key, request, limits)

    _put(Window, "start", spoilt)


def swap() -> None:
    """Keeps one back, and sends it after a later event of its case to the same receiver."""
    start = Window.start
    kept: dict[tuple[str, str], PreparedRequest] = {}

    def spoilt(window: Window[Any], key: Any, request: PreparedRequest, limits: Any) -> None:
        place = (str(request.url), _case(request))
        if place in kept:
            _send(request)
            _send(kept.pop(place))
            _pretend(window, key)
        elif _sequence(request) == 1 and "/ordered" in place[0]:
            kept[place] = request
            _pretend(window, key)
        else:
            start(window, key, request, limits)

    _put(Window, "start", spoilt)


def leak() -> None:
    """Lets subscriptions see the events of every workspace."""
    read = fanout._subscribers

    def spoilt(workspaces: set[UUID]) -> dict[UUID, list[fanout.Subscriber]]:
        everybody = read(set(Workspace.objects.values_list("pk", flat=True)))
        return {key: [one for each in everybody.values() for one in each] for key in workspaces}

    _put(fanout, "_subscribers", spoilt)


def forge() -> None:
    """Signs one body with another secret."""
    sign, count = signing.sign, itertools.count(1)

    def spoilt(event_id: str, timestamp: int, body: bytes, secrets: Any) -> dict[str, str]:
        return sign(event_id, timestamp, body, secrets if next(count) % EVERY else ["of somebody else"])

    _put(signing, "sign", spoilt)


def abandon() -> None:
    """Gives one up that has retries left."""
    decide, count = retry.decide, itertools.count(1)

    def spoilt(*arguments: Any) -> retry.Decision:
        decided = decide(*arguments)
        return retry.Decision("failed") if decided.state == "retry" and not next(count) % FEW else decided

    _put(retry, "decide", spoilt)


def backdate() -> None:
    """Signs by a clock that is minutes behind; official libraries would still take it."""
    sign = signing.sign

    def spoilt(event_id: str, timestamp: int, body: bytes, secrets: Any) -> dict[str, str]:
        return sign(event_id, timestamp - BEHIND, body, secrets)

    _put(signing, "sign", spoilt)


def mislabel() -> None:
    """Says of one that it is of another workspace."""

    def change(counters: Counters, parts: Parts) -> tuple[Counters, Parts]:
        return counters, Parts(parts.context.replace('"workspace":{"id":"', '"workspace":{"id":"x'), parts.entity)

    _bend_body(change)


def recount() -> None:
    """Says of one that it is the second retry."""
    _bend_body(lambda counters, parts: (replace(counters, retry_count=2), parts))


def _bend_body(change: Callable[[Counters, Parts], tuple[Counters, Parts]]) -> None:
    build, count = envelope.body, itertools.count(1)

    def spoilt(event: str, sub_event: str, event_id: str, counters: Counters, parts: Parts) -> bytes:
        if not next(count) % EVERY:
            counters, parts = change(counters, parts)
        return build(event, sub_event, event_id, counters, parts)

    _put(courier, "body", spoilt)


def miscount() -> None:
    """Counts one attempt more than was made."""
    write, count = settle._write, itertools.count(1)

    def spoilt(outcomes: Any, worker: str) -> None:
        write(outcomes, worker)
        if not next(count) % EVERY:
            Delivery.objects.filter(pk=outcomes[0].delivery_id).update(attempts=F("attempts") + 1)

    _put(settle, "_write", spoilt)


WAYS: Mapping[str, Callable[[], None]] = {
    way.__name__: way
    for way in (drop, forget, abandon, twice, swap, leak, mislabel, forge, backdate, recount, miscount)
}


def _put(where: object, name: str, spoilt: Callable[..., Any]) -> None:
    setattr(where, name, spoilt)


def _pretend(window: Window[Any], key: Any) -> None:
    """An answer that never came."""
    answer = Answer(PreparedRequest(), 200, "", Headers([]), b"")
    window._finished.append(Finished(key, answer, None, 0.001))


def _send(request: PreparedRequest) -> None:
    """Past the engine, and at once."""
    url = urlsplit(str(request.url))
    connection = http.client.HTTPConnection("127.0.0.1", url.port, timeout=5)
    body = request.body
    connection.request("POST", url.path, body if isinstance(body, bytes) else b"", dict(request.headers))
    connection.getresponse().read()
    connection.close()


def _body(request: PreparedRequest) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(request.body or b"{}")
    return content


def _case(request: PreparedRequest) -> str:
    content = _body(request)
    return str(content.get("case", {}).get("id"))


def _sequence(request: PreparedRequest) -> int:
    sequence: int = _body(request)["context"]["sequence"]
    return sequence

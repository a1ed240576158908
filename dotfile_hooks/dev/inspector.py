"""The inspector of `make run`: a URL that takes webhooks, and a page that shows them as they arrive.

`python -m dotfile_hooks.dev.inspector --port P`, with INSPECTOR_TOKEN in the environment. It takes POSTs at
/in/TOKEN/NAME, whatever the name: one for each subscription, since secrets are kept by name. Add `?answer=503` to see
how a refusal is retried.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import secrets
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from . import processes, recording, web
from .recording import Post

KEPT = 500  # POSTs the page can show; older ones go
HOSTS = {"127.0.0.1", "localhost"}  # any other Host is a foreign page that reaches for loopback through DNS
PAGE = Path(__file__).with_name("inspector.html")


@dataclass
class Inbox:
    """What has arrived, newest last, and the secrets it is checked with, by the name in the address."""

    secrets: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set), repr=False)
    posts: deque[tuple[int, Post]] = field(default_factory=lambda: deque(maxlen=KEPT))
    lock: threading.Lock = field(default_factory=threading.Lock)
    # From the time (microseconds): a page left open over a restart has seen smaller numbers only.
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(time.time_ns() // 1000))

    def receive(self, name: str, headers: dict[str, str], body: bytes, answer: int) -> None:
        with self.lock:
            self.posts.append((next(self.numbers), Post(name, time.time(), answer, headers, body)))

    def know(self, name: str, secret: str) -> None:
        """From now on, what comes to the name is checked with this secret too, what has arrived before included."""
        with self.lock:
            if secret:
                self.secrets[name].add(secret)

    def after(self, number: int) -> list[dict[str, Any]]:
        """What arrived after the POST of that number, for the page."""
        with self.lock:
            known, posts = {name: set(each) for name, each in self.secrets.items()}, list(self.posts)
        return [_shown(each, post, known) for each, post in posts if each > number]


def _verdict(holds: Callable[[Post, str], bool], post: Post, known: Mapping[str, Collection[str]]) -> bool | None:
    """Whether a signature holds. None: no secret fits, and none is known for this name, so nothing can be said."""
    if own := known.get(post.path):
        return any(holds(post, secret) for secret in own)
    return any(holds(post, secret) for secrets in known.values() for secret in secrets) or None


def _shown(number: int, post: Post, known: Mapping[str, Collection[str]]) -> dict[str, Any]:
    content, context = post.content, post.context
    return {
        "number": number,
        "name": post.path,
        "at": post.received_at,
        "event": str(content.get("event", "")),
        "sub_event": str(content.get("sub_event") or ""),
        "retry_count": context.get("retry_count"),
        "remaining": context.get("remaining_retry_count"),
        "answered": post.answered,
        "headers": dict(post.headers),
        "body": post.body.decode(errors="replace"),
        "standard": _verdict(recording.standard_holds, post, known),
        "plain": _verdict(recording.hmac_holds, post, known),
    }


class Inspector(web.Server):
    """The HTTP server, with its inbox."""

    def __init__(self, port: int, token: str, inbox: Inbox) -> None:
        super().__init__(port, Handler)
        self.token, self.inbox = token, inbox


class Handler(web.Handler):
    """The inbox below /in/TOKEN takes anything; the page and what it asks for lie below /TOKEN/."""

    server: Inspector

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        token = self.server.token
        routes: dict[str, Callable[[], None]] = {
            f"/{token}/": self._page,
            f"/{token}/posts": partial(self._posts, parse_qs(url.query).get("after", ["0"])[0]),
        }
        self._route(routes, url.path)

    def do_POST(self) -> None:
        url, body = urlsplit(self.path), self.body()
        token, options = self.server.token, parse_qs(url.query)
        inbox, name = f"/in/{token}", ""
        path = url.path
        if path.startswith(f"{inbox}/"):
            path, name = inbox, path.removeprefix(f"{inbox}/")
        routes: dict[str, Callable[[], None]] = {
            inbox: partial(self._receive, name, body, options.get("answer", ["200"])[0]),
            f"/{token}/secrets": partial(self._know, options.get("name", [""])[0], body),
        }
        self._route(routes, path)

    def _route(self, routes: dict[str, Callable[[], None]], path: str) -> None:
        host = urlsplit(f"//{self.headers.get('Host', '')}").hostname
        if host not in HOSTS or path not in routes:
            self.reply(404, b"There is nothing here.\n", {"Content-Type": "text/plain"})
            return
        routes[path]()

    def _receive(self, name: str, body: bytes, answer: str) -> None:
        status = int(answer) if answer.isdecimal() and 200 <= int(answer) <= 599 else 200
        self.server.inbox.receive(name, self.lower_headers(), body, status)
        self.reply(status, b"seen\n" if status not in (204, 304) else b"", {"Content-Type": "text/plain"})

    def _know(self, name: str, body: bytes) -> None:
        self.server.inbox.know(name, body.decode(errors="replace").strip())
        self._json({})

    def _posts(self, after: str) -> None:
        self._json(self.server.inbox.after(int(after) if after.isdecimal() else 0))

    def _json(self, value: object) -> None:
        self.reply(200, json.dumps(value).encode(), {"Content-Type": "application/json", "Cache-Control": "no-store"})

    def _page(self) -> None:
        nonce = secrets.token_urlsafe(16)
        # What arrives is foreign text. The page shows it as text only; this makes sure that nothing in it can run.
        policy = f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'"
        body = PAGE.read_text().replace("{{nonce}}", nonce).replace("{{token}}", self.server.token)
        headers = {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": policy}
        self.reply(200, body.encode(), {**headers, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    port = parser.parse_args().port
    processes.end_cleanly()
    with processes.sentences(), Inspector(port, os.environ["INSPECTOR_TOKEN"], Inbox()) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()

"""The inspector of `make run`: a URL that takes webhooks, and a page that shows them as they arrive.

`python -m dotfile_hooks.dev.inspector --port P`, with INSPECTOR_TOKEN and INSPECTOR_SECRETS (space-separated) in the
environment. Add `?answer=503` to the URL to see how a refusal is retried.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable
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
    """What has arrived, newest last, and the secrets it is checked with."""

    secrets: list[str] = field(default_factory=list, repr=False)
    posts: deque[tuple[int, Post]] = field(default_factory=lambda: deque(maxlen=KEPT))
    lock: threading.Lock = field(default_factory=threading.Lock)
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def receive(self, path: str, headers: dict[str, str], body: bytes, answer: int) -> None:
        with self.lock:
            self.posts.append((next(self.numbers), Post(path, time.time(), answer, headers, body)))

    def know(self, secret: str) -> None:
        """From now on, everything is checked with this secret too, what has arrived before included."""
        with self.lock:
            if secret and secret not in self.secrets:
                self.secrets.append(secret)

    def after(self, number: int) -> list[dict[str, Any]]:
        """What arrived after the POST of that number, for the page."""
        with self.lock:
            known, posts = list(self.secrets), list(self.posts)
        return [_shown(each, post, known) for each, post in posts if each > number]


def _shown(number: int, post: Post, known: list[str]) -> dict[str, Any]:
    content, context = post.content, post.context
    return {
        "number": number,
        "at": post.received_at,
        "event": str(content.get("event", "")),
        "sub_event": str(content.get("sub_event") or ""),
        "retry_count": context.get("retry_count"),
        "remaining": context.get("remaining_retry_count"),
        "answered": post.answered,
        "headers": dict(post.headers),
        "body": post.body.decode(errors="replace"),
        # None: no secret is known, so nothing can be said.
        "standard": any(recording.standard_holds(post, each) for each in known) if known else None,
        "plain": any(recording.hmac_holds(post, each) for each in known) if known else None,
    }


class Inspector(web.Server):
    """The HTTP server, with its inbox."""

    def __init__(self, port: int, token: str, inbox: Inbox) -> None:
        super().__init__(port, Handler)
        self.token, self.inbox = token, inbox


class Handler(web.Handler):
    """The inbox at /in/TOKEN takes anything; the page and what it asks for lie below /TOKEN/."""

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
        token = self.server.token
        answer = parse_qs(url.query).get("answer", ["200"])[0]
        routes: dict[str, Callable[[], None]] = {
            f"/in/{token}": partial(self._receive, body, answer),
            f"/{token}/secrets": partial(self._know, body),
        }
        self._route(routes, url.path)

    def _route(self, routes: dict[str, Callable[[], None]], path: str) -> None:
        host = urlsplit(f"//{self.headers.get('Host', '')}").hostname
        if host not in HOSTS or path not in routes:
            self.reply(404, b"There is nothing here.\n", {"Content-Type": "text/plain"})
            return
        routes[path]()

    def _receive(self, body: bytes, answer: str) -> None:
        status = int(answer) if answer.isdigit() and 200 <= int(answer) <= 599 else 200
        self.server.inbox.receive(self.path, self.lower_headers(), body, status)
        self.reply(status, b"seen\n" if status not in (204, 304) else b"", {"Content-Type": "text/plain"})

    def _know(self, body: bytes) -> None:
        self.server.inbox.know(body.decode(errors="replace").strip())
        self._json({})

    def _posts(self, after: str) -> None:
        self._json(self.server.inbox.after(int(after) if after.isdigit() else 0))

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
    inbox = Inbox(os.environ.get("INSPECTOR_SECRETS", "").split())
    with processes.sentences(), Inspector(port, os.environ["INSPECTOR_TOKEN"], inbox) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()

"""The demo's receiver, a process of its own: writes down each POST, and refuses the first tries of one event.

`python -m dotfile_hooks.dev.receiver --port P --record FILE [--refuse EVENT --retry-after S,S]`
"""

from __future__ import annotations

import argparse
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from . import processes, web
from .recording import Post


@dataclass
class Book:
    """Where POSTs are written down, and which are refused: one Retry-After (seconds) for each refusal, in order."""

    file: Path
    refuse: str = ""
    retry_after: Iterator[str] = field(default_factory=lambda: iter(()))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str]]:
        """Records the POST; returns the status and headers to answer with."""
        received_at = time.time()
        with self.lock:
            extra = self._refusal(body)
            status = 503 if extra else 200
            with self.file.open("a") as file:
                file.write(Post(path, received_at, status, headers, body).to_line())
        return status, extra

    def _refusal(self, body: bytes) -> dict[str, str]:
        if not self.refuse or json.loads(body or b"{}").get("event") != self.refuse:
            return {}
        seconds = next(self.retry_after, None)
        return {} if seconds is None else {"Retry-After": seconds}


class Receiver(web.Server):
    """The HTTP server, with its book."""

    def __init__(self, port: int, book: Book) -> None:
        super().__init__(port, Handler)
        self.book = book


class Handler(web.Handler):
    """Thanks for every POST, or asks to come back later."""

    server: Receiver

    def do_POST(self) -> None:
        status, extra = self.server.book.answer(self.path, self.lower_headers(), self.body())
        text = b"thank you\n" if status == 200 else b"busy, come back later\n"
        self.reply(status, text, {"Content-Type": "text/plain", **extra})


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--record", type=Path, required=True)
    parser.add_argument("--refuse", default="")
    parser.add_argument("--retry-after", default="", help="comma-separated seconds, one for each refusal")
    options = parser.parse_args()
    processes.end_cleanly()
    book = Book(options.record, options.refuse, iter(filter(None, options.retry_after.split(","))))
    with processes.sentences(), Receiver(options.port, book) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()

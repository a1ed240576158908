"""A receiver in a thread: keeps what arrives and answers as a test tells it to."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from dotfile_hooks.dev.recording import Post


@dataclass
class Answer:
    """What a receiver says."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"ok"
    after: threading.Event | None = None
    """Answer only when this is set."""
    takes: float = 0.0
    """Seconds that the answer takes: what is tested is what happens meanwhile."""


class Receiver:
    """What arrived, in order of arrival; `answer` decides what each POST is told."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.posts: list[Post] = []
        self.answered = 0
        """How many of them were answered, or are about to be."""
        self.answer: Callable[[Post], Answer] = lambda post: Answer()
        self._arrival = threading.Condition()

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def take(self, post: Post) -> Answer:
        with self._arrival:
            self.posts.append(post)
            answer = self.answer(post)
            self._arrival.notify_all()
        return answer

    def about_to_answer(self) -> None:
        with self._arrival:
            self.answered += 1

    def wait_for(self, count: int, seconds: float = 60.0) -> list[Post]:
        """The POSTs, once there are so many. Raises TimeoutError."""
        with self._arrival:
            if not self._arrival.wait_for(lambda: len(self.posts) >= count, seconds):
                raise TimeoutError(f"{len(self.posts)} of {count} POSTs arrived in {seconds:g} s.")
            return list(self.posts)

    @property
    def names(self) -> list[str]:
        return [post.name for post in self.posts]

    @property
    def event_ids(self) -> set[str]:
        return {post.headers["webhook-id"] for post in self.posts}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    receiver: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.receiver.take(Post(self.path, time.time(), 0, headers, body))
        if answer.after:
            answer.after.wait(90)  # longer than any test waits
        time.sleep(answer.takes)
        self.receiver.about_to_answer()
        self.send_response(answer.status)
        for name, value in {**answer.headers, "Content-Length": str(len(answer.body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, *arguments: object) -> None: ...


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512

    def handle_error(self, *arguments: object) -> None: ...  # a killed worker resets its connections: expected


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver on a free port of loopback."""

    class Handler(_Handler): ...

    with _Server(("127.0.0.1", 0), Handler) as server:
        Handler.receiver = Receiver(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield Handler.receiver
        server.shutdown()
        thread.join()

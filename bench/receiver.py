"""The receivers of a run, in a process of their own: writes down every POST, and answers as its path says.

`python -m bench.receiver FOLDER` writes its port into FOLDER/port and a line for each POST into FOLDER/posts: path,
event, when it arrived and when it was answered (unix seconds). The first part of a path is how it behaves: /ok, /slow
(answers after SLOW seconds), /hole (accepts, never answers). A GET answers how many POSTs have arrived.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, NamedTuple

SLOW = 0.005
FLUSH = 0.1
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Post(NamedTuple):
    """One request as its receiver saw it."""

    path: str
    event: str
    received_at: float
    answered_at: float
    """0: never."""


def read(folder: Path, after: int = 0) -> Iterator[Post]:
    """What was written down so far, but for so many bytes at the beginning."""
    with (folder / "posts").open() as lines:
        lines.seek(after)
        for line in lines:
            if line.endswith("\n"):
                path, event, received, answered = line.split()
                yield Post(path, event, float(received), float(answered))


def most_at_a_time(posts: Sequence[Post]) -> int:
    """The greatest number of requests that waited for their answers at one moment."""
    moments = [(post.received_at, 1) for post in posts] + [(post.answered_at, -1) for post in posts if post.answered_at]
    now = most = 0
    for _, step in sorted(moments):
        now += step
        most = max(most, now)
    return most


def most_in_a_second(posts: Sequence[Post]) -> int:
    """The greatest number of requests that arrived within any one second."""
    times = sorted(post.received_at for post in posts)
    first = most = 0
    for number, moment in enumerate(times):
        while times[first] <= moment - 1:
            first += 1
        most = max(most, number - first + 1)
    return most


class Connection(asyncio.Protocol):
    """One client's connection; requests come one after another."""

    transport: asyncio.Transport
    count = 0

    def __init__(self, record: IO[str]) -> None:
        self._record = record
        self._read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._read += data
        head, found, rest = self._read.partition(b"\r\n\r\n")
        if not found:
            return
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        size = int(headers.get("content-length", 0))
        if len(rest) < size:
            return
        self._read = rest[size:]
        method, path, _ = first.split(" ")
        if method == "GET":
            text = str(Connection.count).encode()
            self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(text) + text)
        else:
            self._take(path, headers.get("webhook-id", "-"))

    def _take(self, path: str, event: str) -> None:
        Connection.count += 1
        now = time.time()
        if path.startswith("/hole"):
            self._write_down(path, event, now, 0)
        elif path.startswith("/slow"):
            asyncio.get_running_loop().call_later(SLOW, self._answer, path, event, now)
        else:
            self._answer(path, event, now)

    def _answer(self, path: str, event: str, received: float) -> None:
        self.transport.write(OK)
        self._write_down(path, event, received, time.time())

    def _write_down(self, path: str, event: str, received: float, answered: float) -> None:
        self._record.write(f"{path} {event} {received:.6f} {answered:.6f}\n")


async def serve(folder: Path) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    with (folder / "posts").open("w") as record:
        server = await loop.create_server(lambda: Connection(record), "127.0.0.1", 0, backlog=1024)
        draft = folder / "port.draft"
        draft.write_text(str(server.sockets[0].getsockname()[1]))
        draft.rename(folder / "port")
        while not stop.is_set():
            record.flush()
            await asyncio.sleep(FLUSH)
        server.close()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))

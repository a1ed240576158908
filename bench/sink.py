"""A receiver that is made for speed: answers every POST with 200 and counts; a GET answers how many have come.

`python -m bench.sink FOLDER [--record]` writes its port into FOLDER/port and, when asked to, a line for each POST into
FOLDER/posts, as bench.receiver does, but only when none has come for a while: what is measured does not pay for it. A
GET that comes later is answered when all is written. One thread, one loop over raw sockets; it knows as much HTTP as
our senders speak.
"""

from __future__ import annotations

import gc
import re
import select
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from .receiver import FLUSH, OK

READ = 65536
"""Bytes: many times a request."""
LENGTH = b"\r\nContent-Length: "
SPELLED_OTHERWISE = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)", re.IGNORECASE)
FLOOD = 50_000
CONNECTIONS = 32
"""Of the flood: as many as one subscription gets."""


class Sink:
    """Reads, counts, answers."""

    def __init__(self, record: IO[bytes] | None = None) -> None:
        self.count = 0
        self._record = record
        self._heads: list[tuple[float, bytes]] = []
        """When they came, and what is still to be written down of them."""
        self._poll = select.epoll()
        self._connections: dict[int, socket.socket] = {}
        self._parts: dict[int, bytes] = {}
        """Beginnings of requests, by descriptor."""
        self._stopping = False

    def stop(self, *signalled: object) -> None:
        self._stopping = True

    def serve(self, listener: socket.socket) -> None:
        """Until `stop`."""
        self._poll.register(listener, select.EPOLLIN)
        listening = listener.fileno()
        while not self._stopping:
            ready = self._poll.poll(FLUSH)
            for descriptor, _ in ready:
                if descriptor == listening:
                    self._accept(listener)
                else:
                    self._read(descriptor)
            if not ready and self._heads:
                self._flush()

    def _accept(self, listener: socket.socket) -> None:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connections[connection.fileno()] = connection
        self._poll.register(connection, select.EPOLLIN)

    def _read(self, descriptor: int) -> None:
        connection = self._connections[descriptor]
        try:
            data = connection.recv(READ)
            if not data:
                return self._close(descriptor)
            if descriptor in self._parts:
                data = self._parts.pop(descriptor) + data
            while size := size_of_first(data):
                self._answer(connection, data)
                data = data[size:]
        except OSError:  # it went away
            return self._close(descriptor)
        if data:
            self._parts[descriptor] = data
        return None

    def _answer(self, connection: socket.socket, data: bytes) -> None:
        if data.startswith(b"GET"):
            text = b"%d" % self.count
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text))
            return
        self.count += 1
        if self._record:
            self._heads.append((time.time(), data[: data.index(b"\r\n\r\n") + 2]))
        connection.send(OK)

    def _close(self, descriptor: int) -> None:
        self._parts.pop(descriptor, None)
        self._connections.pop(descriptor).close()

    def _flush(self) -> None:
        assert self._record is not None
        self._record.write(b"".join(_line(*each) for each in self._heads))
        self._record.flush()
        self._heads.clear()


def size_of_first(data: bytes) -> int:
    """Bytes of the first request in it; 0 while it is not whole."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return 0
    start = data.find(LENGTH, 0, end)
    if start >= 0:
        start += len(LENGTH)
        length = int(data[start : data.index(b"\r", start)])
    else:
        found = SPELLED_OTHERWISE.search(data, 0, end)
        length = int(found[1]) if found else 0
    size = end + 4 + length
    return size if len(data) >= size else 0


def _line(now: float, head: bytes) -> bytes:
    """As bench.receiver writes it; answered in the moment it arrives."""
    path = head[5 : head.index(b" ", 5)]
    start = head.find(b"webhook-id: ")
    event = head[start + 12 : head.index(b"\r", start)] if start >= 0 else b"-"
    return b"%s %s %.6f %.6f\n" % (path, event, now, now)


def flood(port: int, count: int = FLOOD) -> float:
    """So many POSTs of a webhook's size as fast as they are answered; the seconds they took."""
    request = _request(1500)
    connections = [socket.create_connection(("127.0.0.1", port)) for _ in range(CONNECTIONS)]
    poll, began = select.epoll(), time.monotonic()
    by_descriptor = {each.fileno(): each for each in connections}
    for each in connections:
        poll.register(each, select.EPOLLIN)
        each.send(request)
    for number, descriptor in enumerate(_readable(poll), CONNECTIONS + 1):
        by_descriptor[descriptor].recv(READ)
        if number >= count + CONNECTIONS:
            break
        if number <= count:
            by_descriptor[descriptor].send(request)
    seconds = time.monotonic() - began
    for each in connections:
        each.close()
    return seconds


def _readable(poll: select.epoll) -> Iterator[int]:
    while True:
        for descriptor, _ in poll.poll(30):
            yield descriptor


def _request(size: int) -> bytes:
    lines = [
        "POST /ok/flood HTTP/1.1",
        "Host: 127.0.0.1",
        "Content-Type: application/json",
        "webhook-id: 019b0000-0000-7000-8000-000000000000",
        "webhook-timestamp: 1614265330",
        f"webhook-signature: v1,{'x' * 44}",
        f"Content-Length: {size}",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + b"x" * size


def main(folder: Path, record: bool) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        sink = Sink((folder / "posts").open("wb") if record else None)
        signal.signal(signal.SIGTERM, sink.stop)
        draft = folder / "port.draft"
        draft.write_text(str(listener.getsockname()[1]))
        draft.rename(folder / "port")
        gc.disable()
        sink.serve(listener)


if __name__ == "__main__":
    main(Path(sys.argv[1]), "--record" in sys.argv)

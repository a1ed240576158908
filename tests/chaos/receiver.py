"""The receivers of a run, in a process of their own: keeps every POST in a file and answers as its path says.

`python -m tests.chaos.receiver FOLDER SEED` writes its two ports into FOLDER/ports and POSTs into FOLDER/posts.jsonl.
The first part of a path tells how it behaves in a storm: /ok, /flaky, /down (503), /hang, /drip, /reset. The second
port refuses connections in a storm. `GET /-/calm` ends the storm, `/-/strike` and `/-/work` let all answer 503 for a
while.
"""

from __future__ import annotations

import asyncio
import base64
import json
import random
import signal
import socket
import sys
import time
from pathlib import Path
from typing import IO

from .evidence import RESET, SILENCE

FLAKY = 0.25
"""The share of 500s."""
HANGING = 0.5
"""The share of POSTs that /hang, /drip and /reset treat badly: the others show that the receiver is alive."""
FLUSH = 0.2
DRIPS, DRIP = 40, 0.25
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
REFUSALS = {
    500: b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\n\r\noops",
    503: b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nlate",
}


class Receivers:
    """How all of them feel, and what they have got."""

    def __init__(self, record: IO[str], seed: int) -> None:
        self._record = record
        self._chance = random.Random(seed)
        self.calm = asyncio.Event()
        self.storm, self.striking, self.count = True, False, 0

    def answer(self, path: str) -> int:
        """The status of the answer; SILENCE or RESET for none."""
        kind = path.split("/")[1]
        if self.striking:
            return 503
        if not self.storm or kind == "ok":
            return 200
        if kind == "down":
            return 503
        if kind == "flaky":
            return 500 if self._chance.random() < FLAKY else 200
        bad = self._chance.random() < HANGING
        return {"reset": RESET}.get(kind, SILENCE) if bad else 200

    def keep(self, path: str, answered: int, headers: dict[str, str], body: bytes) -> None:
        self.count += 1
        post = {"path": path, "received_at": time.time(), "answered": answered, "headers": headers}
        self._record.write(json.dumps({**post, "body": base64.b64encode(body).decode()}) + "\n")

    def obey(self, word: str) -> None:
        if word == "calm":
            self.storm = self.striking = False
            self.calm.set()
        elif word in {"strike", "work"}:
            self.striking = word == "strike"

    async def flush(self) -> None:
        while True:
            await asyncio.sleep(FLUSH)
            self._record.flush()


class Connection(asyncio.Protocol):
    """One client's connection; requests come one after another."""

    transport: asyncio.Transport

    def __init__(self, receivers: Receivers) -> None:
        self._receivers = receivers
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
        if len(rest) >= size:
            self._read = rest[size:]
            self._take(first.split(" ")[1], headers, rest[:size])

    def _take(self, path: str, headers: dict[str, str], body: bytes) -> None:
        if path.startswith("/-/"):
            self._receivers.obey(path[3:])
            text = str(self._receivers.count).encode()
            self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(text) + text)
            return
        answered = self._receivers.answer(path)
        self._receivers.keep(path, answered, headers, body)
        if answered == RESET:
            self.transport.abort()
        elif answered == SILENCE:
            if path.startswith("/drip"):
                asyncio.get_running_loop().create_task(self._drip())
        else:
            self.transport.write(OK if answered == 200 else REFUSALS[answered])

    async def _drip(self) -> None:
        self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        for _ in range(DRIPS):
            await asyncio.sleep(DRIP)
            if self.transport.is_closing():
                return
            self.transport.write(b".")


async def serve(folder: Path, seed: int) -> None:
    refusing = socket.socket()
    refusing.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    refusing.bind(("127.0.0.1", 0))
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    with (folder / "posts.jsonl").open("w") as record:
        receivers = Receivers(record, seed)
        server = await loop.create_server(lambda: Connection(receivers), "127.0.0.1", 0, backlog=1024)
        tasks = [loop.create_task(receivers.flush()), loop.create_task(_open(refusing, receivers))]
        port = server.sockets[0].getsockname()[1]
        draft = folder / "ports.draft"
        draft.write_text(f"{port} {refusing.getsockname()[1]}")
        draft.rename(folder / "ports")
        await stop.wait()
        for task in tasks:
            task.cancel()
        server.close()


async def _open(refusing: socket.socket, receivers: Receivers) -> None:
    """Bound and not listening, a port refuses; it opens when the storm is over."""
    await receivers.calm.wait()
    server = await asyncio.get_running_loop().create_server(lambda: Connection(receivers), sock=refusing)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))

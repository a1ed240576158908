"""A receiver with a certificate: answers every POST with 200, and closes the connection if the path says so.

`python -m bench.tls_receiver FOLDER PEM` writes its two ports (plain, TLS) into FOLDER/tls-ports. A path that begins
with /close is answered with "Connection: close". A GET answers with what it has counted, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import signal
import ssl
import sys
from collections import Counter
from pathlib import Path

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n%s\r\nok"
CLOSE = b"Connection: close\r\n"


class Connection(asyncio.Protocol):
    """One client's connection; requests come one after another."""

    transport: asyncio.Transport

    def __init__(self, counts: Counter[str], seen: set[tuple[bytes, bytes]]) -> None:
        self._counts = counts
        self._seen = seen
        self._read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._counts["connections"] += 1
        if tls := transport.get_extra_info("ssl_object"):
            self._counts["handshakes"] += 1
            self._counts["resumed"] += tls.session_reused

    def data_received(self, data: bytes) -> None:
        self._read += data
        head, found, rest = self._read.partition(b"\r\n\r\n")
        size = length(head)
        if not found or len(rest) < size:
            return
        self._read = rest[size:]
        if head.startswith(b"GET"):
            self._tell()
            return
        self._counts["posts"] += 1
        receipt = told(head)
        self._counts["twice"] += receipt in self._seen
        self._seen.add(receipt)
        closing = head.startswith(b"POST /close")
        self.transport.write(OK % (CLOSE if closing else b""))
        if closing:
            self.transport.close()

    def _tell(self) -> None:
        self._counts["connections"] -= 1  # who asks is not counted
        body = json.dumps(self._counts).encode()
        self.transport.write(b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s" % (CLOSE, len(body), body))
        self.transport.close()


def length(head: bytes) -> int:
    """Bytes of the body that follows."""
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def told(head: bytes) -> tuple[bytes, bytes]:
    """The path, and the event that it is told of."""
    start = head.find(b"webhook-id: ")
    return head.split(b" ", 2)[1], head[start : head.find(b"\r", start)] if start >= 0 else b""


async def serve(folder: Path, pem: str) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    counts, seen = Counter[str](), set[tuple[bytes, bytes]]()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    servers = [
        await loop.create_server(lambda: Connection(counts, seen), "127.0.0.1", 0, backlog=1024, ssl=tls)
        for tls in (None, context)
    ]
    draft = folder / "tls-ports.draft"
    draft.write_text(" ".join(str(server.sockets[0].getsockname()[1]) for server in servers))
    draft.rename(folder / "tls-ports")
    await stop.wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), sys.argv[2]))

"""A TCP proxy with moods: it passes everything on, swallows everything (half-open), or cuts what there is."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

PATIENCE = 60
"""Seconds for the proxy's thread to begin, obey or end."""


class _Half(asyncio.Protocol):
    """One direction of a connection."""

    transport: asyncio.Transport | None = None
    other: _Half | None = None

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self._waiting = b""
        self.dead = False
        """Swallows for good: its other end is gone, and nobody told."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._proxy.halves.add(self)
        if self._waiting:
            self.send(self._waiting)

    def data_received(self, data: bytes) -> None:
        if not self.dead and self.other is not None:
            self.other.send(data)

    def send(self, data: bytes) -> None:
        if self.transport is None:
            self._waiting += data
        else:
            self.transport.write(data)

    def connection_lost(self, error: Exception | None) -> None:
        self._proxy.halves.discard(self)
        if self.other is not None and self.other.transport is not None:
            self.other.transport.close()


class _Accepted(_Half):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.dead = self._proxy.swallowing
        if not self.dead:
            self._proxy.loop.create_task(self._dial())

    async def _dial(self) -> None:
        other = self.other = _Half(self._proxy)
        other.other = self
        try:
            await self._proxy.loop.create_connection(lambda: other, "127.0.0.1", self._proxy.target)
        except OSError:
            if self.transport is not None:
                self.transport.abort()


class Proxy:
    """Listens on a port of loopback of its own, and leads to `target`, a port that may change."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.target = 0
        self.swallowing = False
        self.halves: set[_Half] = set()
        self.port = 0
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)

    def __enter__(self) -> Proxy:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(
            self.loop.create_server(lambda: _Accepted(self), "127.0.0.1", 0, backlog=512), self.loop
        ).result(PATIENCE)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *details: object) -> None:
        self._do(self._server.close)
        self.cut()
        self._do(lambda: None)  # what was cut is closed in the turn after
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(PATIENCE)
        self.loop.close()

    def swallow(self) -> None:
        """From now on reads and never answers; connections stay open."""

        def swallow() -> None:
            self.swallowing = True
            for half in self.halves:
                half.dead = True

        self._do(swallow)

    def release(self) -> None:
        """New connections pass again; the old ones stay half-open until their clients give them up."""
        self._do(lambda: setattr(self, "swallowing", False))

    def cut(self) -> None:
        """Ends all connections at once."""

        def end() -> None:
            for half in list(self.halves):
                if half.transport is not None:
                    half.transport.abort()

        self._do(end)

    def _do(self, work: Callable[[], Any]) -> None:
        done: Future[None] = Future()

        def run() -> None:
            work()
            done.set_result(None)

        self.loop.call_soon_threadsafe(run)
        done.result(PATIENCE)

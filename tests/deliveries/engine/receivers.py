"""Receivers that do as they are told: raw sockets with a script each."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable

Script = Callable[[socket.socket], None]
LONG = 20.0  # seconds: longer than any test waits


class Receiver:
    """Listens on a free loopback port; each connection runs `script` in a thread and is then closed."""

    def __init__(
        self, script: Script, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        self._script = script
        self._tls = tls
        self._listener = socket.create_server((host, port), backlog=100)
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self.connections = 0
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://{'localhost' if tls else '127.0.0.1'}:{self.port}/hook"
        self._threads[0].start()

    def close(self) -> None:
        for connection in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        for thread in self._threads:
            thread.join(LONG)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                self._open.append(connection)
                thread = threading.Thread(target=self._run, args=(connection,))
                self._threads.append(thread)
                thread.start()

    def _run(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            spoken = self._tls.wrap_socket(connection, server_side=True) if self._tls else connection
            with spoken:
                self._script(spoken)


def read_request(connection: socket.socket) -> bytes:
    """One request, head and body; b"" at the end of the connection."""
    received = b""
    while b"\r\n\r\n" not in received:
        piece = connection.recv(65536)
        if not piece:
            return b""
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def says(answer: bytes, then: Script | None = None) -> Script:
    """Reads a request, sends `answer`, does `then`."""

    def script(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(answer)
        if then:
            then(connection)

    return script


def repeats(before: bytes, piece: bytes, pause: float = 0.0) -> Script:
    """Answers `before`, then `piece` for ever, with `pause` seconds between."""

    def script(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(before)
        while True:
            connection.sendall(piece)
            time.sleep(pause)

    return script


def keeps_alive(answer: bytes, seen: list[bytes]) -> Script:
    """Answers each request of a connection, and notes it in `seen`."""

    def script(connection: socket.socket) -> None:
        while request := read_request(connection):
            seen.append(request)
            connection.sendall(answer)

    return script


def hangs(connection: socket.socket) -> None:
    """Keeps the connection open and says nothing until the other side closes."""
    connection.settimeout(LONG)
    while connection.recv(65536):
        pass


def never_reads(connection: socket.socket) -> None:
    """Takes a connection and no byte of it until the receiver is closed: the sender's window fills up."""
    while connection.fileno() != -1:
        time.sleep(0.05)


def reads_slowly(connection: socket.socket) -> None:
    """A byte now and then."""
    while connection.recv(1):
        time.sleep(0.05)


def resets(connection: socket.socket) -> None:
    """Ends the connection with a TCP reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

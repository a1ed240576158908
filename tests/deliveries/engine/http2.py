"""Just as much of HTTP/2 (RFC 9113, RFC 7541) as hostile receivers need."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable

from .receivers import Script

Answer = Callable[[socket.socket, int], None]

HEADERS, SETTINGS = 1, 4
END_STREAM, END_HEADERS, ACKNOWLEDGED = 1, 4, 1


def frame(kind: int, flags: int, stream: int | bytes, payload: bytes = b"") -> bytes:
    """`stream` may be four bytes that somebody puts a number in for."""
    number = stream if isinstance(stream, bytes) else struct.pack("!I", stream)
    return struct.pack("!I", len(payload))[1:] + bytes([kind, flags]) + number + payload


def header(name: bytes, value: bytes) -> bytes:
    """A literal header that goes into the table."""
    return b"\x40" + _length(len(name)) + name + _length(len(value)) + value


def _length(number: int) -> bytes:
    if number < 127:
        return bytes([number])
    written, left = [127], number - 127
    while left >= 128:
        written.append(left % 128 + 128)
        left //= 128
    return bytes([*written, left])


def http2(answer: Answer) -> Script:
    """Greets as it should, and calls `answer` once a stream's request is complete."""

    def script(connection: socket.socket) -> None:
        with connection.makefile("rb") as reader:
            reader.read(24)  # the client's preface
            connection.sendall(frame(SETTINGS, 0, 0))
            while len(head := reader.read(9)) == 9:
                kind, flags, stream = head[3], head[4], int.from_bytes(head[5:9], "big")
                reader.read(int.from_bytes(head[:3], "big"))
                if kind == SETTINGS and not flags & ACKNOWLEDGED:
                    connection.sendall(frame(SETTINGS, ACKNOWLEDGED, 0))
                elif kind <= HEADERS and flags & END_STREAM:
                    answer(connection, stream)

    return script


speaks_http2 = http2(
    lambda connection, stream: connection.sendall(frame(HEADERS, END_HEADERS | END_STREAM, stream, b"\x88"))
)
"""Answers 200 to each request."""

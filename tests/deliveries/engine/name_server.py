"""A name server that answers, fails or says nothing, as its zone tells; long answers over TCP."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator

from .receivers import LONG

Zone = Callable[[str, int], "list[str] | int | None"]
ALIAS = "alias of "
"""A zone's word for a CNAME: "alias of inside.example.test", with the addresses of that name after it."""
LARGEST_PACKET = 1232  # bytes; what DNS sends over UDP today


def family_zone(v4: list[str] | None = None, v6: list[str] | None = None) -> Zone:
    """Every name has these addresses."""
    found: dict[int, list[str]] = {socket.AF_INET: v4 or [], socket.AF_INET6: v6 or []}
    return lambda _name, family: found.get(family, [])


class NameServer:
    """Answers A and AAAA questions by `zone(name, family)`: addresses, a response code, or None for silence."""

    def __init__(self, zone: Zone, ttl: int = 60) -> None:
        self._zone = zone
        self._ttl = ttl
        # TCP first: of its ports many are taken, of UDP's hardly one.
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(self._listener.getsockname())
        self.asked: list[str] = []
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._threads = [threading.Thread(target=serve) for serve in (self._serve, self._serve_tcp)]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        stop = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        host, port = self.address.split(":")
        with stop:
            stop.sendto(b"", (host, int(port)))
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(LONG)
        self._socket.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while question := self._socket.recvfrom(4096):
                if not question[0]:
                    return
                reply = self._reply(question[0])
                if reply and len(reply) > LARGEST_PACKET:  # cut off, and said to be
                    end = question[0].index(0, 12) + 5
                    reply = reply[:2] + struct.pack("!HHHHH", 0x8380, 1, 0, 0, 0) + question[0][12:end]
                if reply:
                    self._socket.sendto(reply, question[1])

    def _serve_tcp(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with connection, connection.makefile("rb") as reader:
                    while len(length := reader.read(2)) == 2:
                        reply = self._reply(reader.read(int.from_bytes(length, "big"))) or b""
                        connection.sendall(struct.pack("!H", len(reply)) + reply)

    def _reply(self, message: bytes) -> bytes | None:
        labels, at = [], 12
        while message[at]:
            labels.append(message[at + 1 : at + 1 + message[at]].decode())
            at += 1 + message[at]
        name, question = ".".join(labels).lower(), message[12 : at + 5]
        family = {1: socket.AF_INET, 28: socket.AF_INET6}.get(int.from_bytes(message[at + 1 : at + 3], "big"), 0)
        self.asked.append(name)
        found = self._zone(name, family)
        if found is None:
            return None
        code, addresses = (found, []) if isinstance(found, int) else (0, found)
        header = struct.pack("!HHHHH", 0x8180 | code, 1, len(addresses), 0, 0)
        return message[:2] + header + question + b"".join(self._records(addresses, family, message[at + 1 : at + 3]))

    def _records(self, entries: list[str], family: int, kind: bytes) -> Iterator[bytes]:
        owner = b"\xc0\x0c"  # the name that was asked for
        for entry in entries:
            alias = entry.startswith(ALIAS)
            data = _encoded(entry.removeprefix(ALIAS)) if alias else socket.inet_pton(family, entry)
            yield owner + (b"\0\5" if alias else kind) + struct.pack("!HIH", 1, self._ttl, len(data)) + data
            owner = data if alias else owner


def _encoded(name: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"

"""A name server that answers, fails or says nothing, as its zone tells."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable

from .receivers import LONG

Zone = Callable[[str, int], "list[str] | int | None"]


def family_zone(v4: list[str] | None = None, v6: list[str] | None = None) -> Zone:
    """Every name has these addresses."""
    found: dict[int, list[str]] = {socket.AF_INET: v4 or [], socket.AF_INET6: v6 or []}
    return lambda _name, family: found.get(family, [])


class NameServer:
    """Answers A and AAAA questions by `zone(name, family)`: addresses, a response code, or None for silence."""

    def __init__(self, zone: Zone, ttl: int = 60) -> None:
        self._zone = zone
        self._ttl = ttl
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.asked: list[str] = []
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        stop = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        host, port = self.address.split(":")
        with stop:
            stop.sendto(b"", (host, int(port)))
        self._thread.join(LONG)
        self._socket.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while question := self._socket.recvfrom(4096):
                if not question[0]:
                    return
                reply = self._reply(question[0])
                if reply:
                    self._socket.sendto(reply, question[1])

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
        records = [socket.inet_pton(family, address) for address in addresses]
        header = struct.pack("!HHHHH", 0x8180 | code, 1, len(records), 0, 0)
        answers = [
            b"\xc0\x0c" + message[at + 1 : at + 5] + struct.pack("!IH", self._ttl, len(record)) + record
            for record in records
        ]
        return message[:2] + header + question + b"".join(answers)

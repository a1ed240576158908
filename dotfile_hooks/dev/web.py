"""A small HTTP server for the development tools: keeps connections alive, logs nothing."""

from __future__ import annotations

from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LARGEST = 8 * 1024 * 1024  # bytes of a body that are read; ours are some kilobytes


class Handler(BaseHTTPRequestHandler):
    """What the receiver and the inspector share."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body of an answer are two writes: the second must not wait for an ACK

    def body(self) -> bytes:
        length = self.headers.get("Content-Length", "")
        return self.rfile.read(min(int(length), LARGEST)) if length.isdigit() else b""

    def lower_headers(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.headers.items()}

    def reply(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Nothing: what arrives is recorded, not logged."""


class Server(ThreadingHTTPServer):
    """Listens on loopback only."""

    daemon_threads = True
    request_queue_size = 128  # the workers open many connections at once

    def __init__(self, port: int, handler: type[Handler]) -> None:
        super().__init__(("127.0.0.1", port), handler)

"""The web server of the Procfile, and a client that asks it one request after another on a connection it keeps."""

from __future__ import annotations

import contextlib
import http.client
import json
import shlex
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dotfile_hooks.dev import processes, stack, supervisor

from . import runs, site
from .results import percentile

MARK = "X-Bench"
"""A header that names the request in gunicorn's log."""
NOT_REFUSED = "1000000"
"""Requests a minute and at once: throttles are asked for each request, and never refuse one."""
THROTTLES = {f"{kind}_{what}": NOT_REFUSED for kind in ("READS", "WRITES") for what in ("PER_MINUTE", "BURST")}
WARM_UP = 20
"""Requests that are not counted: connections, caches, plans."""


@dataclass(frozen=True)
class Times:
    """The same request, many times. Milliseconds, and CPU milliseconds for each."""

    server: list[float]
    """As gunicorn counts: from the request's head to the end of the answer."""
    client: list[float]
    """From the first byte sent to the last one read."""
    cpu: dict[str, float]
    """By program."""
    size: int
    """Bytes of the answer."""

    def row(self, name: str) -> list[str | float]:
        """As COLUMNS says."""
        server = [percentile(self.server, share) for share in (0.5, 0.95, 0.99)]
        cpu = [self.cpu.get(program, 0.0) for program in ("web", "PostgreSQL")]
        return [name, *server, percentile(self.client, 0.5), *cpu, self.size / 1000]


COLUMNS = ["", "p50", "p95", "p99", "client p50", "web CPU", "PostgreSQL CPU", "kB"]


class Web:
    """One web server that answers."""

    def __init__(self, found: site.Site, module: str = "dotfile_hooks.wsgi", **environment: str) -> None:
        self.port = processes.free_port()
        self._log = found.folder / f"access-{self.port}"
        self._site, self._number = found, 0
        told = f"--access-logfile {shlex.quote(str(self._log))} --access-logformat '%({{{MARK.lower()}}}i)s %(D)s'"
        command = supervisor.procfile()["web"].replace("dotfile_hooks.wsgi", module)
        mine = {"PORT": str(self.port), "GUNICORN_CMD_ARGS": told, **THROTTLES, **environment}
        self.program = found.programs.start("web", command, **mine)
        found.programs.wait_for("the web server", lambda: stack.answers(f"http://127.0.0.1:{self.port}/v1/ping"))

    def stop(self) -> None:
        self._site.stop(self.program)

    @contextlib.contextmanager
    def client(self, key: str) -> Iterator[Client]:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            yield Client(self, connection, {"X-DOTFILE-API-KEY": key})

    def next_mark(self) -> str:
        self._number += 1
        return str(self._number)

    def logged(self, marks: Sequence[str]) -> list[float]:
        """Milliseconds that the server took for each of these requests. It writes its log after the answer."""
        site.wait_until(lambda: set(marks) <= _read(self._log).keys(), 10, "the log of the web server")
        times = _read(self._log)
        return [times[mark] for mark in marks]

    def measure(self, key: str, path: str, rounds: int) -> Times:
        """GETs the path so many times."""
        marks, took = [], []
        with self.client(key) as client:
            for _ in range(WARM_UP):
                client.get(path)
            before = self._site.cpu()
            for _ in range(rounds):
                began = time.perf_counter()
                client.get(path)
                took.append(1000 * (time.perf_counter() - began))
                marks.append(client.mark)
            used = runs.spent(before, self._site.cpu())
        cpu = {name: 1000 * seconds / rounds for name, seconds in used.items()}
        return Times(self.logged(marks), took, cpu, client.size)


@dataclass
class Client:
    """Sends one key, one request at a time. Raises RuntimeError for an answer that is no success."""

    web: Web
    connection: http.client.HTTPConnection
    headers: dict[str, str]
    mark: str = ""
    """Of the latest request."""
    size: int = 0
    """Bytes of the latest answer."""

    def get(self, path: str) -> bytes:
        return self._send("GET", path)

    def post(self, path: str, body: Any) -> bytes:
        return self._send("POST", path, json.dumps(body).encode())

    def _send(self, method: str, path: str, body: bytes | None = None) -> bytes:
        self.mark = self.web.next_mark()
        headers = {**self.headers, MARK: self.mark, "Content-Type": "application/json"}
        self.connection.request(method, f"/v1/{path}", body, headers)
        response = self.connection.getresponse()
        content = response.read()
        if response.status not in (200, 201):
            raise RuntimeError(f"{method} /v1/{urlsplit(path).path} was answered with {response.status}.")
        self.size = len(content)
        return content


def _read(log: Path) -> dict[str, float]:
    """Milliseconds by mark."""
    lines = (line.split() for line in log.read_text().splitlines())
    return {mark: int(took) / 1000 for mark, took in lines if mark != "-"}

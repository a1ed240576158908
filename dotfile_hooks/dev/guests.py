"""Places of our own on servers that somebody gave us: a new PostgreSQL database, and Redis databases that were empty.

What is there already is neither read nor changed.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from typing import Any
from urllib.parse import SplitResult, urlsplit

import psycopg2
import redis

from .processes import StartError

CLAIM = "dotfile-hooks:claim"  # this key says whose a Redis database is, for as long as the run lasts
MOST = 256  # Redis databases that are looked at; a server has 16 unless told otherwise
PATIENCE = 15  # seconds to wait for the answer of a server on a busy machine

# Looking and claiming are one step, so that of two runs at once only one gets a database.
_CLAIM = """
if redis.call('DBSIZE') ~= 0 then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'NX')
return 1
"""
_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('FLUSHDB') end"


@contextlib.contextmanager
def postgres_database(url: str) -> Iterator[str]:
    """Creates a database on the server of `url`; yields its URL; drops it. Raises StartError."""
    try:
        psycopg2.extensions.parse_dsn(url)
    except psycopg2.ProgrammingError:  # not with its text: that repeats the password
        raise StartError("DATABASE_URL must look like postgres://user:password@host:5432/name.") from None
    name = f"demo_{secrets.token_hex(4)}"
    _execute(url, f'CREATE DATABASE "{name}"')
    try:
        yield _rebuilt(urlsplit(url)._replace(path=f"/{name}"))
    finally:
        # FORCE: a process that was killed may still have a connection.
        _execute(url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _execute(url: str, statement: str) -> None:
    try:
        with contextlib.closing(psycopg2.connect(url, connect_timeout=PATIENCE)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)
    except psycopg2.errors.InsufficientPrivilege:
        raise StartError(
            "The account of DATABASE_URL may not create databases, and the demo needs one of its own:"
            " ALTER ROLE ... CREATEDB, or unset DATABASE_URL and REDIS_URL."
        ) from None
    except psycopg2.Error as error:
        raise StartError(f"PostgreSQL at DATABASE_URL refused {statement}: {str(error).strip()}") from None


@contextlib.contextmanager
def redis_database(url: str) -> Iterator[str]:
    """Claims an empty database of the server of `url`; yields its URL; empties it. Raises StartError."""
    owner = secrets.token_hex(8)
    number = claim(url, owner)
    try:
        yield with_number(url, number)
    finally:
        release(url, owner)


def claim(url: str, owner: str) -> int:
    """Marks the next empty Redis database as the owner's and returns its number; the one of `url` comes first.

    Raises StartError when none is empty.
    """
    with _sentences():
        for number in _numbers(url):
            with _client(url, number) as client:
                if client.eval(_CLAIM, 1, CLAIM, owner):
                    return number
    raise StartError(
        "Redis at REDIS_URL has no empty database left, and one with something in it is not touched. Start fewer test"
        " processes (make test ARGS='-n 2'), or empty one with FLUSHDB if what it holds may go: a run that was killed"
        f" leaves its databases behind, each with the key {CLAIM}."
    )


def release(url: str, owner: str) -> None:
    """Empties every Redis database that is the owner's. Raises StartError."""
    with _sentences():
        for number in _numbers(url):
            with _client(url, number) as client:
                client.eval(_RELEASE, 1, CLAIM, owner)


def flush(client: redis.Redis) -> None:
    """Empties a claimed database but for the claim, in one step: meanwhile nobody else finds it empty."""
    owner: Any = client.get(CLAIM)
    with client.pipeline(transaction=True) as pipe:
        pipe.flushdb()
        if owner is not None:
            pipe.set(CLAIM, owner)
        pipe.execute()


def with_number(url: str, number: int) -> str:
    """The URL of another database of the same Redis."""
    return _rebuilt(urlsplit(url)._replace(path=f"/{number}"))


def _rebuilt(parts: SplitResult) -> str:
    # Not geturl(): of postgres:///name?host=/run it drops two slashes.
    return f"{parts.scheme}://{parts.netloc}{parts.path}" + (f"?{parts.query}" if parts.query else "")


def _numbers(url: str) -> Iterator[int]:
    """The databases that the server has: that of `url`, those after it, then those before it."""
    with contextlib.closing(redis.Redis.from_url(url)) as client:
        first = int(client.get_connection_kwargs().get("db") or 0)
    for number in range(first, MOST):
        if not _exists(url, number):
            break
        yield number
    yield from range(first)


def _exists(url: str, number: int) -> bool:
    try:
        with _client(url, number) as client:
            client.ping()
    except redis.ResponseError as error:
        if "index" in str(error).lower():  # DB index is out of range
            return False
        raise
    return True


def _client(url: str, number: int) -> contextlib.closing[redis.Redis]:
    numbered = with_number(url, number)
    return contextlib.closing(redis.Redis.from_url(numbered, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE))


@contextlib.contextmanager
def _sentences() -> Iterator[None]:
    try:
        yield
    except ValueError:  # not with its text: that may be a part of the password
        raise StartError("REDIS_URL must look like redis://:password@host:6379/0.") from None
    except redis.RedisError as error:
        raise StartError(f"Redis at REDIS_URL does not do what is asked of it: {error}") from None

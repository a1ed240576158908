"""On servers that somebody gave us: what is theirs stays as it is, and what was ours is gone afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from typing import Any
from urllib.parse import urlsplit

import psycopg2
import pytest
import redis

from dotfile_hooks.dev import guests, places, servers, supervisor
from dotfile_hooks.dev.processes import StartError
from dotfile_hooks.dev.servers import Servers


@pytest.fixture(scope="module")
def started() -> Iterator[Servers]:
    with servers.throwaway() as urls:
        yield urls


@pytest.fixture
def given(started: Servers, monkeypatch: pytest.MonkeyPatch) -> Iterator[Servers]:
    """Servers in the environment; database 0 of the Redis holds something of their owner's."""
    for name, value in started.environment().items():
        monkeypatch.setenv(name, value)
    with closing(redis.Redis.from_url(started.redis_url)) as client:
        client.flushall()
        client.set("theirs", "precious")
        yield started


def query(url: str, statement: str) -> list[object]:
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return [row[0] for row in cursor.fetchall()] if cursor.description else []


def databases(urls: Servers) -> set[object]:
    return set(query(urls.database_url, "SELECT datname FROM pg_database"))


def filled(urls: Servers) -> dict[str, int]:
    """The Redis databases that hold something, with the number of their keys."""
    with closing(redis.Redis.from_url(urls.redis_url)) as client:
        keyspace: Any = client.info("keyspace")
        return {name: each["keys"] for name, each in keyspace.items()}


def only_theirs_is_left(urls: Servers) -> bool:
    with closing(redis.Redis.from_url(urls.redis_url)) as client:
        return filled(urls) == {"db0": 1} and client.get("theirs") == b"precious"


def test_the_demo_works_in_databases_of_its_own_and_leaves_none(given: Servers) -> None:
    before = databases(given)
    with servers.private() as ours:
        assert ours.database_url != given.database_url
        assert ours.redis_url != given.redis_url
        query(ours.database_url, "CREATE TABLE ours ()")
        assert query(given.database_url, "SELECT to_regclass('ours')") == [None]
        with closing(redis.Redis.from_url(ours.redis_url)) as client:
            client.set("ours", "for now")
    assert databases(given) == before
    assert only_theirs_is_left(given)


def test_the_demos_database_goes_though_somebody_still_is_connected(given: Servers) -> None:
    before = databases(given)
    with ExitStack() as late:
        with servers.private() as ours:
            late.enter_context(closing(psycopg2.connect(ours.database_url)))
        assert databases(given) == before


def test_an_account_that_may_not_create_databases_is_told_so(given: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    query(given.database_url, "CREATE ROLE humble LOGIN PASSWORD 'pw'")
    parts = urlsplit(given.database_url)
    humble = parts._replace(netloc=f"humble:pw@{parts.netloc.rpartition('@')[2]}").geturl()
    monkeypatch.setenv("DATABASE_URL", humble)
    with pytest.raises(StartError, match="may not create databases"), servers.private():
        pytest.fail("it came in")


@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL"])
def test_a_malformed_url_is_a_sentence_without_its_password(
    given: Servers, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "x://me:my-secret@host:port/0")
    with pytest.raises(StartError, match=f"{name} must look like") as caught, servers.private():
        pytest.fail("it came in")
    assert "my-secret" not in str(caught.value)


def test_of_many_who_claim_at_once_each_gets_another_database(given: Servers) -> None:
    owners = [f"run-{number}" for number in range(16)]
    with ThreadPoolExecutor(len(owners)) as pool:
        numbers = list(pool.map(lambda owner: guests.claim(given.redis_url, owner), owners))
    assert sorted(numbers) == list(range(1, 17))


def test_without_an_empty_database_there_is_a_sentence(given: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guests, "MOST", 2)
    assert guests.claim(given.redis_url, "first") == 1
    with pytest.raises(StartError, match="no empty database left"):
        guests.claim(given.redis_url, "second")


def test_the_databases_before_the_one_named_are_tried_last(given: Servers) -> None:
    last = guests.with_number(given.redis_url, 255)
    assert [guests.claim(last, "a"), guests.claim(last, "b")] == [255, 1]


def test_a_release_empties_what_is_the_owners_only(given: Servers) -> None:
    guests.claim(given.redis_url, "mine")
    guests.claim(given.redis_url, "yours")
    guests.release(given.redis_url, "mine")
    assert filled(given) == {"db0": 1, "db2": 1}


def test_a_flush_in_the_middle_of_a_run_keeps_the_claim(given: Servers) -> None:
    number = guests.claim(given.redis_url, "mine")
    with closing(redis.Redis.from_url(guests.with_number(given.redis_url, number))) as client:
        client.set("a key", "of a test")
        guests.flush(client)
        assert client.keys() == [guests.CLAIM.encode()]
        assert client.get(guests.CLAIM) == b"mine"


@pytest.mark.parametrize(
    ("url", "numbered"),
    [
        ("redis://:pw@host:6379/0", "redis://:pw@host:6379/7"),
        ("rediss://host?ssl_cert_reqs=none", "rediss://host/7?ssl_cert_reqs=none"),
    ],
)
def test_another_database_of_the_same_server_has_this_url(url: str, numbered: str) -> None:
    assert guests.with_number(url, 7) == numbered


def test_two_runs_of_the_tests_at_once_leave_what_is_not_theirs(given: Servers) -> None:
    ours = ("PYTEST_", "DOTFILE_HOOKS_", "DJANGO_SETTINGS_MODULE")
    environment = {name: value for name, value in supervisor.program_environment().items() if not name.startswith(ours)}
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "tests/deliveries/engine/test_retry.py"]
    runs = [
        subprocess.Popen(command, cwd=places.CHECKOUT, env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    ended = [(run.communicate()[0], run.returncode) for run in runs]
    assert [status for _, status in ended] == [os.EX_OK] * 2, ended
    assert only_theirs_is_left(given)

"""The servers of development: real, private, and gone when we are gone."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2
import pytest
import redis

from dotfile_hooks.dev import places, processes, servers, supervisor
from dotfile_hooks.dev.processes import StartError
from dotfile_hooks.dev.servers import Servers

# Starts the kept servers of the folder given, says where they are, and waits for its own end.
HOLDER = """
import sys, signal
from pathlib import Path
from dotfile_hooks.dev import processes, servers
processes.end_cleanly()
with processes.sentences(), servers.kept(Path(sys.argv[1])) as urls:
    print(urls.database_url, urls.redis_url, flush=True)
    signal.pause()
"""
PATIENCE = 90  # seconds; servers get thirty to end before they are killed


@pytest.fixture(autouse=True)
def no_given_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def checkout() -> Iterator[Path]:
    """An empty folder that an account without privileges may enter (pytest's own are closed to it)."""
    with tempfile.TemporaryDirectory(prefix="checkout-") as name:
        path = Path(name)
        path.chmod(0o711)
        yield path


def query(url: str, statement: str) -> object:
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchone() if cursor.description else None


def redis_client(url: str) -> closing[redis.Redis]:
    return closing(redis.Redis.from_url(url, socket_timeout=60))


def any_lives(urls: Servers) -> bool:
    try:
        query(urls.database_url, "SELECT 1")
        return True
    except psycopg2.OperationalError:
        pass
    with redis_client(urls.redis_url) as client:
        try:
            return bool(client.ping())
        except redis.ConnectionError:
            return False


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


@contextmanager
def holder(checkout: Path) -> Iterator[tuple[subprocess.Popen[str], Servers]]:
    """A process that holds the kept servers of a checkout; killed afterwards, if it still lives."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, checkout],
        cwd=places.CHECKOUT,
        env=supervisor.program_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            words = process.stdout.readline().split()
            assert len(words) == 2, process.stderr.read() if process.stderr else ""
            yield process, Servers(*words)
        finally:
            process.kill()


def test_both_servers_answer_and_are_gone_afterwards() -> None:
    with servers.throwaway() as urls:
        assert query(urls.database_url, "SELECT upper('é'), current_setting('server_encoding')") == ("É", "UTF8")
        with redis_client(urls.redis_url) as client:
            assert client.ping()
    assert not any_lives(urls)


def test_throwaway_servers_leave_no_file(monkeypatch: pytest.MonkeyPatch, checkout: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(checkout))
    with servers.throwaway():
        assert list(checkout.iterdir())
    assert not list(checkout.iterdir())


def test_nobody_comes_in_without_the_password() -> None:
    with servers.throwaway() as urls:
        with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
            query(urls.database_url.replace("hooks:", "hooks:x"), "SELECT 1")
        wrong = urls.redis_url.replace("redis://:", "redis://:x")
        with redis_client(wrong) as client, pytest.raises(redis.AuthenticationError):
            client.ping()


def test_what_is_printed_of_the_servers_holds_no_password() -> None:
    assert "secret" not in repr(Servers("postgres://hooks:secret@h/d", "redis://:secret@h/0"))


def test_data_outlives_a_run(checkout: Path) -> None:
    with servers.kept(checkout) as urls:
        query(urls.database_url, "CREATE TABLE kept (word text)")
        query(urls.database_url, "INSERT INTO kept VALUES ('still here')")
        with redis_client(urls.redis_url) as client:
            client.set("word", "here too")
    with servers.kept(checkout) as urls:
        assert query(urls.database_url, "SELECT word FROM kept") == ("still here",)
        with redis_client(urls.redis_url) as client:
            assert client.get("word") == b"here too"


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_server_outlives_the_process_that_started_it(checkout: Path, signum: signal.Signals) -> None:
    # A killed process cannot clean up; what does it then is prctl(PR_SET_PDEATHSIG), which no other kernel has.
    if signum == signal.SIGKILL and sys.platform != "linux":
        pytest.skip("only Linux tells a child that its parent was killed")
    with holder(checkout) as (process, urls):
        assert any_lives(urls)
        process.send_signal(signum)
        process.wait(PATIENCE)
        wait_until(lambda: not any_lives(urls))


def test_after_kill_9_the_next_run_finds_the_data(checkout: Path) -> None:
    with holder(checkout) as (process, urls):
        query(urls.database_url, "CREATE TABLE survived ()")
        process.kill()
        process.wait(PATIENCE)
    # At once: the servers may still be stopping, and their files name processes that are no more.
    with servers.kept(checkout) as again:
        assert query(again.database_url, "SELECT to_regclass('survived')::text") == ("survived",)


def test_a_file_that_names_a_strangers_process_does_not_stop_us(checkout: Path) -> None:
    with servers.kept(checkout):
        pass
    data = places.postgres_folder(checkout / ".local")
    lines = [str(os.getpid()), str(data), "0", "5432", "", "127.0.0.1", "", "ready"]
    (data / "postmaster.pid").write_text("\n".join(lines))
    with servers.kept(checkout) as urls:
        assert any_lives(urls)


def test_a_second_run_in_one_checkout_is_refused_with_a_sentence(checkout: Path) -> None:
    with servers.kept(checkout) as urls:
        with pytest.raises(StartError, match="is in use by process .* Stop that one first"), servers.kept(checkout):
            pytest.fail("two servers on the same data")
        assert any_lives(urls)


def test_runs_in_two_checkouts_do_not_meet(checkout: Path) -> None:
    with servers.kept(checkout) as ours, servers.throwaway() as theirs:
        query(ours.database_url, "CREATE TABLE only_ours ()")
        assert query(theirs.database_url, "SELECT to_regclass('only_ours')") == (None,)


def test_data_of_another_major_version_is_refused_with_a_sentence(checkout: Path) -> None:
    with servers.kept(checkout):
        pass
    (places.postgres_folder(checkout / ".local") / "PG_VERSION").write_text("9\n")
    with pytest.raises(StartError, match="is of PostgreSQL 9, this is PostgreSQL"), servers.kept(checkout):
        pytest.fail("started on foreign data")


@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL"])
def test_one_given_url_alone_is_a_sentence(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "x://y")
    with pytest.raises(StartError, match="too, or neither"):
        servers.given()


def test_a_given_socket_of_redis_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://given")
    monkeypatch.setenv("REDIS_URL", "unix:///run/redis.sock")
    with pytest.raises(StartError, match="Give REDIS_URL as redis://"):
        servers.given()


def test_two_given_urls_are_used_as_they_are(monkeypatch: pytest.MonkeyPatch, checkout: Path) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://given")
    monkeypatch.setenv("REDIS_URL", "redis://given")
    with servers.kept(checkout) as urls:
        assert urls == Servers("postgres://given", "redis://given")
    assert not list(checkout.iterdir())


def test_folders_of_killed_runs_are_swept(monkeypatch: pytest.MonkeyPatch, checkout: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(checkout))
    dead, fresh = (checkout / f"{places.THROWAWAY_PREFIX}{name}" for name in ("dead", "fresh"))
    for folder in (dead, fresh):
        folder.mkdir()
    os.utime(dead, (0, 0))
    with places.throwaway_folder():
        assert not dead.exists()
        assert fresh.exists()


def test_a_folder_in_use_is_not_swept(monkeypatch: pytest.MonkeyPatch, checkout: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(checkout))
    with places.throwaway_folder() as (used, _):
        os.utime(used, (0, 0))
        with places.throwaway_folder():
            assert used.exists()


def test_a_port_that_was_taken_meanwhile_is_not_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    with servers.throwaway() as first:
        taken = int(first.database_url.rsplit(":", 1)[1].split("/")[0])
        asked, free_port = iter([taken]), processes.free_port
        monkeypatch.setattr(processes, "free_port", lambda: next(asked, None) or free_port())
        with servers.throwaway() as second:
            assert any_lives(second)


def test_we_may_work_below_a_folder_that_only_we_can_enter(checkout: Path) -> None:
    closed = checkout / "closed"
    closed.mkdir(mode=0o700)
    inner = closed / "checkout"
    inner.mkdir()
    with servers.kept(inner) as urls:
        assert any_lives(urls)
    # As root, PostgreSQL runs as another account, which cannot come here: its data lies outside, where a link points.
    outside = inner / ".local" / "outside"
    assert outside.is_symlink() == (os.geteuid() == 0)
    if outside.is_symlink():
        shutil.rmtree(outside.resolve())

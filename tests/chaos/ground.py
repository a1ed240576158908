"""What a run stands on: a folder, PostgreSQL and Valkey behind proxies, a name server, settings that name them."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import django
from cryptography.fernet import Fernet

from dotfile_hooks.dev import places, stack
from tests.deliveries.engine.name_server import NameServer, Zone

from .proxy import Proxy
from .servers import Database, Valkey

SETTINGS = {
    "DELIVERY_LEASE": "4",
    "BREAKER_PAUSE": "1",
    "BREAKER_LONGEST_PAUSE": "4",
    "DELIVERY_TIMEOUT": "3",
    "WAKE_TIMEOUT": "0.25",
    "WEB_PROCESSES": "1",
    "WEB_THREADS": "4",
    "LOG_LEVEL": "WARNING",
    "PYTHONWARNINGS": stack.QUIET_AS_ROOT,
}
"""Shorter than in production, so that many takeovers fit into a minute."""

DOMAIN = "chaos.test"

# What the engine's own rows cannot tell afterwards, noted by the database: takeovers of lanes, and when a subscription
# went on and off. And a disk that is full on demand.
WATCH = """
CREATE TABLE chaos_takeover (subscription_id uuid, at timestamptz DEFAULT clock_timestamp());
CREATE FUNCTION chaos_takeover() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN INSERT INTO chaos_takeover VALUES (NEW.subscription_id); RETURN NULL; END $$;
CREATE TRIGGER chaos_takeover AFTER UPDATE ON deliveries_lane FOR EACH ROW
WHEN (OLD.holder <> '' AND NEW.token IS DISTINCT FROM OLD.token AND NEW.token IS NOT NULL)
EXECUTE FUNCTION chaos_takeover();

CREATE TABLE chaos_status (subscription_id uuid, online bool, at timestamptz DEFAULT clock_timestamp());
CREATE FUNCTION chaos_status() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN INSERT INTO chaos_status VALUES (NEW.id, NEW.status = 'online'); RETURN NULL; END $$;
CREATE TRIGGER chaos_status AFTER UPDATE ON deliveries_subscription FOR EACH ROW
WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION chaos_status();

CREATE TABLE chaos_full (name text);
CREATE FUNCTION chaos_full() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM chaos_full WHERE name = TG_TABLE_NAME) THEN
        RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER chaos_full BEFORE INSERT ON deliveries_attempt FOR EACH STATEMENT EXECUTE FUNCTION chaos_full();
CREATE TRIGGER chaos_full BEFORE INSERT ON deliveries_delivery FOR EACH STATEMENT EXECUTE FUNCTION chaos_full();
"""


@dataclass(frozen=True)
class Ground:
    """The servers of a run."""

    folder: Path
    database: Database
    database_proxy: Proxy
    valkey: Valkey
    valkey_proxy: Proxy
    environment: dict[str, str]
    """Settings of all processes that read the product's settings."""
    names_answer: threading.Event
    """Unset, the silent names are silent."""


@contextlib.contextmanager
def standing() -> Iterator[Ground]:
    """Starts the servers, migrates, and sets Django up in this process: once in a process. Raises StartError."""
    with ExitStack() as exits:
        folder, lock = exits.enter_context(places.throwaway_folder())
        database_proxy, valkey_proxy = exits.enter_context(Proxy()), exits.enter_context(Proxy())
        database = exits.enter_context(contextlib.closing(Database(folder, lock, database_proxy)))
        valkey = exits.enter_context(contextlib.closing(Valkey(folder, valkey_proxy)))
        names_answer = threading.Event()
        names = exits.enter_context(contextlib.closing(NameServer(_zone(names_answer), ttl=1)))
        keys = stack.Keys(secrets.token_urlsafe(50), Fernet.generate_key().decode())
        environment = {
            **stack.settings(keys),
            **SETTINGS,
            "DATABASE_URL": database.url,
            "REDIS_URL": valkey.url,
            "BROKER_URL": "",
            "EGRESS_DNS_SERVERS": names.address,
        }
        os.environ |= environment
        stack.manage(os.environ, "migrate", "--noinput")
        with database.connect() as connection, connection.cursor() as cursor:
            cursor.execute(WATCH)
        os.environ["DJANGO_SETTINGS_MODULE"] = "dotfile_hooks.settings"
        django.setup()
        yield Ground(folder, database, database_proxy, valkey, valkey_proxy, environment, names_answer)


def _zone(answers: threading.Event) -> Zone:
    """Everything is at loopback, but for names that are silent until told otherwise."""

    def zone(name: str, family: int) -> list[str] | int | None:
        if name.startswith("silent-") and not answers.is_set():
            return None
        return ["127.0.0.1"] if family == socket.AF_INET else []

    return zone

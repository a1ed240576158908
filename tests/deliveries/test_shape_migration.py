"""Subscriptions from before there were shapes, and those that the release before writes while both run."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import psycopg2

from dotfile_hooks.dev import guests
from workspaces import encryption

ROOT = Path(__file__).resolve().parents[2]
WORKSPACE = """
INSERT INTO workspaces_workspace (id, name, contact_emails, created_at, updated_at)
VALUES (gen_random_uuid(), 'Demo', '{}', now(), now())
"""
SUBSCRIBE = """
INSERT INTO deliveries_subscription (id, workspace_id, name, description, url, events, status, type, secret, headers,
    offline_reason)
SELECT gen_random_uuid(), id, '', '', 'https://example.com/', '{Case.Created}', 'online', 'user', %(sealed)s,
    %(sealed)s, ''
FROM workspaces_workspace
"""


def migrate(url: str, *arguments: str) -> None:
    command = [sys.executable, "manage.py", "migrate", "--verbosity=0", *arguments]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "DATABASE_URL": url}, check=True)


def test_those_that_are_there_and_those_of_the_release_before_are_full() -> None:
    sealed = encryption.cipher().encrypt(b"{}").decode()
    with guests.postgres_database(os.environ["DATABASE_URL"]) as url:
        migrate(url, "deliveries", "0015")
        with contextlib.closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(WORKSPACE)
            cursor.execute(SUBSCRIBE, {"sealed": sealed})
        migrate(url)
        with contextlib.closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(SUBSCRIBE, {"sealed": sealed})
            cursor.execute("SELECT payload, without FROM deliveries_subscription")
            assert cursor.fetchall() == [("full", [])] * 2
        migrate(url, "deliveries", "0015")  # and back

"""The comparison of changes that are recorded with changes that are not."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
import redis

from bench import saves, world
from deliveries.models import Event
from dotfile_hooks.dev import valkey

pytestmark = pytest.mark.django_db(transaction=True)


def changes_recorded() -> int:
    of = world.workspace("saves")
    world.Case.objects.create(workspace=of, name="one")
    world.create_in_bulk(of, 2)
    return Event.objects.filter(workspace_id=of.pk).count()


def test_without_the_receivers_nothing_is_recorded_and_afterwards_all_is_again() -> None:
    with saves.receivers(False):
        assert changes_recorded() == 0
    assert changes_recorded() == 3
    with saves.receivers(True):
        assert changes_recorded() == 3


def test_each_statement_of_a_change_is_counted() -> None:
    of = world.workspace("saves")
    counts = []
    for connected in (False, True):
        with saves.receivers(connected), saves.statements() as sent:
            world.Case.objects.create(workspace=of, name="one")
        counts.append(len(sent))
    assert counts == [1, 2]


def test_each_command_is_counted_and_what_a_script_calls_is_not(tmp_path: Path) -> None:
    # Of its own server: on that of the tests others send commands, too.
    with valkey.running(tmp_path, careless=True) as url, contextlib.closing(redis.Redis.from_url(url)) as client:
        client.get("before")
        with saves.commands(client) as heard:
            client.eval("redis.call('GET', KEYS[1]) return redis.call('GET', KEYS[1])", 1, "a")
            client.get("b")
        client.get("after")
    assert [command.split()[0] for command in heard] == ["EVAL", "GET"]

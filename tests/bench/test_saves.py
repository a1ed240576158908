"""The comparison of changes that are recorded with changes that are not."""

from __future__ import annotations

import contextlib

import pytest
import redis
from django.conf import settings

from bench import saves, world
from deliveries.models import Event

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


def test_each_command_is_counted_and_what_a_script_calls_is_not() -> None:
    with contextlib.closing(redis.Redis.from_url(settings.REDIS_URL)) as client:
        client.get("before")
        with saves.commands(client) as heard:
            client.eval("redis.call('GET', KEYS[1]) return redis.call('GET', KEYS[1])", 1, "a")
            client.get("b")
        client.get("after")
    assert [command.split()[0] for command in heard] == ["EVAL", "GET"]

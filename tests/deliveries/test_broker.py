"""A broker that comes and goes, with real workers in processes of their own."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from cases.models import Case
from dotfile_hooks import consumer
from dotfile_hooks.dev import valkey
from tests import factories
from tests.chaos.proxy import Proxy
from workspaces.models import Workspace

from .conftest import Subscribe
from .fleet import Fleet, fleet
from .receiver import Receiver
from .waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
NOBODY = 1  # a port on which nothing listens


@pytest.fixture
def workspace(transactional_db: None) -> Workspace:
    return factories.workspace()


def tried(processes: Fleet, times: int) -> bool:
    """Whether they have looked for the broker so many times."""
    return processes.logs().count("Cannot connect to") >= times


def pauses(processes: Fleet) -> set[str]:
    """Seconds between two looks of the workers; beat says it otherwise."""
    return set(re.findall(r"Trying again in ([\d.]+) seconds?\.\.\. \(", processes.logs()))


def test_workers_outlive_a_broker_that_is_away_and_find_it_again_at_once(
    tmp_path: Path, workspace: Workspace, subscribe: Subscribe, receiver: Receiver
) -> None:
    """Left to itself, Celery ends with an AttributeError, or waits for up to half a minute before it looks again."""
    subscribe("Case.Created")
    with Proxy() as proxy, valkey.running(tmp_path, careless=True) as direct:
        home = proxy.target = urlsplit(direct).port or 0
        with fleet(REDIS_URL=direct.replace(f":{home}/", f":{proxy.port}/")) as processes:
            own = [processes.worker(), processes.worker("chores", queues="chores"), processes.beat()]
            Case.objects.create(workspace=workspace, name="before")
            receiver.wait_for(1)
            for outage in range(1, 4):
                proxy.target = NOBODY
                proxy.cut()
                wait_until(partial(tried, processes, 8 * outage))
                proxy.target = home
                Case.objects.create(workspace=workspace, name="after")
                receiver.wait_for(1 + outage)
            assert pauses(processes) == {f"{consumer.RETRY:.2f}"}
            assert [process.poll() for process in own] == [None, None, None]

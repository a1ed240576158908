"""Retries and recoveries from the command line."""

from __future__ import annotations

import time
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from deliveries import recovery, services
from deliveries.engine import recovering
from deliveries.management.commands import recover
from deliveries.models import Delivery, Recovery, Subscription
from tests import factories
from workspaces.models import Workspace
from workspaces.timestamps import iso

from .conftest import Deliver, Subscribe
from .receiver import Receiver

SINCE = iso(timezone.now() - timedelta(hours=1))


@pytest.fixture
def held(workspace: Workspace, subscribe: Subscribe, deliver: Deliver) -> Subscription:
    """A subscription with three deliveries held."""
    row = subscribe("Case.Created", status="offline")
    for _ in range(3):
        factories.case(workspace)
    deliver()
    services.set_online([row.pk], online=True)
    return row


def output(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_deliveries_are_sent_again(held: Subscription, deliver: Deliver, receiver: Receiver) -> None:
    keys = [str(key) for key in Delivery.objects.values_list("pk", flat=True)[:2]]
    assert output("retry_deliveries", *keys).startswith("Sent again now: 2.")
    deliver()
    assert len(receiver.posts) == 2
    assert "Sent again now: 0. Left alone, or not there: 2." in output("retry_deliveries", *keys)
    assert output("retry_deliveries", *keys, "--replay").startswith("Sent again now: 2.")


def test_a_refusal_is_a_sentence(held: Subscription) -> None:
    services.set_online([held.pk], online=False)
    with pytest.raises(CommandError, match="turn it online first"):
        output("retry_deliveries", *[str(key) for key in Delivery.objects.values_list("pk", flat=True)])
    with pytest.raises(CommandError, match="turn it online first"):
        output("recover", str(held.pk), "--since", SINCE)


def test_a_range_is_recovered(held: Subscription) -> None:
    assert "is running" in output("recover", str(held.pk), "--since", SINCE, "--rate", "5")
    job = Recovery.objects.get()
    assert (job.rate, job.requested_by, job.state) == (5, "manage.py recover", "running")
    assert recovering.run() == 3


def test_the_progress_is_printed_until_the_job_has_ended(held: Subscription, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each glance is followed by a turn of the chore, as if a second had passed."""
    turns = iter([lambda: None, recovering.run])
    monkeypatch.setattr(time, "sleep", lambda seconds: next(turns)())
    lines = output("recover", str(held.pk), "--since", SINCE, "--wait").splitlines()
    assert lines[1:] == ["Counting.", "3 of 3 made due (100%), done"]


def test_why_a_job_waits_is_printed(held: Subscription) -> None:
    job = recovery.start_recovery(held, timezone.now() - timedelta(hours=1))
    recovering.tick(job.pk)
    Recovery.objects.update(state="running")
    services.set_online([held.pk], online=False)
    job.refresh_from_db()
    job.total = 3
    assert recover._told(job).endswith("running; waits until the subscription is online")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["01a20164-7c9f-75bc-a4e7-2cad8ac2802f", "--since", "2026-01-01"], "There is no subscription"),
        (["{held}", "--since", "2000-01-01"], "31 days"),
        (["{held}", "--since", "yesterday"], "use a date or a time"),
        (["{held}"], "--since"),
        (["nonsense", "--since", "2026-01-01"], "invalid UUID"),
    ],
)
def test_what_cannot_be_is_a_sentence(held: Subscription, arguments: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        output("recover", *[argument.format(held=held.pk) for argument in arguments])

"""The whole way, through workers in processes of their own, to a receiver; also when they die or Redis is flushed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from checks.documents import services, starting
from checks.documents.models import Document, Stage
from checks.models import Check
from checks.tasks import extract_document
from deliveries.engine import doorbell
from dotfile_hooks.dev import guests
from tests import factories
from tests.deliveries.conftest import Subscribe
from tests.deliveries.fleet import Fleet, fleet, kill
from tests.deliveries.receiver import Receiver
from tests.deliveries.waiting import wait_until
from workspaces.models import Workspace

from . import papers

pytestmark = pytest.mark.django_db(transaction=True)

STAGES = ["Document.Received", "Document.Extracted", "Document.AuthenticityAnalyzed", "Document.Decided"]
ANALYSERS = f"{__package__}.analysers"
PATIENCE = 180.0
"""Seconds in which workers start and do their work on a busy machine."""


@pytest.fixture
def workspace(transactional_db: None) -> Workspace:
    return factories.workspace()


@pytest.fixture
def processes(transactional_db: None) -> Iterator[Fleet]:
    # With a lease that no busy machine outlasts: each stage is told of once.
    with fleet(DOCUMENT_RESUME_INTERVAL="0.5", DELIVERY_LEASE="60") as found:
        yield found


def submit(workspace: Workspace, content: bytes, kind: str = "application/pdf") -> Document:
    """For a check of its own."""
    check = factories.check(factories.individual(factories.case(workspace)), "document")
    return services.submit(check, "scan", content, kind)


def decided() -> bool:
    return not Document.objects.exclude(stage=Stage.DECIDED).exists()


def wait_for_decisions() -> None:
    wait_until(decided, PATIENCE)


def age() -> None:
    """As if nobody had attended to them for long."""
    Document.objects.update(attended_at=timezone.now() - starting.STILL - timedelta(seconds=1))


def test_each_paper_reaches_its_own_decision_and_every_stage_is_told(
    processes: Fleet, workspace: Workspace, subscribe: Subscribe, receiver: Receiver
) -> None:
    subscribe(*STAGES, ordered=True)
    processes.worker("courier")
    processes.worker("chores", queues="chores,documents")
    expected = {
        submit(workspace, papers.passport()).pk: ("accepted", "approved"),
        submit(workspace, papers.altered_passport()).pk: ("rejected", "rejected"),
        submit(workspace, papers.expired_passport()).pk: ("rejected", "rejected"),
        submit(workspace, papers.miscounted_passport()).pk: ("rejected", "rejected"),
        submit(workspace, papers.PNG).pk: ("rejected", "rejected"),
        submit(workspace, papers.PNG, "image/png").pk: ("review_required", "need_review"),
        submit(workspace, papers.pdf()).pk: ("review_required", "need_review"),
    }
    posts = receiver.wait_for(4 * len(expected), PATIENCE)
    told = defaultdict(list)
    for post in posts:
        told[post.content["document"]["id"]].append(post.name)
    assert told == {str(key): STAGES for key in expected}
    last = [post.content["document"] for post in posts if post.name == STAGES[-1]]
    decisions = {document["id"]: document["decision"] for document in last}
    assert decisions == {str(key): decision for key, (decision, _) in expected.items()}
    statuses = dict(Check.objects.values_list("documents", "status"))
    assert statuses == {key: status for key, (_, status) in expected.items()}


def test_a_flushed_broker_loses_no_document(processes: Fleet, workspace: Workspace) -> None:
    submit(workspace, papers.passport())
    guests.flush(doorbell.doorbell().client)
    age()
    processes.worker("chores", queues="chores,documents")
    processes.beat()
    wait_for_decisions()
    assert Check.objects.get().status == "approved"


def test_a_worker_killed_in_the_middle_loses_no_document(workspace: Workspace, processes: Fleet) -> None:
    with fleet(DOCUMENT_ANALYSER=f"{ANALYSERS}.Endless") as doomed:
        victim = doomed.worker("victim", queues="chores,documents")
        document = submit(workspace, papers.passport())
        wait_until(lambda: Document.objects.get().tries == 1, PATIENCE)
        kill(victim)
    age()
    processes.worker("heir", queues="chores,documents")
    processes.beat()
    wait_for_decisions()
    document.refresh_from_db()
    assert (document.decision, Check.objects.get().status) == ("accepted", "approved")


def test_an_analyser_that_fails_for_good_leaves_the_decision_to_people_and_tells_nobody_what_it_read(
    workspace: Workspace,
) -> None:
    with fleet(DOCUMENT_ANALYSER=f"{ANALYSERS}.Failing") as failing:
        failing.worker("chores", queues="chores,documents")
        submit(workspace, papers.passport())
        wait_until(lambda: "AnalyserFailed('ValueError')" in failing.logs(), PATIENCE)
        wait_for_decisions()
        assert "ERIKSSON" not in failing.logs()
    document = Document.objects.get()
    assert (document.decision, [each["code"] for each in document.findings]) == ("review_required", ["analysis_failed"])
    assert Check.objects.get().status == "need_review"


def test_an_analyser_that_does_not_end_is_ended(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "start", lambda document_id: True)
    with fleet(DOCUMENT_ANALYSER=f"{ANALYSERS}.Endless") as endless:
        endless.worker("chores", queues="chores,documents")
        document = submit(workspace, papers.passport())
        extract_document.apply_async((str(document.pk),), soft_time_limit=1)
        wait_for_decisions()
    document.refresh_from_db()
    assert (document.decision, document.findings[0]["code"]) == ("review_required", "analysis_failed")

"""From stage to stage: each step once, whoever asks how often; what the decision does to the check."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from celery import current_app
from django.core.exceptions import ValidationError
from django.db import OperationalError, connection
from django.test import override_settings
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from checks.documents import services, starting
from checks.documents.analysers import Extraction, File, Finding, Severity
from checks.documents.models import Document, DocumentFile, Stage
from checks.models import Check
from checks.services import force_review, restart, review_check
from checks.tasks import extract_document
from deliveries.models import Event
from dotfile_hooks.dev.processes import free_port
from tests import factories
from tests.deliveries.conforming import strays
from tests.deliveries.conftest import Deliver, Subscribe
from tests.deliveries.receiver import Receiver
from workspaces.models import Workspace
from workspaces.timestamps import iso

from . import papers

pytestmark = pytest.mark.django_db

PDF = "application/pdf"


@pytest.fixture
def check(db: None) -> Check:
    return factories.check(kind="document")


@pytest.fixture(autouse=True)
def _fresh_analyser() -> Iterator[None]:
    services.analyser.cache_clear()
    yield
    services.analyser.cache_clear()


def submit(check: Check, content: bytes | None = None) -> Document:
    return services.submit(check, "passport.pdf", papers.passport() if content is None else content, PDF)


def analysed(check: Check, content: bytes | None = None) -> Document:
    """Handed in and led to its decision, one step after the other."""
    document = submit(check, content)
    for step in (services.extract, services.analyse, services.settle):
        step(document.pk)
    document.refresh_from_db()
    return document


def names() -> list[str]:
    """Of the events of documents and checks, in their order, after the start of the check."""
    ours = Event.objects.filter(name__regex="^(Document|Check)").exclude(name="Check.Started")
    return list(ours.order_by("sequence").values_list("name", flat=True))


class Odd:
    """An analyser that finds what a test tells it to, and says things that no database takes."""

    found: Exception | Extraction = Extraction({})

    def extract(self, file: File, today: date) -> Extraction:
        if isinstance(self.found, Exception):
            raise self.found
        return self.found

    def examine(self, file: File, extraction: Extraction, today: date) -> list[Finding]:
        return []


@pytest.fixture
def odd(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Exception | Extraction], None]]:
    with override_settings(DOCUMENT_ANALYSER=f"{__name__}.Odd"):
        yield lambda found: monkeypatch.setattr(Odd, "found", found)


# --- Handing in -------------------------------------------------------------------------------------------------------


def test_a_document_is_that_of_its_check(check: Check) -> None:
    document = services.submit(check, "C:\\Scans\\../pass\nport.pdf", b"bytes", PDF)
    assert (document.case_id, document.individual_id, document.company_id) == (check.case_id, check.individual_id, None)
    assert (document.name, document.size, document.document_type_key) == ("passport.pdf", 5, "passport")
    assert bytes(DocumentFile.objects.get().content) == b"bytes"
    assert Check.objects.get().data["document_file_ids"] == [str(document.pk)]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("scan.pdf", b"", "The file is empty."),
        ("scan.pdf", bytes(services.MOST_BYTES + 1), "The file is larger than 20 MB."),
        ("../", b"x", "Give the file a name."),
    ],
)
def test_a_file_that_cannot_be_taken_is_refused(check: Check, name: str, content: bytes, sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        services.submit(check, name, content)
    assert not Document.objects.exists()


def test_the_largest_file_is_taken(check: Check) -> None:
    assert submit(check, bytes(services.MOST_BYTES)).size == services.MOST_BYTES


def test_only_document_checks_take_files(db: None) -> None:
    with pytest.raises(ValidationError, match="Only document checks take files; this one is of type aml"):
        submit(factories.check())


# --- Stages -----------------------------------------------------------------------------------------------------------


def test_each_stage_is_told_and_the_decision_before_what_it_does_to_the_check(check: Check) -> None:
    analysed(check)
    stages = ["Document.Received", "Document.Extracted", "Document.AuthenticityAnalyzed", "Document.Decided"]
    assert names() == [*stages, "Check.Approved"]


def test_a_step_that_is_asked_for_again_does_nothing(check: Check) -> None:
    document = analysed(check)
    before = names()
    for step in (services.extract, services.analyse, services.settle, services.give_up):
        step(document.pk)
    assert names() == before


def test_a_step_that_is_asked_for_too_early_does_nothing(check: Check) -> None:
    document = submit(check)
    services.analyse(document.pk)
    services.settle(document.pk)
    assert names() == ["Document.Received"]


def test_a_document_that_is_gone_is_no_failure(check: Check) -> None:
    document = submit(check)
    key = document.pk
    document.delete()
    for step in (services.extract, services.analyse, services.settle, services.give_up):
        step(key)
    assert names() == ["Document.Received"]


def test_deleting_a_check_takes_its_documents_along_silently(check: Check) -> None:
    submit(check)
    check.delete()
    assert names() == ["Document.Received", "Check.Deleted"]
    assert not DocumentFile.objects.exists()


def test_the_body_tells_the_whole_document(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> None:
    subscribe("Document.Received", "Document.Decided", ordered=True)
    check = factories.check(factories.individual(factories.case(workspace)), "document")
    document = analysed(check, papers.expired_passport())
    deliver()
    first, last = (post.content for post in receiver.posts)
    assert last["document"] == {
        "id": str(document.pk),
        "case_id": str(check.case_id),
        "check_id": str(check.pk),
        "individual_id": str(check.individual_id),
        "company_id": None,
        "document_type_key": "passport",
        "name": "passport.pdf",
        "content_type": PDF,
        "size": document.size,
        "sha256": document.sha256,
        "stage": "decided",
        "fields": document.fields,
        "findings": [{"code": "expired", "severity": "reject", "message": "The document has expired."}],
        "decision": "rejected",
        "received_at": iso(document.created_at),
        "extracted_at": iso(document.extracted_at),
        "analyzed_at": iso(document.analyzed_at),
        "decided_at": iso(document.decided_at),
    }
    assert (first["document"]["stage"], first["document"]["decision"], first["document"]["decided_at"]) == (
        "received",
        None,
        None,
    )
    assert last["context"]["individual"]["id"] == str(check.individual_id)
    assert last["context"]["case"]["id"] == str(check.case_id)
    assert [strays(post.name, post.content) for post in receiver.posts] == [[], []]


# --- The check --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("papers_of_it", "status", "result"),
    [
        ([papers.passport], "approved", "approved"),
        ([papers.altered_passport], "rejected", "rejected"),
        ([papers.pdf], "need_review", None),
        ([papers.passport, papers.passport], "approved", "approved"),
        ([papers.passport, papers.pdf], "need_review", None),
        ([papers.pdf, papers.passport], "need_review", None),
        ([papers.passport, papers.expired_passport], "rejected", "rejected"),
        ([papers.expired_passport, papers.passport, papers.pdf], "rejected", "rejected"),
    ],
)
def test_the_decisions_move_the_check(
    check: Check, papers_of_it: list[Callable[[], bytes]], status: str, result: str | None
) -> None:
    for paper in papers_of_it:
        analysed(check, paper())
    check.refresh_from_db()
    assert (check.status, check.data["result"]) == (status, result)
    assert check.data["review"]["reviewer_type"] == (None if result is None else "system")
    assert len(check.data["document_file_ids"]) == len(papers_of_it)


def test_a_check_waits_for_all_its_documents(check: Check) -> None:
    waiting = submit(check)
    analysed(check)
    check.refresh_from_db()
    assert check.status == "in_progress"
    for step in (services.extract, services.analyse, services.settle):
        step(waiting.pk)
    check.refresh_from_db()
    assert check.status == "approved"


def test_the_earliest_expiry_is_shown_with_the_check(check: Check) -> None:
    later, sooner = (papers.today() + timedelta(days=days) for days in (300, 200))
    for expires in (later, sooner):
        analysed(check, papers.pdf(*papers.zone(expires)))
    check.refresh_from_db()
    assert check.data["information"]["expiration_date"] == sooner.isoformat()


@pytest.mark.parametrize("reviewer", ["user", "api"])
def test_a_check_that_somebody_decided_is_not_moved(check: Check, reviewer: str) -> None:
    check.status = "need_review"
    check.save()
    review_check(check, "approve", reviewer_type=reviewer)
    assert analysed(check, papers.expired_passport()).decision == "rejected"
    check.refresh_from_db()
    assert (check.status, check.data["review"]["reviewer_type"]) == ("approved", reviewer)


# --- Deleted ----------------------------------------------------------------------------------------------------------


def delete_one(document: Document) -> None:
    document.delete()


def delete_many(document: Document) -> None:
    Document.objects.filter(pk=document.pk).delete()


@pytest.mark.parametrize("delete", [delete_one, delete_many])
def test_a_check_does_not_wait_for_a_document_that_is_deleted(check: Check, delete: Callable[[Document], None]) -> None:
    waiting, kept = submit(check), analysed(check)
    delete(waiting)
    check.refresh_from_db()
    assert (check.status, check.data["result"]) == ("approved", "approved")
    assert check.data["document_file_ids"] == [str(kept.pk)]
    assert names()[-1] == "Check.Approved"


@pytest.mark.parametrize(
    ("paper", "status"), [(papers.expired_passport, "rejected"), (lambda: papers.pdf("No zone"), "need_review")]
)
def test_the_documents_that_are_left_decide(check: Check, paper: Callable[[], bytes], status: str) -> None:
    analysed(check)
    worse = analysed(check, paper())
    assert Check.objects.get().status == status
    worse.delete()
    check.refresh_from_db()
    assert (check.status, check.data["review"]["reviewer_type"]) == ("approved", "system")


def test_a_review_that_was_forced_stays_when_a_document_is_deleted(check: Check) -> None:
    submit(check)
    waiting = submit(check)
    force_review(check)
    for step in (services.extract, services.analyse, services.settle):
        step(Document.objects.exclude(pk=waiting.pk).get().pk)
    waiting.delete()
    assert Check.objects.get().status == "need_review"


@pytest.mark.parametrize(("is_decided", "status"), [(False, "in_progress"), (True, "approved")])
def test_a_check_without_documents_stays_as_it_is(check: Check, is_decided: bool, status: str) -> None:
    document = analysed(check) if is_decided else submit(check)
    check.refresh_from_db()
    told, day = names(), check.expires_at
    document.delete()
    check.refresh_from_db()
    assert (check.status, check.expires_at, check.data["document_file_ids"]) == (status, day, [])
    assert names() == told


def test_a_document_from_before_the_restart_is_deleted_without_a_trace(check: Check) -> None:
    before = analysed(check, papers.expired_passport())
    restart(check)
    kept = submit(check)
    written = Check.objects.values().get()
    before.delete()
    assert Check.objects.values().get() == written
    assert written["data"]["document_file_ids"] == [str(kept.pk)]


def test_documents_go_with_their_check_without_another_event(check: Check) -> None:
    submit(check)
    analysed(check, papers.expired_passport())
    before = names()
    check.delete()
    assert names() == [*before, "Check.Deleted"]


# --- Analysers that fail ----------------------------------------------------------------------------------------------


def test_what_an_analyser_raises_is_not_repeated(check: Check, odd: Callable[[Exception], None]) -> None:
    odd(ValueError("ERIKSSON"))
    with pytest.raises(services.AnalyserFailed) as raised:
        services.extract(submit(check).pk)
    assert (raised.value.args, raised.value.__suppress_context__) == (("ValueError",), True)


def test_a_task_that_fails_for_good_leaves_the_decision_to_people(check: Check) -> None:
    document = submit(check)
    extract_document.on_failure(services.AnalyserFailed("ValueError"), "1", [str(document.pk)], {}, None)
    document.refresh_from_db()
    check.refresh_from_db()
    assert (document.decision, document.findings[0]["code"]) == ("review_required", "analysis_failed")
    assert check.status == "need_review"
    assert names() == ["Document.Received", "Document.Decided", "Check.ReviewNeeded"]


def test_a_database_that_was_away_is_no_fault_of_the_document(check: Check) -> None:
    document = submit(check)
    extract_document.on_failure(OperationalError(), "1", [str(document.pk)], {}, None)
    document.refresh_from_db()
    assert document.stage == Stage.RECEIVED


def test_a_document_that_takes_its_workers_down_is_given_up(check: Check, odd: Callable[[Exception], None]) -> None:
    odd(MemoryError())
    document = submit(check)
    for _ in range(services.MOST_TRIES):
        with pytest.raises(services.AnalyserFailed):
            services.extract(document.pk)
    services.extract(document.pk)
    document.refresh_from_db()
    assert (document.stage, document.decision) == ("decided", "review_required")


def test_an_analyser_that_finds_nothing_at_all_accepts_nothing(check: Check, odd: Callable[[Extraction], None]) -> None:
    odd(Extraction({}))
    assert analysed(check).decision == "review_required"


def test_text_that_no_database_takes_is_stored_without_that(check: Check, odd: Callable[[Extraction], None]) -> None:
    odd(Extraction({"na\0me": ["a\0b", {"c": "\ud800"}]}, [Finding("a\0", Severity.NOTE, "\udfff")]))
    document = analysed(check)
    assert (document.fields, document.findings[0]["code"]) == ({"name": ["ab", {"c": "?"}]}, "a")


# --- Starting ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The keys of documents whose chains would have been published."""
    keys: list[Any] = []
    monkeypatch.setattr(starting, "_publish", keys.append)
    return keys


def test_the_chain_starts_with_the_commit(
    check: Check, published: list[Any], django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        document = submit(check)
        assert published == []
    assert published == [document.pk]


def test_what_stands_still_is_asked_for_once_until_it_does_again(check: Check, published: list[Any]) -> None:
    long_ago = timezone.now() - starting.STILL - timedelta(seconds=1)
    still, fresh, done = submit(check), submit(check), analysed(check)
    Document.objects.filter(pk__in=[still.pk, done.pk]).update(attended_at=long_ago)
    before = names()
    assert (starting.resume(), starting.resume()) == (1, 0)
    assert published == [still.pk]
    assert names() == before
    assert fresh.stage == Stage.RECEIVED


LONG = 120
"""Seconds that publishing waits for an answer, and before another try, where a limit of ours is forgotten."""


@pytest.mark.parametrize("listens", [False, True])
def test_a_broker_that_is_away_or_hangs_fails_no_commit_and_holds_none_up(
    check: Check, listens: bool, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.WAKE_TIMEOUT = 0.25
    patient = dict.fromkeys(("socket_timeout", "socket_connect_timeout", "interval_start", "interval_max"), LONG)
    monkeypatch.setitem(current_app.conf, "broker_transport_options", patient)
    document, port = submit(check), free_port()
    with socket.socket() as silent:
        if listens:
            silent.bind(("127.0.0.1", port))
            silent.listen()
        monkeypatch.setitem(current_app.conf, "broker_write_url", f"redis://127.0.0.1:{port}/0")
        began = time.monotonic()
        assert starting.start(document.pk) is False
    assert time.monotonic() - began < LONG / 2


@pytest.mark.django_db(transaction=True)
def test_two_at_once_take_each_step_once() -> None:
    check = factories.check(kind="document")
    document = submit(check)
    together = threading.Barrier(2)

    def run() -> None:
        try:
            together.wait(60)
            for step in (services.extract, services.analyse, services.settle):
                step(document.pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(names()) == 5
    check.refresh_from_db()
    assert check.status == "approved"


# --- Rules ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"stage": "received", "decision": ""}, "cannot be received again"),
        ({"stage": "lost"}, "no stage lost"),
        ({"decision": ""}, "cannot have the decision"),
        ({"decision": "perhaps"}, "cannot have the decision"),
        ({"document_type_key": "visa"}, "keeps its document_type_key"),
    ],
)
def test_what_makes_no_sense_of_a_document_is_refused_and_leaves_no_event(
    check: Check, values: dict[str, str], sentence: str
) -> None:
    document = analysed(check)
    before = names()
    with pytest.raises(ValidationError, match=sentence):
        Document.objects.update(**values)
    for name, value in values.items():
        setattr(document, name, value)
    with pytest.raises(ValidationError, match=sentence):
        document.save()
    assert names() == before
    assert Document.objects.values_list("stage", "decision").get() == ("decided", "accepted")


def test_a_document_is_decided_only_at_the_end(check: Check) -> None:
    submit(check)
    with pytest.raises(ValidationError, match="A document that is received cannot have the decision"):
        Document.objects.update(decision="accepted")


@pytest.mark.parametrize("stage", ["received", "decided"])
def test_only_the_analysis_decides(check: Check, stage: str) -> None:
    document = analysed(check) if stage == "decided" else submit(check)
    before = names()
    with pytest.raises(ValidationError, match="The analysis of a document decides on it, and moves its check"):
        Document.objects.update(stage="decided", decision="rejected")
    document.stage, document.decision = Stage.DECIDED, "rejected"
    with pytest.raises(ValidationError, match="The analysis of a document decides on it, and moves its check"):
        document.save()
    assert (names(), Document.objects.get().stage) == (before, stage)


def test_no_document_is_of_another_type_of_check() -> None:
    with pytest.raises(ValidationError, match="Only document checks take files"):
        Document.objects.create(for_check=factories.check(), name="scan.pdf", size=1)


# --- What counts ------------------------------------------------------------------------------------------------------


def test_a_restarted_check_has_forgotten_its_documents(check: Check) -> None:
    analysed(check, papers.expired_passport())
    late = submit(check, papers.miscounted_passport())
    restart(check)
    for step in (services.extract, services.analyse, services.settle):
        step(late.pk)
    assert Check.objects.get().status == "in_progress"
    analysed(check)
    assert Check.objects.get().status == "approved"


@pytest.mark.parametrize("paper", [papers.passport, papers.expired_passport])
def test_a_review_that_was_forced_is_left_to_people(check: Check, paper: Callable[[], bytes]) -> None:
    document = submit(check, paper())
    force_review(check)
    for step in (services.extract, services.analyse, services.settle):
        step(document.pk)
    assert Document.objects.get().stage == "decided"
    assert Check.objects.get().status == "need_review"


@pytest.mark.parametrize("told", [20301231, "31.12.2030", ["2030-12-31"], {"day": "2030-12-31"}])
def test_what_an_analyser_calls_an_expiry_and_is_no_day_does_not_count(
    check: Check, odd: Callable[[Exception | Extraction], None], told: Any
) -> None:
    odd(Extraction({"expiration_date": "2031-01-31"}))
    analysed(check)
    odd(Extraction({"expiration_date": told}))
    assert analysed(check).decision == "accepted"
    assert Check.objects.get().expires_at == date(2031, 1, 31)
    assert Check.objects.get().data["information"]["expiration_date"] == "2031-01-31"


@pytest.mark.parametrize("fields", [["ERIKSSON"], {"surname": "ERIKSSON", "score": float("nan")}, {"ERIKSSON": date}])
def test_fields_that_are_no_json_are_a_failure_that_does_not_say_what_was_read(
    check: Check, odd: Callable[[Exception | Extraction], None], fields: Any
) -> None:
    odd(Extraction(fields))
    document = submit(check)
    with pytest.raises(services.AnalyserFailed) as failed:
        services.extract(document.pk)
    assert "ERIKSSON" not in str(failed.value)

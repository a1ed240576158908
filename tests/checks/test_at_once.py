"""Many checks at a time, and several who change them at once."""

from __future__ import annotations

import threading
from datetime import date
from functools import partial

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from cases.models import Case, Individual
from checks import services
from checks.data import STANDARD
from checks.documents import services as documents
from checks.models import Check, DocumentType
from checks.services import expiry
from deliveries.models import Event
from tests import factories
from tests.deliveries.test_at_once import together, wait_for_a_lock
from workspaces import bulk

pytestmark = pytest.mark.django_db(transaction=True)

DAY = date(2027, 1, 31)
LATER = date(2028, 1, 1)


def many(number: int, cases: int = 3) -> None:
    """Checks with a last day, in turn of each of some cases."""
    workspace = factories.workspace()
    people = [factories.individual(factories.case(workspace)) for _ in range(cases)]
    made = [Check(type="aml", individual=people[n % cases], expires_at=DAY) for n in range(number)]
    Check.objects.bulk_create(made)


def test_thousands_are_made_and_changed_in_a_few_statements_per_thousand(transactional_db: None) -> None:
    with CaptureQueriesContext(connection) as making:
        many(3000)
    with CaptureQueriesContext(connection) as changing:
        Check.objects.update(status="need_review")
    assert len(making) <= 40
    assert len(changing) <= 25
    assert Event.objects.filter(name="Check.ReviewNeeded").count() == 3000


def test_bulk_changes_single_ones_and_the_clock_do_not_deadlock(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "CHUNK", 20)
    monkeypatch.setattr(expiry, "BATCH", 15)
    many(120)

    def approve(order: str) -> None:
        for status in ("need_review", "processing", "expired") * 2:
            Check.objects.order_by(order).exclude(status="expired").update(status=status)

    def expire() -> None:
        for _ in range(4):
            services.expire_checks(LATER)

    def reopen() -> None:
        for check in Check.objects.order_by("-pk")[:40]:
            services.restart(check)

    assert together([partial(approve, "pk"), partial(approve, "-pk"), expire, reopen, expire]) == []
    sequences = list(Event.objects.values_list("case_id", "sequence"))
    assert len(set(sequences)) == len(sequences)


def test_two_clocks_tell_of_each_check_once(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expiry, "BATCH", 10)
    many(100)
    counts: list[int] = []
    assert together([lambda: counts.append(services.expire_checks(LATER)) for _ in range(3)]) == []
    assert sum(counts) == Event.objects.filter(name="Check.Expired").count() == 100


def test_who_holds_a_case_and_who_needs_the_first_documents_do_not_deadlock(transactional_db: None) -> None:
    case = factories.case()
    people = [factories.individual(case) for _ in range(2)]

    def start(person: Individual) -> None:
        services.start_check(person, "document", {"document_type_key": "passport"})

    failures: list[list[Exception]] = []
    with transaction.atomic():
        Case.objects.select_for_update(no_key=True).get(pk=case.pk)
        thread = threading.Thread(target=lambda: failures.append(together([partial(start, people[0])])))
        thread.start()
        wait_for_a_lock()
        start(people[1])
    thread.join(60)
    assert failures == [[]]
    assert DocumentType.objects.count() == len(STANDARD)


def test_a_check_that_comes_while_a_bulk_change_waits_for_cases_is_not_changed_without_its_own(
    transactional_db: None,
) -> None:
    case = factories.check(kind="ekyc").case
    later: list[Check] = []

    def change() -> None:
        Check.objects.update(status="need_review")

    failures: list[list[Exception]] = []
    with transaction.atomic():
        Case.objects.select_for_update(no_key=True).get(pk=case.pk)
        thread = threading.Thread(target=lambda: failures.append(together([change])))
        thread.start()
        wait_for_a_lock()
        assert together([lambda: later.append(factories.check(kind="ekyc"))]) == []
    thread.join(60)
    assert failures == [[]]
    assert dict(Check.objects.values_list("case", "status")) == {
        case.pk: "need_review",
        later[0].case_id: "in_progress",
    }


def test_a_case_can_be_deleted_while_a_document_comes_in(transactional_db: None) -> None:
    check = factories.check(kind="document")
    failures: list[list[Exception]] = []
    with transaction.atomic():
        documents.submit(check, "scan.pdf", b"bytes")
        thread = threading.Thread(target=lambda: failures.append(together([check.case.delete])))
        thread.start()
        wait_for_a_lock()
    thread.join(60)
    assert failures == [[]]
    assert not Case.objects.exists()

"""Periodic reviews: scheduled, due, confirmed; by people, by code and by the clock."""

from __future__ import annotations

import importlib
from datetime import UTC, date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cases import projection, services, tasks
from cases.models import Case, CaseReview
from cases.services import reviews
from deliveries.models import Event
from dotfile_hooks.celery import app
from tests import factories
from tests.workspaces.crowd import meanwhile

pytestmark = pytest.mark.django_db

TODAY = date(2031, 3, 10)
TOMORROW = TODAY + timedelta(days=1)


def approved(on: date | None = TODAY, **fields: Any) -> Case:
    """An approved case whose next review is on this day; what was told until then is forgotten."""
    case = factories.case(**fields)
    services.review_case(case, "approved", reviewer_type="api", next_review_at=on)
    Event.objects.all().delete()
    return Case.objects.get(pk=case.pk)


def names() -> list[str]:
    return list(Event.objects.order_by("sequence").values_list("name", flat=True))


def shown(case: Case) -> Any:
    row = Case.objects.filter(pk=case.pk).values().get()
    return projection.case_detailed(row, projection.load_related([case.pk])[case.pk])["review"]


def test_an_approval_sets_the_day_of_the_next_review() -> None:
    case = factories.case()
    services.review_case(case, "approved", reviewer_type="api", next_review_at=TODAY)
    assert names() == ["Case.Created", "Case.StatusUpdated", "Case.ReviewUpdated"]
    assert shown(case)["next_review_at"] == "2031-03-10"


def test_a_review_that_is_moved_is_told_and_shown_and_what_was_decided_then_stays() -> None:
    case = approved()
    services.reschedule_review(case, TOMORROW)
    assert names() == ["Case.ReviewUpdated"]
    assert shown(case)["next_review_at"] == "2031-03-11"
    assert CaseReview.objects.get().next_review_at == TODAY


def test_a_review_that_is_called_off_is_told() -> None:
    case = approved()
    services.reschedule_review(case, None)
    assert (names(), shown(case)["next_review_at"]) == (["Case.ReviewUpdated"], None)


def test_a_review_that_is_moved_to_the_day_it_has_is_no_change() -> None:
    services.reschedule_review(approved(), TODAY)
    assert names() == []


@pytest.mark.parametrize("status", ["draft", "open", "rejected", "closed"])
def test_only_an_approved_case_has_a_next_review(status: str) -> None:
    case = factories.case(status=status)
    Event.objects.all().delete()
    with transaction.atomic(), pytest.raises(ValidationError, match="Only an approved case"):
        services.reschedule_review(case, TODAY)
    with transaction.atomic(), pytest.raises(ValidationError, match="Only an approved case"):
        Case.objects.update(next_review_at=TODAY)
    assert names() == []


def test_a_stale_copy_of_a_rejected_case_gets_no_next_review() -> None:
    case = approved(None)
    stale = Case.objects.get(pk=case.pk)
    services.review_case(case, "rejected", reviewer_type="api")
    stale.next_review_at = TODAY
    with pytest.raises(ValidationError, match="Only an approved case"):
        stale.save()


def test_a_stale_copy_that_closes_a_case_takes_its_new_review_away() -> None:
    stale = approved(None)
    services.reschedule_review(Case.objects.get(pk=stale.pk), TODAY)
    stale.status = "closed"
    stale.save()
    assert Case.objects.get().next_review_at is None


@pytest.mark.parametrize("status", ["rejected", "closed", "open", "draft"])
@pytest.mark.parametrize("way", ["save", "save of one field", "update", "bulk_update"])
def test_a_case_that_is_not_approved_any_more_has_no_next_review(status: str, way: str) -> None:
    case = approved()
    services.tell_due_reviews(TODAY)
    case.status = status
    if way == "update":
        Case.objects.update(status=status)
    elif way == "bulk_update":
        Case.objects.bulk_update([case], ["status"])
    else:
        case.save(update_fields=["status"] if "one" in way else None)
    found = Case.objects.get()
    assert (found.status, found.next_review_at, found.review_due_at) == (status, None, None)
    assert names() == ["Case.ReviewDue", "Case.StatusUpdated", "Case.ReviewUpdated"]


# --- Confirmed --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("due", [False, True])
def test_an_approval_of_an_approved_case_confirms_it(due: bool) -> None:
    case = approved()
    if due:
        services.tell_due_reviews(TODAY)
    services.review_case(case, "approved", reviewer_type="user", comment="Still fine.", next_review_at=TOMORROW)
    found = Case.objects.get()
    assert names()[-1] == "Case.ReviewConfirmed"
    assert len(names()) == 1 + due
    assert (found.next_review_at, found.review_due_at) == (TOMORROW, None)
    assert (shown(case)["comment"], shown(case)["next_review_at"]) == ("Still fine.", "2031-03-11")
    assert CaseReview.objects.count() == 2


def test_a_confirmation_may_be_the_last() -> None:
    case = approved()
    services.review_case(case, "approved", reviewer_type="api")
    assert Case.objects.get().next_review_at is None
    with pytest.raises(ValidationError, match="already approved"):
        services.review_case(case, "approved", reviewer_type="api")


def test_code_that_confirms_keeps_a_review_too() -> None:
    case = approved()
    case.review_confirmed_at = timezone.now()
    case.save()
    assert names() == ["Case.ReviewConfirmed"]
    assert CaseReview.objects.filter(reviewer_type="system", status="approved").count() == 1


def test_a_case_that_is_open_cannot_be_confirmed() -> None:
    case = factories.case()
    case.review_confirmed_at = timezone.now()
    with pytest.raises(ValidationError, match="Only the approval"):
        case.save()


# --- Due --------------------------------------------------------------------------------------------------------------


def test_a_review_is_due_on_its_day_and_told_once() -> None:
    approved()
    assert services.tell_due_reviews(TODAY - timedelta(days=1)) == 0
    assert names() == []
    assert services.tell_due_reviews(TODAY) == 1
    assert services.tell_due_reviews(TODAY) == services.tell_due_reviews(TOMORROW) == 0
    assert names() == ["Case.ReviewDue"]


def test_after_a_week_of_silence_each_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reviews, "BATCH", 3)
    workspace = factories.workspace()
    cases = Case.objects.bulk_create([Case(workspace=workspace, name=str(n), status="approved") for n in range(10)])
    for number, case in enumerate(cases):
        case.next_review_at = TODAY + timedelta(days=number)
    Case.objects.bulk_update(cases, ["next_review_at"])
    Event.objects.all().delete()
    assert services.tell_due_reviews(TODAY + timedelta(days=7)) == 8
    assert services.tell_due_reviews(TODAY + timedelta(days=8)) == 1
    assert set(Event.objects.values_list("entity_id", flat=True)) == {case.pk for case in cases[:9]}
    assert names() == ["Case.ReviewDue"] * 9


def test_an_edit_of_a_due_case_does_not_make_it_due_again() -> None:
    approved()
    services.tell_due_reviews(TODAY)
    case = Case.objects.get()
    case.name = "New"
    case.save()
    services.tell_due_reviews(TOMORROW)
    assert names() == ["Case.ReviewDue", "Case.InfoUpdated"]


def test_a_due_review_that_is_moved_falls_due_again() -> None:
    case = approved()
    services.tell_due_reviews(TODAY)
    services.reschedule_review(case, TOMORROW)
    assert Case.objects.get().review_due_at is None
    services.tell_due_reviews(TOMORROW)
    assert names() == ["Case.ReviewDue", "Case.ReviewUpdated", "Case.ReviewDue"]


def test_many_are_told_in_a_few_statements() -> None:
    workspace = factories.workspace()
    Case.objects.bulk_create([Case(workspace=workspace, name=str(n), status="approved") for n in range(500)])
    Case.objects.update(next_review_at=TODAY)
    with CaptureQueriesContext(connection) as captured:
        assert services.tell_due_reviews(TODAY) == 500
    assert len(captured) < 12


def test_the_task_tells_what_is_due_by_now() -> None:
    approved(timezone.now().astimezone(UTC).date())
    approved(timezone.now().astimezone(UTC).date() + timedelta(days=2))
    tasks.tell_due_reviews()
    assert names() == ["Case.ReviewDue"]


@pytest.mark.django_db(transaction=True)
def test_two_clocks_at_once_tell_once(transactional_db: None) -> None:
    approved()
    counts = [0]

    def first() -> None:
        counts[0] = services.tell_due_reviews(TODAY)

    assert (meanwhile(first, lambda: services.tell_due_reviews(TODAY)), counts[0]) == (0, 1)
    assert names() == ["Case.ReviewDue"]


@pytest.mark.django_db(transaction=True)
def test_a_case_that_is_rejected_meanwhile_is_not_told_of(transactional_db: None) -> None:
    case = approved()
    told = meanwhile(
        lambda: services.review_case(case, "rejected", reviewer_type="api"), lambda: services.tell_due_reviews(TODAY)
    )
    assert told == 0
    assert "Case.ReviewDue" not in names()


def test_cases_of_before_get_the_day_that_their_latest_review_set(monkeypatch: pytest.MonkeyPatch) -> None:
    migration = importlib.import_module("cases.migrations.0003_dates_of_periodic_reviews")
    monkeypatch.setattr(migration, "BATCH", 1)
    scheduled, unscheduled, rejected = approved(), approved(None), approved()
    services.review_case(rejected, "rejected", reviewer_type="api")
    plain: QuerySet[Case] = QuerySet(Case)
    plain.update(next_review_at=None)
    for _ in range(2):
        migration.fill(None, SimpleNamespace(connection=connection))
    found = dict(Case.objects.values_list("pk", "next_review_at"))
    assert found == {scheduled.pk: TODAY, unscheduled.pk: None, rejected.pk: None}


def test_beat_asks_each_minute_on_the_queue_of_chores(settings: Any) -> None:
    entry = settings.CELERY_BEAT_SCHEDULE["reviews"]
    assert entry["task"] == tasks.tell_due_reviews.name
    assert app.amqp.router.route({}, entry["task"])["queue"].name == "chores"
    assert entry["schedule"].remaining_estimate(timezone.now()) <= timedelta(minutes=1)

"""The last day of a check, and the clock."""

from __future__ import annotations

from datetime import date, timedelta
from io import StringIO
from typing import Any

import pytest
from celery.schedules import crontab
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cases.services import review_case
from checks import projection, services, tasks
from checks.models import Check, CheckStatus
from checks.services import expiry
from deliveries.models import Event
from tests import factories

pytestmark = pytest.mark.django_db

DAY = date(2027, 1, 31)
NEXT = DAY + timedelta(days=1)


def valid_until(day: date | None, status: str = "approved") -> Check:
    check = Check.objects.create(type="ekyc", individual=factories.individual(), status=status, expires_at=day)
    Event.objects.all().delete()
    return check


def status() -> str:
    return Check.objects.get().status


def expired_events() -> int:
    return Event.objects.filter(name="Check.Expired").count()


@pytest.mark.parametrize(
    ("last", "today", "expected"),
    [(DAY, DAY, 0), (DAY, NEXT, 1), (DAY, DAY + timedelta(days=400), 1), (NEXT, DAY, 0), (None, NEXT, 0)],
)
def test_a_check_is_valid_on_its_last_day_and_not_after_it(last: date | None, today: date, expected: int) -> None:
    valid_until(last)
    assert services.expire_checks(today) == expected
    assert status() == ("expired" if expected else "approved")
    assert expired_events() == expected


@pytest.mark.parametrize("before", CheckStatus.values)
def test_what_was_rejected_or_has_expired_stays_so(before: str) -> None:
    valid_until(DAY, before)
    stays = before in ("rejected", "expired")
    assert services.expire_checks(NEXT) == (0 if stays else 1)
    assert status() == (before if stays else "expired")


def test_a_day_is_told_once_however_often_the_clock_runs() -> None:
    valid_until(DAY)
    assert [services.expire_checks(NEXT) for _ in range(3)] == [1, 0, 0]
    assert expired_events() == 1


def test_days_without_a_clock_are_made_up_for() -> None:
    person = factories.individual()
    Check.objects.bulk_create(
        [Check(type="ekyc", individual=person, expires_at=DAY - timedelta(days=n)) for n in range(7)]
    )
    assert services.expire_checks(NEXT) == 7


def test_many_expire_in_batches_of_few_statements(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expiry, "BATCH", 4)
    person = factories.individual()
    Check.objects.bulk_create([Check(type="ekyc", individual=person, expires_at=DAY) for _ in range(10)])
    with CaptureQueriesContext(connection) as captured:
        assert services.expire_checks(NEXT) == 10
    batches = [query for query in captured if 'UPDATE "checks_check"' in query["sql"]]
    assert len(batches) == 3
    assert expired_events() == 10


def test_the_question_is_answered_by_an_index() -> None:
    with CaptureQueriesContext(connection) as captured:
        services.expire_checks(NEXT)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {captured[0]['sql']}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "checks_check_expiry" in plan


def test_the_day_of_a_document_is_the_one_that_was_read_from_it() -> None:
    check = factories.check(kind="document")
    services.record_result(check, "approved", information={"expiration_date": "2027-01-31"})
    assert Check.objects.get().expires_at == DAY
    services.expire_checks(NEXT)
    assert status() == "expired"


@pytest.mark.parametrize("told", ["31/01/2027", 5, {}])
def test_what_was_no_day_before_there_was_a_rule_is_none(told: Any) -> None:
    check = factories.check(kind="document")
    check.data["information"]["expiration_date"] = told
    QuerySet(Check).update(data=check.data)
    check = Check.objects.get()
    check.data["result"] = "error"
    check.save()
    assert Check.objects.get().expires_at is None


def test_a_day_that_was_set_by_hand_stays_and_is_shown() -> None:
    check = factories.check(kind="document")
    check.expires_at = DAY
    check.save()
    services.record_result(check, "approved", document_file_ids=[])
    row = Check.objects.filter(pk=check.pk).values()[0]
    assert row["expires_at"] == DAY
    assert projection.check(row)["data"]["information"]["expiration_date"] == "2027-01-31"


def test_an_event_from_before_there_was_a_last_day_is_shown() -> None:
    row: dict[str, Any] = {**Check.objects.filter(pk=factories.check(kind="document").pk).values()[0]}
    del row["expires_at"]
    assert projection.check(row)["data"]["information"]["expiration_date"] is None


@pytest.mark.parametrize(("action", "expected"), [("approve", "approved"), ("reject", "rejected")])
def test_a_check_that_has_expired_is_reviewed_again_for_good(action: str, expected: str) -> None:
    check = valid_until(DAY - timedelta(days=3650))
    services.expire_checks(timezone.localdate())
    services.review_check(check, action, reviewer_type="api")
    services.expire_checks(timezone.localdate())
    assert status() == expected


def test_approving_a_check_keeps_a_day_that_is_to_come() -> None:
    day = timezone.localdate()
    check = valid_until(day, "need_review")
    assert services.review_check(check, "approve", reviewer_type="api").expires_at == day


def test_beat_asks_every_minute_on_the_queue_of_chores() -> None:
    entry: dict[str, Any] = next(
        entry for entry in settings.CELERY_BEAT_SCHEDULE.values() if entry["task"] == tasks.expire.name
    )
    assert entry["schedule"] == crontab()
    assert tasks.expire.app.amqp.router.route({}, tasks.expire.name)["queue"].name == "chores"


def test_the_task_goes_by_todays_date() -> None:
    valid_until(timezone.localdate() - timedelta(days=1))
    tasks.expire()
    assert status() == "expired"


def test_the_clock_is_moved_by_hand() -> None:
    case = valid_until(DAY).case
    review_case(case, "approved", reviewer_type="user", next_review_at=DAY)
    for day, sentence in (
        (DAY, "As of 2027-01-31, 1 periodic review(s) fell due and 0 check(s) expired."),
        (NEXT, "As of 2027-02-01, 0 periodic review(s) fell due and 1 check(s) expired."),
    ):
        out = StringIO()
        call_command("clock", "--on", day.isoformat(), stdout=out)
        assert sentence in out.getvalue()
    assert status() == "expired"


def test_a_status_from_before_there_were_rules_does_not_stop_the_clock() -> None:
    check = factories.check(kind="ekyc", expires_at=DAY)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE checks_check SET status = 'finished' WHERE id = %s", [check.pk])
    assert services.expire_checks(NEXT) == 1
    assert Check.objects.get().status == "expired"

"""What may become of a check, on every way to a write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Value

from checks import aml, services
from checks.models import Check, CheckStatus, ListType
from deliveries.models import Event
from tests import factories

pytestmark = pytest.mark.django_db

# Every other step from one status to another is allowed.
REFUSED = {
    ("processing", "in_progress"),
    ("need_review", "in_progress"),
    ("approved", "in_progress"),
    ("rejected", "in_progress"),
    ("expired", "in_progress"),
    ("approved", "processing"),
    ("rejected", "processing"),
    ("expired", "processing"),
    ("rejected", "expired"),
}
STEPS = [(before, now) for before in CheckStatus.values for now in CheckStatus.values if before != now]


def saved(check: Check, **values: Any) -> None:
    for name, value in values.items():
        setattr(check, name, value)
    check.save()


def updated(check: Check, **values: Any) -> None:
    Check.objects.filter(pk=check.pk).update(**values)


def bulk_updated(check: Check, **values: Any) -> None:
    for name, value in values.items():
        setattr(check, name, value)
    Check.objects.bulk_update([check], [*values])


WAYS = [saved, updated, bulk_updated]
Write = Callable[..., None]


def in_status(status: str) -> Check:
    check = Check.objects.create(type="ekyc", individual=factories.individual(), status=status)
    Event.objects.all().delete()
    return check


@pytest.mark.parametrize(("before", "now"), STEPS)
def test_a_step_from_one_status_to_another(before: str, now: str) -> None:
    check = in_status(before)
    if (before, now) in REFUSED:
        with pytest.raises(ValidationError, match=before):
            saved(check, status=now)
    else:
        saved(check, status=now)
    assert Check.objects.get().status == (before if (before, now) in REFUSED else now)


@pytest.mark.parametrize("write", WAYS)
@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"status": "expired"}, "A check that is rejected cannot become expired"),
        ({"status": "in_progress"}, "only if it is restarted"),
        ({"status": "finished"}, "no status finished"),
        ({"type": "id_document"}, "A check keeps its type"),
    ],
)
def test_what_makes_no_sense_is_refused_and_leaves_no_event(
    write: Write, values: dict[str, str], sentence: str
) -> None:
    check = in_status("rejected")
    with transaction.atomic(), pytest.raises(ValidationError, match=sentence):
        write(check, **values)
    stored = Check.objects.get()
    assert (stored.status, stored.type) == ("rejected", "ekyc")
    assert not Event.objects.exists()


@pytest.mark.parametrize("write", WAYS)
@pytest.mark.parametrize("field", ["individual", "case"])
def test_a_check_stays_with_whom_it_is_about(write: Write, field: str) -> None:
    check = in_status("in_progress")
    other: Any = factories.individual() if field == "individual" else factories.case()
    with transaction.atomic(), pytest.raises(ValidationError, match=f"A check keeps its {field}"):
        write(check, **{field: other})


@pytest.mark.parametrize("write", WAYS)
@pytest.mark.parametrize("status", ["approved", "rejected"])
def test_hits_come_before_a_verdict(write: Write, status: str) -> None:
    check = factories.aml_check_with_hits()
    with transaction.atomic(), pytest.raises(ValidationError, match="Review all hits"):
        write(check, status=status)
    assert Check.objects.get().status == "need_review"
    assert not Event.objects.filter(name__in=["Check.Approved", "Check.Rejected"]).exists()


@pytest.mark.parametrize("write", WAYS)
def test_a_search_with_hits_may_expire(write: Write) -> None:
    write(factories.aml_check_with_hits(), status="expired")
    assert Check.objects.get().status == "expired"


def test_one_refused_check_of_many_holds_back_all() -> None:
    approved, hits = factories.check(kind="ekyc", status="need_review"), factories.aml_check_with_hits()
    with pytest.raises(ValidationError, match="Review all hits"):
        Check.objects.update(status="approved")
    assert {check.status for check in (approved, hits)} == {"need_review"}


def test_a_restarted_check_has_forgotten_all_but_its_settings() -> None:
    check = services.start_check(factories.individual(), "ekyc", {"automatic_approval": True})
    services.record_result(check, "approved", decision="match")
    Event.objects.all().delete()
    check = services.restart(check)
    assert (check.status, check.data["result"], check.data["decision"]) == ("in_progress", None, None)
    assert check.data["review"]["reviewed_at"] is None
    assert check.data["settings"]["automatic_approval"] is True
    assert not Event.objects.filter(name__startswith="Check").exists()


@pytest.mark.parametrize("status", ["finished", ""])
def test_a_new_check_has_a_status_that_there_is(status: str) -> None:
    person = factories.individual()
    with transaction.atomic(), pytest.raises(ValidationError, match="no status"):
        Check.objects.create(type="ekyc", individual=person, status=status)
    with transaction.atomic(), pytest.raises(ValidationError, match="no status"):
        Check.objects.bulk_create([Check(type="ekyc", individual=person, status=status)])
    assert not Check.objects.exists()


@pytest.mark.parametrize("write", WAYS)
def test_hits_do_not_come_behind_a_verdict(write: Write) -> None:
    check = services.record_aml_result(factories.check(), [])
    with transaction.atomic(), pytest.raises(ValidationError, match="Review all hits"):
        write(check, data=aml.with_hits(check.data, [aml.NewHit("John Carter", [ListType.PEP])]))
    assert Check.objects.get().data["hits"] == []


@pytest.mark.parametrize("expression", [True, False])
def test_what_the_database_computes_is_refused_with_the_rest(expression: bool) -> None:
    check = in_status("rejected")
    check.is_internal = Value(True)
    check.status = Value("expired") if expression else "expired"
    with transaction.atomic():
        with pytest.raises(ValidationError, match="cannot become expired"):
            check.save()
        assert Check.objects.values_list("status", "is_internal").get() == ("rejected", False)

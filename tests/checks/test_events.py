"""Which change of a check is which event, whoever makes it and how."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from cases.models import Case, Individual
from checks.models import Check
from deliveries.models import Event
from tests import factories

pytestmark = pytest.mark.django_db

EVENTS = {
    "need_review": ["Check.ReviewNeeded"],
    "processing": [],
    "approved": ["Check.Approved"],
    "rejected": ["Check.Rejected"],
    "expired": ["Check.Expired"],
}


def names() -> list[str]:
    return list(Event.objects.filter(name__startswith="Check").order_by("sequence").values_list("name", flat=True))


@pytest.fixture
def check() -> Check:
    made = factories.check(kind="ekyc")
    Event.objects.all().delete()
    return Check.objects.get(pk=made.pk)


def saved(check: Check, status: str) -> None:
    check.status = status
    check.save()


def bulk_updated(check: Check, status: str) -> None:
    check.status = status
    Check.objects.bulk_update([check], ["status"])


WAYS: list[Callable[[Check, str], Any]] = [
    saved,
    bulk_updated,
    lambda check, status: Check.objects.filter(pk=check.pk).update(status=status),
]


@pytest.mark.parametrize("write", WAYS)
@pytest.mark.parametrize("status", EVENTS)
def test_a_status_that_is_reached_is_an_event(check: Check, write: Callable[[Check, str], Any], status: str) -> None:
    write(check, status)
    write(check, status)
    assert names() == EVENTS[status]


@pytest.mark.parametrize("status", ["in_progress", *EVENTS])
@pytest.mark.parametrize(
    "create", [lambda check: check.save(), lambda check: Check.objects.bulk_create([check])], ids=["save", "bulk"]
)
def test_a_check_that_is_made_in_a_status_tells_of_both(create: Callable[[Check], Any], status: str) -> None:
    create(Check(type="ekyc", individual=factories.individual(), status=status))
    assert names() == ["Check.Started", *EVENTS.get(status, [])]


@pytest.mark.parametrize(
    "delete", [lambda check: check.delete(), lambda check: Check.objects.filter(pk=check.pk).delete()]
)
def test_a_deleted_check_is_an_event(check: Check, delete: Callable[[Check], Any]) -> None:
    delete(check)
    assert names() == ["Check.Deleted"]


@pytest.mark.parametrize(
    "delete", [lambda: Individual.objects.get().delete(), lambda: Case.objects.all().delete()], ids=["person", "case"]
)
def test_a_cascade_is_silent(check: Check, delete: Callable[[], Any]) -> None:
    delete()
    assert not Check.objects.exists()
    assert names() == []


@pytest.mark.parametrize(
    "values",
    [
        {"data": {"result": "error"}},
        {"expires_at": date(2027, 1, 31)},
        {"is_internal": True},
        {"status": "in_progress"},
    ],
)
def test_other_columns_are_no_event(check: Check, values: dict[str, Any]) -> None:
    Check.objects.update(**values)
    for name, value in values.items():
        setattr(check, name, value)
    check.save()
    assert names() == []


def test_the_admins_form_sent_unchanged_is_no_event_and_no_change(check: Check, admin_client: Client) -> None:
    Check.objects.update(expires_at=date(2027, 1, 31), is_internal=True)
    before = Check.objects.values().get()
    form = admin_client.get(f"/admin/checks/check/{check.pk}/change/").context["adminform"].form
    sent = {name: value for name in form.fields if (value := form[name].value()) is not None}
    answer = admin_client.post(f"/admin/checks/check/{check.pk}/change/", sent)
    assert answer.status_code == 302
    assert Check.objects.values().get() == before
    assert names() == []


def test_a_change_costs_one_statement_that_records(check: Check) -> None:
    check.data = check.data | {"decision": "match"}
    check.status = "processing"
    with CaptureQueriesContext(connection) as quiet:
        check.save()
    check.status = "expired"
    with CaptureQueriesContext(connection) as told:
        check.save()
    assert len(told) == len(quiet) + 1
    assert names() == ["Check.Expired"]

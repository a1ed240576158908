"""`all_checks_approved` and `for_review` follow from the checks of a case, whoever changes these and how."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction

from cases.models import Case, Individual
from checks.flags import with_derived
from checks.models import Check
from checks.services import record_aml_result, start_check
from deliveries.models import Event
from tests import factories

pytestmark = pytest.mark.django_db


def flags() -> list[str]:
    return Case.objects.get().flags


def started() -> Check:
    return start_check(factories.individual(), "aml")


def set_status(check: Check, status: str) -> None:
    check.status = status
    check.save()


@pytest.mark.parametrize(
    ("flags", "approved", "review", "expected"),
    [
        ([], False, False, []),
        ([], True, False, ["all_checks_approved"]),
        (["for_recollection"], False, True, ["for_recollection", "for_review"]),
        (["for_review", "for_recollection"], True, False, ["for_recollection", "all_checks_approved"]),
        (["all_checks_approved", "for_recollection"], True, False, ["all_checks_approved", "for_recollection"]),
    ],
)
def test_flags_that_were_set_by_hand_stay(flags: list[str], approved: bool, review: bool, expected: list[str]) -> None:
    assert with_derived(flags, approved, review) == expected


def test_a_case_without_checks_has_none_that_are_approved() -> None:
    factories.individual()
    assert flags() == []


def test_a_check_that_needs_a_review_flags_its_case() -> None:
    set_status(started(), "need_review")
    assert flags() == ["for_review"]


def test_the_last_approval_flags_the_case() -> None:
    person = factories.individual()
    first, last = start_check(person, "aml"), start_check(person, "ekyc")
    set_status(first, "approved")
    assert flags() == []
    set_status(last, "approved")
    assert flags() == ["all_checks_approved"]


def test_a_new_check_takes_the_flag_away() -> None:
    check = started()
    set_status(check, "approved")
    start_check(Individual.objects.get(), "ekyc")
    assert flags() == []


@pytest.mark.parametrize(
    "change",
    [
        lambda: Check.objects.update(status="need_review"),
        lambda: Check.objects.bulk_update([_with(check, "need_review") for check in Check.objects.all()], ["status"]),
        lambda: Check.objects.bulk_create(
            [Check(individual=Individual.objects.get(), type="ekyc", status="need_review") for _ in range(2)]
        ),
    ],
)
def test_bulk_changes_of_checks_are_followed(change: Callable[[], Any]) -> None:
    started()
    change()
    assert flags() == ["for_review"]


def _with(check: Check, status: str) -> Check:
    check.status = status
    return check


@pytest.mark.parametrize(
    "gone",
    [
        lambda: Check.objects.get().delete(),
        lambda: Check.objects.all().delete(),
        lambda: Individual.objects.get().delete(),
        lambda: Individual.objects.all().delete(),
        lambda: Individual.objects.update(is_relevant=False),
    ],
)
def test_checks_that_are_gone_or_not_relevant_do_not_count(gone: Callable[[], Any]) -> None:
    set_status(started(), "need_review")
    gone()
    assert flags() == []


def test_the_change_of_the_check_is_told_before_that_of_the_flags() -> None:
    check = started()
    Event.objects.all().delete()
    set_status(check, "approved")
    assert list(Event.objects.order_by("sequence").values_list("name", flat=True)) == [
        "Check.Approved",
        "Case.FlagsUpdated",
    ]


def test_many_cases_are_followed_in_a_few_statements(django_assert_max_num_queries: Any) -> None:
    checks = [start_check(factories.individual(factories.case()), "aml") for _ in range(20)]
    with django_assert_max_num_queries(25):
        Check.objects.filter(pk__in=[check.pk for check in checks]).update(status="approved")
    assert all(found == ["all_checks_approved"] for found in Case.objects.values_list("flags", flat=True))


def _saved(case: Case) -> None:
    case.flags = ["for_review"]
    case.save()


def _bulk_updated(case: Case) -> None:
    case.flags = ["for_review"]
    Case.objects.bulk_update([case], ["flags"])


@pytest.mark.parametrize(
    "write",
    [
        _saved,
        _bulk_updated,
        lambda case: Case.objects.update(flags=["all_checks_approved"]),
        lambda case: Case.objects.create(workspace=case.workspace, name="New", flags=["for_review"]),
        lambda case: Case.objects.bulk_create([Case(workspace=case.workspace, name="New", flags=["for_review"])]),
    ],
)
def test_they_are_not_set_by_hand(write: Callable[[Case], Any]) -> None:
    case = factories.case()
    with transaction.atomic(), pytest.raises(ValidationError, match="follow from the checks"):
        write(case)
    assert Case.objects.get().flags == []
    assert [event.name for event in Event.objects.all()] == ["Case.Created"]


def test_a_refused_row_can_be_put_right_and_saved() -> None:
    case = factories.case()
    with pytest.raises(ValidationError):
        _saved(case)
    case.flags, case.name = [], "Right"
    case.save()
    assert Case.objects.get().name == "Right"
    assert Event.objects.filter(name="Case.FlagsUpdated").count() == 0


def test_a_stale_copy_of_a_case_does_not_put_its_flags_back() -> None:
    check = factories.check()
    stale = Case.objects.get()
    record_aml_result(check, [])
    stale.flags = ["for_recollection"]
    with transaction.atomic(), pytest.raises(ValidationError, match="follow from the checks"):
        stale.save()
    assert Case.objects.get().flags == ["all_checks_approved"]

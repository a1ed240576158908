"""What happens to checks, without the API around it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from cases.models import ReviewerType
from checks import services
from checks.aml import NewHit
from checks.models import ABOUT_COMPANIES, ABOUT_INDIVIDUALS, Check, CheckType, ListType
from deliveries.models import Event
from tests import factories

pytestmark = pytest.mark.django_db

PEP = NewHit("John Carter", [ListType.PEP, ListType.SANCTION])
API = ReviewerType.API


@pytest.mark.parametrize("kind", CheckType.values)
def test_which_types_are_about_whom(kind: str) -> None:
    case = factories.case()
    for subject, not_for in (
        (factories.individual(case), ABOUT_COMPANIES),
        (factories.company(case), ABOUT_INDIVIDUALS),
    ):
        if kind in not_for:
            with pytest.raises(ValidationError, match="is a check of"):
                factories.check(subject, kind)
        else:
            check = factories.check(subject, kind)
            assert (check.status, check.case_id, check.subject) == ("in_progress", case.pk, subject)


def test_the_database_knows_whom_a_type_is_about() -> None:
    company = factories.company()
    with pytest.raises(IntegrityError, match="fits_its_subject"), transaction.atomic():
        Check(type="ekyc", company=company, case=company.case).save_base(raw=True)


def test_the_database_knows_that_a_check_is_about_one_subject() -> None:
    person = factories.individual()
    company = factories.company(person.case)
    with pytest.raises(IntegrityError, match="one_subject"), transaction.atomic():
        Check(type="aml", company=company, individual=person, case=person.case).save_base(raw=True)


@pytest.mark.parametrize(
    "make",
    [lambda check: check.save(), lambda check: Check.objects.bulk_create([check]), lambda check: check.full_clean()],
    ids=["save", "bulk_create", "form"],
)
@pytest.mark.parametrize(
    ("kind", "about", "sentence"),
    [
        ("ekyc", {"company"}, "eKYC is a check of individuals, not of companies"),
        ("online_reputation", {"individual"}, "Online Reputation is a check of companies, not of individuals"),
        ("aml", {"company", "individual"}, "exactly one individual or one company"),
        ("aml", set(), "exactly one individual or one company"),
        ("tarot", {"individual"}, "no type tarot"),
    ],
)
def test_a_check_of_the_wrong_subject_is_refused_with_a_sentence(
    make: Callable[[Check], object], kind: str, about: set[str], sentence: str
) -> None:
    person = factories.individual()
    subjects: dict[str, Any] = {"individual": person, "company": factories.company(person.case)}
    with pytest.raises(ValidationError, match=sentence), transaction.atomic():
        make(Check(type=kind, **{name: subjects[name] for name in about}))
    assert not Check.objects.exists()
    assert not Event.objects.filter(name__startswith="Check").exists()


@pytest.mark.parametrize(
    ("kind", "subtype", "key"),
    [
        ("document", "document_type:passport", "passport"),
        ("electronic_signature", "document_template:mandate", ""),
        ("aml", "", ""),
    ],
)
def test_the_subtype_follows_from_the_settings(kind: str, subtype: str, key: str) -> None:
    check = factories.check(factories.individual(), kind)
    assert (check.subtype, check.document_type_key) == (subtype, key)


def test_a_document_check_needs_to_know_its_document() -> None:
    with pytest.raises(ValidationError, match="document_type_key"):
        services.start_check(factories.individual(), CheckType.DOCUMENT)


def test_hits_need_a_review() -> None:
    check = services.record_aml_result(factories.check(), [PEP])
    assert (check.status, check.data["result"], check.data["match_status"]) == ("need_review", None, "potential_match")
    assert check.data["hits_list_types"] == ["pep", "sanction"]
    assert check.data["hits"][0]["status"] == "potential_match"


def test_no_hits_are_an_approval_by_the_system() -> None:
    check = services.record_aml_result(factories.check(), [])
    assert (check.status, check.data["result"], check.data["match_status"]) == ("approved", "approved", "no_match")
    assert check.data["review"]["reviewer_type"] == "system"


def test_a_result_comes_once() -> None:
    check = services.record_aml_result(factories.check(), [PEP])
    with pytest.raises(ValidationError, match="known already"):
        services.record_aml_result(check, [])


def test_only_aml_checks_have_hits() -> None:
    with pytest.raises(ValidationError, match="Only AML"):
        services.record_aml_result(factories.check(kind=CheckType.EKYC), [PEP])


@pytest.mark.parametrize(
    ("actions", "match"),
    [
        (["ignore", "ignore"], "false_positive"),
        (["confirm", "ignore"], "true_positive"),
        (["confirm"], "potential_match"),
    ],
)
def test_the_strongest_hit_counts(actions: list[str], match: str) -> None:
    check = factories.aml_check_with_hits(None, "A", "B")
    for hit, action in zip(check.data["hits"], actions, strict=False):
        check = services.review_hits(check, [hit["id"].upper()], action, reviewer_type=API, comment="Seen.")
    assert check.data["match_status"] == match
    assert check.data["hits"][0]["review"]["comment"] == "Seen."
    assert check.status == "need_review"


def test_a_hit_of_another_check_is_refused() -> None:
    check, other = factories.aml_check_with_hits(), factories.aml_check_with_hits()
    with pytest.raises(ValidationError, match="has no hit"):
        services.review_hits(check, [other.data["hits"][0]["id"]], "ignore", reviewer_type=API)


def cleared() -> Check:
    """An AML check whose hit was ignored."""
    check = factories.aml_check_with_hits()
    return services.review_hits(check, [check.data["hits"][0]["id"]], "ignore", reviewer_type=API)


@pytest.mark.parametrize(("action", "status"), [("approve", "approved"), ("reject", "rejected")])
def test_a_review_decides(action: str, status: str) -> None:
    user = factories.user(first_name="Ann")
    check = services.review_check(cleared(), action, reviewer_type=ReviewerType.USER, user=user, comment="Ok.")
    assert (check.status, check.data["result"], check.data["review"]["comment"]) == (status, status, "Ok.")
    assert check.data["review"]["user"]["id"] == str(user.pk)


def test_open_hits_come_first() -> None:
    with pytest.raises(ValidationError, match="Review all hits"):
        services.review_check(factories.aml_check_with_hits(), "approve", reviewer_type=API)


@pytest.mark.parametrize("status", ["in_progress", "processing"])
def test_there_is_nothing_to_review_before_there_is_a_result(status: str) -> None:
    with pytest.raises(ValidationError, match="once it has a result"):
        services.review_check(factories.check(status=status), "approve", reviewer_type=API, override=True)


def test_a_verdict_stands_unless_it_is_overridden() -> None:
    check = services.review_check(cleared(), "approve", reviewer_type=API)
    with pytest.raises(ValidationError, match="override"):
        services.review_check(check, "reject", reviewer_type=API)
    assert services.review_check(check, "reject", reviewer_type=API, override=True).status == "rejected"


def test_a_stale_copy_does_not_decide_twice() -> None:
    check = cleared()
    services.review_check(check, "approve", reviewer_type=API)
    with pytest.raises(ValidationError, match="already approved"):
        services.review_check(check, "approve", reviewer_type=API)

"""What is shown of checks."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from pytest_django import DjangoAssertNumQueries

from checks import projection
from checks.models import Check
from tests import factories
from workspaces.timestamps import iso

pytestmark = pytest.mark.django_db


def row(check: Check) -> dict[str, Any]:
    return dict(Check.objects.filter(pk=check.pk).values()[0])


def test_an_aml_check_has_every_key_of_the_api() -> None:
    shown = projection.check(row(factories.aml_check_with_hits()))
    base = {"id", "company_id", "individual_id", "is_internal", "status", "type", "subtype", "last_activity_at", "data"}
    data = {"result", "settings", "vendor", "review", "match_status", "hits_list_types", "hits"}
    assert set(shown) == base
    assert set(shown["data"]) == data
    assert set(shown["data"]["hits"][0]) == {"id", "name", "list_types", "status", "review", "vendor"}
    assert set(shown["data"]["review"]) == {"comment", "reviewed_at", "reviewer_type", "user"}


@pytest.mark.parametrize(
    ("status", "result"), [("approved", "approved"), ("rejected", "rejected"), ("need_review", None), ("expired", None)]
)
def test_a_verdict_is_the_result_however_it_came_about(status: str, result: str | None) -> None:
    check = factories.check(kind="ekyc")
    Check.objects.update(status=status)
    assert projection.check(row(check))["data"]["result"] == result


def test_the_document_type_is_shown_of_document_checks_only() -> None:
    person = factories.individual()
    assert projection.check_summary(row(factories.check(person, "document")))["document_type_key"] == "passport"
    assert "document_type_key" not in projection.check_summary(row(factories.check(person)))


def test_a_deleted_check_tells_what_it_was() -> None:
    check = factories.check()
    assert projection.check_deleted(row(check)) == {
        "id": str(check.pk),
        "individual_id": str(check.individual_id),
        "company_id": None,
        "status": "in_progress",
        "type": "aml",
        "subtype": None,
    }


@pytest.mark.parametrize("show", [projection.check, projection.check_summary, projection.check_deleted])
def test_a_row_recorded_in_json_is_shown_as_the_row_itself(show: Any) -> None:
    stored = row(factories.aml_check_with_hits())
    plain = {name: iso(value) if hasattr(value, "tzinfo") else value for name, value in stored.items()}
    assert show(orjson.loads(orjson.dumps(plain))) == show(stored)


def test_summaries_are_loaded_in_one_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    person, company = factories.individual(), factories.company()
    checks = [factories.check(person), factories.check(person), factories.check(company)]
    with django_assert_num_queries(1):
        found = projection.load_summaries([person.pk, company.pk])
    assert [check["id"] for check in found[person.pk]] == [str(check.pk) for check in checks[:2]]
    assert [check["id"] for check in found[company.pk]] == [str(checks[2].pk)]
    with django_assert_num_queries(0):
        assert projection.load_summaries([]) == {}

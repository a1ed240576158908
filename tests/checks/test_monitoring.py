"""What vendors find after a check was decided."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError

from checks import services
from checks.aml import NewHit
from checks.models import Check, ListType
from deliveries.models import Event
from tests import factories

pytestmark = pytest.mark.django_db

HIT = NewHit("John Carter", [ListType.PEP])


def names() -> list[str]:
    return list(Event.objects.filter(name__startswith="Check").order_by("sequence").values_list("name", flat=True))


def screened() -> Check:
    """An AML check without hits, which is monitored."""
    return services.set_monitoring(services.record_aml_result(factories.check(), []), True)


def monitored_company(**settings: list[str]) -> Check:
    check = services.start_check(factories.company(), "company_monitoring", settings)
    return services.record_result(check, "approved")


def test_monitoring_is_switched_without_an_event() -> None:
    check = services.record_aml_result(factories.check(), [])
    Event.objects.all().delete()
    check = services.set_monitoring(check, True)
    assert services.is_monitored(check)
    assert not services.is_monitored(services.set_monitoring(check, False))
    assert names() == []


def test_a_new_hit_needs_a_review_again() -> None:
    check = screened()
    Event.objects.all().delete()
    check = services.report_monitoring_hit(check, [HIT])
    assert (check.status, check.data["result"], check.data["match_status"]) == ("need_review", None, "potential_match")
    assert check.data["review"]["reviewer_type"] is None
    assert check.data["hits"][0]["vendor"]["updated_by_monitoring_status"] == "new"
    assert names() == ["Check.ReviewNeeded"]
    with pytest.raises(ValidationError, match="Review all hits"):
        services.review_check(check, "approve", reviewer_type="api")


def test_another_hit_joins_the_first() -> None:
    check = services.report_monitoring_hit(screened(), [HIT])
    Event.objects.all().delete()
    check = services.report_monitoring_hit(check, [NewHit("J. Carter", [ListType.SANCTION])])
    assert [hit["name"] for hit in check.data["hits"]] == ["John Carter", "J. Carter"]
    assert names() == []


def test_an_alert_about_a_company_needs_a_review_again() -> None:
    check = monitored_company()
    Event.objects.all().delete()
    check = services.report_monitoring_alert(check, "company_status")
    assert (check.status, names()) == ("need_review", ["Check.ReviewNeeded"])


def test_what_is_not_monitored_tells_nothing() -> None:
    search = services.set_monitoring(screened(), False)
    with pytest.raises(ValidationError, match="not monitored"):
        services.report_monitoring_hit(search, [HIT])
    company = services.set_monitoring(monitored_company(), False)
    with pytest.raises(ValidationError, match="not monitored"):
        services.report_monitoring_alert(company, "other")
    assert {check.status for check in Check.objects.all()} == {"approved"}


def test_refusals_of_reports_are_sentences() -> None:
    company = monitored_company(alert_categories=["company_status"])
    waiting = services.set_monitoring(factories.check(), True)
    refused: list[tuple[Callable[[], object], str]] = [
        (lambda: services.report_monitoring_alert(company, "weather"), "An alert is one of"),
        (lambda: services.report_monitoring_alert(company, "other"), "does not look for alerts about other"),
        (lambda: services.report_monitoring_alert(waiting, "other"), "Only company monitoring checks have alerts"),
        (lambda: services.report_monitoring_hit(company, [HIT]), "Only AML checks have hits"),
        (lambda: services.report_monitoring_hit(waiting, [HIT]), "no result yet"),
        (lambda: services.report_monitoring_hit(screened(), []), "Say which hits"),
        (lambda: services.set_monitoring(factories.check(kind="ekyc"), True), "Only AML and company monitoring"),
    ]
    for call, sentence in refused:
        with pytest.raises(ValidationError, match=sentence):
            call()

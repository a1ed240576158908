"""What is decided about a case over the API: when it is reviewed again, its risk, and wait steps."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from rest_framework.test import APIClient

from cases import services
from cases.models import Case, CaseStatus, PortalType, RiskLevel
from deliveries.models import Event
from dotfile_hooks import settings as ours
from tests import factories
from workspaces.models import Workspace

pytestmark = pytest.mark.django_db

UNKNOWN = "019a0000-0000-7000-8000-000000000000"


@pytest.fixture
def case(workspace: Workspace) -> Case:
    return factories.case(workspace, external_id="e-1")


def refused(client: APIClient, address: str, body: Any) -> list[str | None]:
    """The fields that are to blame."""
    response = client.post(f"/v1/cases/{address}", body)
    assert response.status_code == 400
    return [error["field"] for error in response.json()["errors"]]


def next_review(client: APIClient, **fields: Any) -> str | None:
    response = client.post("/v1/cases/e-1/reviews", {"status": "approved", **fields})
    assert response.status_code == 201
    day: str | None = response.json()["next_review_at"]
    return day


def days_from_now(days: int) -> str:
    return (datetime.now(UTC).date() + timedelta(days)).isoformat()


# Reviews


@pytest.mark.parametrize(("level", "days"), [("high", 30), ("low", None), (None, 90)])
def test_an_approval_is_reviewed_again_after_the_days_of_its_risk(
    client: APIClient, case: Case, settings: Any, level: str | None, days: int | None
) -> None:
    settings.NEXT_REVIEW_DAYS = {"high": 30, "not_defined": 90}
    if level:
        services.assess_risk(case, level)
    assert next_review(client) == (days and days_from_now(days))


def test_what_an_approval_says_of_its_next_review_wins(client: APIClient, case: Case, settings: Any) -> None:
    settings.NEXT_REVIEW_DAYS = {"not_defined": 90}
    assert next_review(client, next_review_at=None) is None
    case.refresh_from_db()
    assert case.next_review_at is None


def test_the_days_are_counted_from_an_earlier_review_but_not_from_one_to_come(
    client: APIClient, case: Case, settings: Any
) -> None:
    settings.NEXT_REVIEW_DAYS = {"not_defined": 90}
    assert next_review(client, reviewed_at="2020-01-01T10:00:00Z") == "2020-03-31"
    assert next_review(client, reviewed_at="9999-12-31T00:00:00Z") == days_from_now(90)


def test_the_days_begin_with_one_of_utc(case: Case, settings: Any) -> None:
    settings.NEXT_REVIEW_DAYS = {"not_defined": 1}
    evening = datetime(2020, 1, 1, 23, tzinfo=timezone(timedelta(hours=-2)))
    assert services.usual_next_review(case, evening) == date(2020, 1, 3)


def test_only_an_approval_is_reviewed_again(client: APIClient, case: Case, settings: Any) -> None:
    settings.NEXT_REVIEW_DAYS = {"not_defined": 90}
    response = client.post("/v1/cases/e-1/reviews", {"status": "rejected"})
    assert (response.status_code, response.json()["next_review_at"]) == (201, None)


def test_every_level_of_risk_may_have_its_days() -> None:
    assert list(ours._risk_levels) == RiskLevel.values


# Risks


def test_a_risk_is_written_and_shown_with_its_case(client: APIClient, case: Case) -> None:
    sent = {"level": "high", "score": 8067, "components": {"geography": 2000, "product": 1.5}, "flags": {"pep": True}}
    response = client.post(f"/v1/cases/{case.pk}/risks", sent)
    assert response.status_code == 201
    assert {name: response.json()[name] for name in sent} == sent
    assert (response.json()["mode"], response.json()["comment"]) == ("automatic", None)
    assert client.get("/v1/cases/e-1").json()["risk"] == response.json()
    assert Event.objects.latest("sequence").name == "Case.RiskUpdated"


def test_whole_scores_stay_whole(client: APIClient, case: Case) -> None:
    response = client.post("/v1/cases/e-1/risks", {"level": "low", "score": 7})
    assert b'"score":7,' in response.content


def test_a_level_is_risk_enough(client: APIClient, case: Case) -> None:
    risk = client.post("/v1/cases/e-1/risks", {"level": "not_defined"}).json()
    assert (risk["score"], risk["components"], risk["flags"]) == (None, None, None)


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "level"),
        ({"level": "extreme"}, "level"),
        ({"level": None}, "level"),
        ({"level": "low", "score": "7"}, "score"),
        ({"level": "low", "score": None}, "score"),
        ({"level": "low", "score": 2**31}, "score"),
        ({"level": "low", "score": -(2**31) - 1}, "score"),
        ({"level": "low", "score": True}, "score"),
        ({"level": "low", "components": [1]}, "components"),
        ({"level": "low", "components": {"a": "1"}}, "components.a"),
        ({"level": "low", "components": {"a": None}}, "components.a"),
        ({"level": "low", "flags": {"a": "yes"}}, "flags.a"),
        ({"level": "low", "flags": {"a": None}}, "flags.a"),
        ({"level": "low", "flags": "a"}, "flags"),
        ([], None),
        ("low", None),
    ],
)
def test_a_wrong_risk_is_refused_and_named(client: APIClient, case: Case, body: Any, named: str | None) -> None:
    assert refused(client, "e-1/risks", body) == [named]
    case.refresh_from_db()
    assert case.risk is None


# Wait steps


@pytest.fixture
def waiting(case: Case) -> dict[str, Any]:
    """The client portal of the case, where somebody waits."""
    case.status = CaseStatus.DRAFT
    case.save()
    services.open_portal(case, "Onboarding", PortalType.KYB)
    return services.trigger_wait_step(case, "documents").client_portal or {}


@pytest.mark.parametrize(
    "body", [{}, {"wait_step_key": "documents"}, {"client_portal_id": "{id}"}, {"client_portal_id": "{ID}"}]
)
def test_who_waits_goes_on(client: APIClient, waiting: dict[str, Any], body: dict[str, str]) -> None:
    sent = {name: value.format(id=waiting["id"], ID=waiting["id"].upper()) for name, value in body.items()}
    for completed in (["documents"], []):
        response = client.post("/v1/cases/e-1/complete-client-portal-wait-step", sent)
        assert (response.status_code, response.json()) == (200, {"completed_wait_step_keys": completed})


@pytest.mark.parametrize("body", [{"wait_step_key": "identity"}, {"client_portal_id": UNKNOWN}])
def test_another_step_or_portal_keeps_them_waiting(
    client: APIClient, waiting: dict[str, Any], body: dict[str, str]
) -> None:
    response = client.post("/v1/cases/e-1/complete-client-portal-wait-step", body)
    assert response.json() == {"completed_wait_step_keys": []}
    assert client.get("/v1/cases/e-1").json()["client_portal"]["wait_step_key"] == "documents"


@pytest.mark.parametrize(
    ("body", "named"),
    [({"wait_step_key": 5}, "wait_step_key"), ({"client_portal_id": "x"}, "client_portal_id")],
)
def test_a_wrong_wait_step_is_refused_and_named(
    client: APIClient, waiting: dict[str, Any], body: dict[str, Any], named: str
) -> None:
    assert refused(client, "e-1/complete-client-portal-wait-step", body) == [named]


def test_wait_steps_are_completed_in_drafts_only(client: APIClient, case: Case) -> None:
    assert refused(client, "e-1/complete-client-portal-wait-step", {}) == [None]

"""The risk of a case, and its client portal."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction

from cases import services
from cases.models import Case
from deliveries.models import Event
from tests import factories

pytestmark = pytest.mark.django_db


def names() -> list[str]:
    return list(Event.objects.order_by("sequence").values_list("name", flat=True))[1:]  # without its creation


def assess(case: Case, level: str, **said: Any) -> dict[str, Any]:
    """The risk as it is then."""
    return services.assess_risk(case, level, **said).risk or {}


def portal_of(case: Case) -> dict[str, Any]:
    return case.client_portal or {}


def test_a_risk_is_written_whole_and_told() -> None:
    case = factories.case()
    said: dict[str, Any] = {"score": 7, "components": {"country": 3}, "flags": {"pep": True}, "comment": "Hm."}
    risk = assess(case, "high", mode="automatic", **said)
    assert risk.keys() == {*said, "id", "mode", "level", "created_at", "updated_at"}
    assert {**risk, **said, "level": "high", "mode": "automatic"} == risk
    assert names() == ["Case.RiskUpdated"]


def test_another_assessment_is_of_the_same_risk() -> None:
    case = factories.case()
    first = assess(case, "low")
    second = assess(case, "high", comment="Moved abroad.")
    kept = ("id", "created_at")
    assert [first[name] for name in kept] == [second[name] for name in kept]
    assert first["updated_at"] <= second["updated_at"]
    assert (second["level"], second["comment"]) == ("high", "Moved abroad.")


def test_the_same_assessment_again_is_no_change() -> None:
    case = factories.case()
    for _ in range(2):
        services.assess_risk(case, "low", score=1.5)
    assert names() == ["Case.RiskUpdated"]


GOOD = services.assessed(None, {"level": "low", "mode": "manual"})


@pytest.mark.parametrize(
    "risk",
    [
        {"level": "high"},
        [],
        "high",
        {**GOOD, "more": 1},
        {**GOOD, "level": "enormous"},
        {**GOOD, "mode": "magic"},
        {**GOOD, "id": "1"},
        {**GOOD, "created_at": "2023-01-31"},
        {**GOOD, "updated_at": None},
        {**GOOD, "comment": 5},
        {**GOOD, "comment": "a\0b"},
        {**GOOD, "score": "7"},
        {**GOOD, "score": True},
        {**GOOD, "score": 2**31},
        {**GOOD, "components": {"a": None}},
        {**GOOD, "components": [1]},
        {**GOOD, "flags": {"a": 1}},
    ],
)
def test_a_risk_that_could_not_be_shown_is_refused(risk: Any) -> None:
    case = factories.case()
    with pytest.raises(ValidationError), transaction.atomic():
        Case.objects.filter(pk=case.pk).update(risk=risk)
    case.risk = risk
    with pytest.raises(ValidationError):
        case.save()
    assert names() == []


# --- The client portal ------------------------------------------------------------------------------------------------


@pytest.fixture
def draft() -> Case:
    """A draft with a client portal."""
    return services.open_portal(factories.case(status="draft"), "Onboarding", "KYC")


def test_a_portal_that_is_opened_is_no_event(draft: Case) -> None:
    portal = portal_of(draft)
    assert {**portal, "name": "Onboarding", "type": "KYC", "wait_step_key": None} == portal
    again = portal_of(services.open_portal(draft, "Welcome", "KYB"))
    assert (again["id"], again["name"], again["type"]) == (portal["id"], "Welcome", "KYB")
    assert names() == []


def test_a_contact_who_comes_to_a_wait_step_is_told_of(draft: Case) -> None:
    services.trigger_wait_step(draft, "documents")
    services.trigger_wait_step(draft, "documents")
    services.trigger_wait_step(draft, "signature")
    assert names() == ["Case.ClientPortalWaitStepTriggered"] * 2


def test_a_portal_that_is_renamed_while_a_contact_waits_is_no_event(draft: Case) -> None:
    services.trigger_wait_step(draft, "documents")
    services.open_portal(draft, "Welcome", "KYB")
    assert names() == ["Case.ClientPortalWaitStepTriggered"]


def test_a_completed_wait_step_is_no_event_and_may_be_triggered_again(draft: Case) -> None:
    services.trigger_wait_step(draft, "documents")
    assert services.complete_wait_steps(draft) == ["documents"]
    assert services.complete_wait_steps(draft) == []
    services.trigger_wait_step(draft, "documents")
    assert names() == ["Case.ClientPortalWaitStepTriggered"] * 2


@pytest.mark.parametrize(
    ("ours", "key", "completed"),
    [(True, None, True), (True, "documents", True), (True, "signature", False), (False, None, False)],
)
def test_only_the_step_that_was_named_is_completed(draft: Case, ours: bool, key: str | None, completed: bool) -> None:
    services.trigger_wait_step(draft, "documents")
    portal = portal_of(draft)["id"] if ours else str(draft.pk)
    assert services.complete_wait_steps(draft, portal, key) == (["documents"] if completed else [])
    assert portal_of(Case.objects.get())["wait_step_key"] == (None if completed else "documents")


def test_wait_steps_are_for_drafts(draft: Case) -> None:
    services.trigger_wait_step(draft, "documents")
    Case.objects.update(status="open")
    told = names()
    for refused in (lambda: services.trigger_wait_step(draft, "b"), lambda: services.complete_wait_steps(draft)):
        with pytest.raises(ValidationError, match="while the case is a draft"), transaction.atomic():
            refused()
    assert names() == told


def test_a_case_without_a_portal_has_no_wait_steps() -> None:
    with pytest.raises(ValidationError, match="no client portal"):
        services.trigger_wait_step(factories.case(status="draft"), "documents")


@pytest.mark.parametrize(
    "change", [{"type": "KYX"}, {"name": ""}, {"wait_step_key": 5}, {"wait_step_key": ""}, {"id": "1"}, {"x": 1}]
)
def test_a_portal_that_could_not_be_shown_is_refused(draft: Case, change: dict[str, Any]) -> None:
    draft.client_portal = {**portal_of(draft), **change}
    with pytest.raises(ValidationError):
        draft.save()
    assert names() == []

"""The events of cases, people, companies and notes: what one change of one kind is told as."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cases import services
from cases.models import Case, Company, Individual, Note, NoteComment
from deliveries.events.catalogue import EVENTS
from deliveries.models import Event
from tests import factories

pytestmark = pytest.mark.django_db

DAY = date(2031, 1, 1)
FAMILIES = {"case", "individual", "company", "note", "noteComment"}


def told() -> list[str]:
    return list(Event.objects.order_by("sequence").values_list("name", flat=True))


def everything_happens() -> None:
    """Every event of these families, by changes that a user, an integrator or the clock makes."""
    workspace = factories.workspace()
    person = factories.user(workspace)
    case = Case.objects.get(pk=services.create_case(workspace, {"name": "Dotfile", "status": "draft"}).pk)
    services.trigger_wait_step(services.open_portal(case, "Onboarding", "KYC"), "documents")
    services.assess_risk(case, "high")
    case = Case.objects.get()
    for name, value in {
        "name": "New",
        "status": "open",
        "flags": ["for_recollection"],
        "contact_has_actions": True,
        "reviewer_has_actions": True,
        "template": factories.template(workspace),
        "metadata": {"a": "b"},
        "assignee": person,
    }.items():
        setattr(case, name, value)
    case.save()
    case.tags.add(factories.tag(workspace, "High risk"))
    services.review_case(case, "approved", reviewer_type="api", next_review_at=DAY)
    services.tell_due_reviews(DAY)
    services.review_case(case, "approved", reviewer_type="api")
    factories.company(case)
    live(factories.individual(case))
    live(factories.company(case, type="affiliated"))
    note = services.add_note(case, "a", author=person)
    comment = services.add_comment(note, "b")
    services.edit(comment, "c").delete()
    services.edit(note, "d").delete()
    case.delete()


def live(row: Individual | Company) -> None:
    for relevant in (False, True):
        row.is_relevant = relevant
        row.save()
    row.custom_properties = {"a": 1}
    row.save()
    row.delete()


def test_every_event_of_these_families_arises() -> None:
    everything_happens()
    expected = {
        name
        for name, kind in EVENTS.items()
        if kind.entity in FAMILIES and not name.endswith((".Updated", "Report.Generated"))
    } | {"Note.Updated", "NoteComment.Updated"}
    assert expected - set(told()) == set()


@pytest.mark.parametrize("related", ["template", "assignee"])
def test_a_case_that_loses_its_template_or_assignee_tells_of_it(related: str) -> None:
    workspace = factories.workspace()
    gone: Any = factories.template(workspace) if related == "template" else factories.user(workspace)
    factories.case(workspace, **{related: gone})
    gone.delete()
    assert told() == ["Case.Created", f"Case.{related.title()}Updated"]


# The change, and what tells of it: nothing, of a portal that is opened.
WRITES = (["UPDATE", "WITH"], ["INSERT", "WITH"], ["UPDATE"])


@pytest.mark.parametrize(
    "change",
    [
        lambda case: services.reschedule_review(case, DAY),
        lambda case: services.assess_risk(case, "high"),
        lambda case: services.add_note(case, "a"),
        lambda case: services.open_portal(case, "A", "KYC"),
    ],
)
def test_a_change_is_recorded_by_one_statement(change: Callable[[Case], object]) -> None:
    case = factories.case(status="approved")
    with CaptureQueriesContext(connection) as captured:
        change(case)
    first_words = [query["sql"].strip().split()[0] for query in captured]
    assert [word for word in first_words if word not in ("SAVEPOINT", "RELEASE", "SELECT")] in WRITES


def test_a_thousand_cases_are_decided_in_a_few_statements() -> None:
    workspace = factories.workspace()
    Case.objects.bulk_create([Case(workspace=workspace, name=str(n), status="approved") for n in range(1000)])
    Case.objects.update(next_review_at=DAY)
    Event.objects.all().delete()
    with CaptureQueriesContext(connection) as captured:
        Case.objects.update(status="rejected")
    assert len(captured) < 12
    names = Event.objects.values_list("name", flat=True)
    assert (len(names), set(names)) == (2000, {"Case.StatusUpdated", "Case.ReviewUpdated"})


@pytest.mark.parametrize("model", [Note, NoteComment])
def test_the_author_of_a_note_is_no_change_of_what_it_says(model: type[Note | NoteComment]) -> None:
    note = services.add_note(factories.case(), "a")
    services.add_comment(note, "b")
    Event.objects.all().delete()
    model.objects.update(author=factories.user())
    assert told() == []

"""The published schemas: they fit every example, and every body that really arrives."""

from __future__ import annotations

import copy
from datetime import date
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from cases.models import Case
from cases.services import review_case
from checks.documents import services as lifecycle
from checks.models import ABOUT_COMPANIES, Check, CheckType
from checks.services import review_check, review_hits
from deliveries.events import documents, examples, schemas
from deliveries.events.catalogue import EVENTS, NAMES
from tests import factories
from workspaces.models import Workspace

from .conforming import strays
from .conftest import Deliver, Subscribe
from .receiver import Answer, Receiver

ARISING = sorted(name for name in NAMES if name not in EVENTS or EVENTS[name].family.arises)
NEVER = sorted(NAMES.difference(ARISING))


@pytest.mark.parametrize("name", ARISING)
def test_the_example_of_an_event_fits_its_schema(name: str) -> None:
    assert strays(name, examples.body(name)) == []


@pytest.mark.parametrize("kind", CheckType.values)
def test_there_is_an_example_of_every_type_of_check(kind: str) -> None:
    example = examples.body("Check.Approved", kind)
    assert example["check"]["type"] == kind
    assert strays("Check.Approved", example) == []


@pytest.mark.parametrize("name", [*NEVER, "Case.Create", "Case.*"])
def test_what_never_arises_has_neither_schema_nor_example(name: str) -> None:
    for made in (schemas.body, examples.body):
        with pytest.raises(KeyError):
            made(name)


def test_the_schema_of_all_bodies_is_well_formed_and_tells_them_apart() -> None:
    schema = documents.json_schema()
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    assert [name for name in ARISING if not validator.is_valid(examples.body(name))] == []


def test_an_example_does_not_change_from_one_call_to_the_next() -> None:
    assert [examples.body(name) for name in ARISING] == [examples.body(name) for name in ARISING]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("context.timestamp", "1770110142"),
        ("context.event_id", "4711"),
        ("context.sequence", 0),
        ("event", "Case.Created"),
        ("sub_event", "Case.Created"),
        ("case.status", "pending"),
        ("case.created_at", "yesterday"),
        ("case.review.next_review_at", "2027-02-03T00:00:00Z"),
        ("case.individuals.0.email", "nobody"),
        ("case.individuals.0.gender", ""),
        ("case.individuals.0.surprise", 1),
        ("case.companies.0.country", "FRA"),
    ],
)
def test_a_body_that_departs_from_its_schema_is_noticed(path: str, value: Any) -> None:
    body = copy.deepcopy(examples.body("Case.Updated"))
    *parents, last = path.split(".")
    at: Any = body
    for key in parents:
        at = at[int(key) if isinstance(at, list) else key]
    at[last] = value
    assert strays("Case.Updated", body) != []


@pytest.mark.parametrize("member", ["event", "sub_event", "context", "case"])
def test_a_member_that_is_missing_is_noticed(member: str) -> None:
    body = examples.body("Case.Updated")
    del body[member]
    assert strays("Case.Updated", body) != []


def full_case(workspace: Workspace) -> Case:
    """With all that a case can have."""
    template, user = factories.template(workspace), factories.user(workspace)
    case = factories.case(workspace, template=template, assignee=user, external_id="crm-1", metadata={"plan": "a"})
    case = Case.objects.get(pk=case.pk)  # no more the instance that is being created, whose tags are no change
    case.tags.set([factories.tag(workspace, "High risk")])
    case.client_portal = {"id": str(case.pk), "name": "Onboarding", "type": "KYB", "wait_step_key": None}
    case.custom_properties = {"turnover": 12.5, "listed": False, "countries": ["FR"], "none": None}
    case.save()
    return case


def live(case: Case) -> None:
    """Changes of every kind: of the case, its people and companies, and their checks."""
    company = factories.company(case, country="FR", registration_date=date(2022, 12, 6), classifications=[])
    person = factories.individual(case, email="john@example.com", birth_date=date(1990, 7, 3), nationalities=["FR"])
    affiliated = factories.company(case, type="affiliated", name="Other Inc.")
    affiliated.is_relevant = person.is_relevant = False
    affiliated.save()
    person.save()
    person.position, person.is_relevant, affiliated.legal_form = "Director", True, "sas"
    person.save()
    affiliated.save()
    for subject, verdict in ((person, "approve"), (company, "reject")):
        found = factories.aml_check_with_hits(subject)
        hits = [hit["id"] for hit in found.data["hits"]]
        review_hits(found, hits, "ignore", reviewer_type="api")
        review_check(found, verdict, reviewer_type="api", comment="Seen.")
    for check in Check.objects.filter(case=case, status="approved"):
        check.status = "expired"
        check.save()
    review_case(case, "approved", reviewer_type="api", comment="Fine.", next_review_at=date(2030, 1, 1))


def end(case: Case) -> None:
    """All of it is deleted, from the inside out."""
    for row in (*case.checks.all(), *case.individuals.all(), *case.companies.order_by("type"), case):
        row.delete()


COVERED = {
    *("Case.Created", "Case.Deleted", "Case.StatusUpdated", "Case.InfoUpdated", "Case.TagsUpdated"),
    *("Individual.Created", "Individual.InfoUpdated", "Individual.MarkedAsRelevant", "Individual.MarkedAsNotRelevant"),
    *("Company.Created", "Company.InfoUpdated", "Company.MarkedAsNotRelevant", "Individual.Deleted", "Company.Deleted"),
    *("Check.Started", "Check.ReviewNeeded", "Check.Approved", "Check.Rejected", "Check.Expired", "Check.Deleted"),
}


def test_what_really_arrives_under_main_events_fits_its_schema(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> None:
    subscribe("*")
    case = full_case(workspace)
    live(case)
    deliver()
    end(case)
    deliver()
    bodies = [post.content for post in receiver.posts]
    assert {body.get("sub_event", body["event"]) for body in bodies} >= COVERED
    assert [stray for body in bodies for stray in strays(body["event"], body)] == []


def test_what_really_arrives_under_its_own_name_fits_its_schema(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> None:
    subscribe(*(NAMES - {"Case.Updated", "Individual.Updated", "Company.Updated"}))
    case = full_case(workspace)
    live(case)
    deliver()
    end(case)
    deliver()
    bodies = [post.content for post in receiver.posts]
    assert {body["event"] for body in bodies} >= COVERED
    assert [stray for body in bodies for stray in strays(body["event"], body)] == []


@pytest.mark.parametrize("kind", CheckType.values)
def test_a_new_check_of_each_type_fits_its_schema(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver, kind: str
) -> None:
    subscribe("Check.Started")
    case = factories.case(workspace)
    factories.check(factories.company(case) if kind in ABOUT_COMPANIES else factories.individual(case), kind)
    deliver()
    (post,) = receiver.posts
    assert strays("Check.Started", post.content) == []


def test_what_is_told_of_a_document_at_each_stage_fits_its_schema(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> None:
    subscribe("Document.*")
    check = factories.check(factories.individual(factories.case(workspace)), CheckType.DOCUMENT)
    document = lifecycle.submit(check, "scan.pdf", b"%PDF-1.7 and no more", "application/pdf")
    for step in (lifecycle.extract, lifecycle.analyse, lifecycle.settle):
        step(document.pk)
    deliver()
    told = {post.content["event"]: post.content for post in receiver.posts}
    assert told.keys() == {name for name in NAMES if name.startswith("Document.")}
    assert told["Document.Decided"]["document"]["findings"] != []
    assert [stray for name, body in told.items() for stray in strays(name, body)] == []


def test_what_is_told_of_a_webhook_that_went_offline_fits_its_schema(
    subscribe: Subscribe, deliver: Deliver, receiver: Receiver, workspace: Workspace
) -> None:
    subscribe("Webhook.*")
    subscribe("Case.Created", path="/gone", name="CRM")
    receiver.answer = lambda post: Answer(410 if post.path == "/gone" else 200)
    factories.case(workspace)
    deliver()
    deliver()
    (told,) = [post.content for post in receiver.posts if post.path == "/"]
    assert strays("Webhook.WentOffline", told) == []

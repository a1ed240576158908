"""What the body says, event by event, as the receiver gets it."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models import Q
from django.test.utils import CaptureQueriesContext

from cases.models import Case, Individual
from cases.services import add_comment, add_note, review_case
from checks.aml import NewHit
from checks.models import Check, ListType
from checks.services import record_aml_result, review_check, review_hits, start_check
from deliveries import tasks
from deliveries.engine import fanout
from deliveries.events import catalogue
from deliveries.models import Event
from tests import factories
from tests.cases import sample
from workspaces.models import Workspace

from .conftest import Deliver, Subscribe
from .receiver import Receiver

CHECK_EVENTS = ["Check.Started", "Check.ReviewNeeded", "Check.Approved", "Check.Rejected", "Check.Deleted"]


def missing(expected: Any, found: Any, path: str = "") -> list[str]:
    """The paths of `expected` that `found` does not repeat."""
    if isinstance(expected, dict):
        return [each for key in expected for each in missing(expected[key], (found or {}).get(key), f"{path}.{key}")]
    if isinstance(expected, list) and expected and isinstance(expected[0], dict):
        return [each for n, item in enumerate(expected) for each in missing(item, found[n], f"{path}[{n}]")]
    return [] if expected == found else [path]


@pytest.fixture
def case(workspace: Workspace) -> Case:
    """The case of Dotfile's early guide."""
    made = sample.create(factories.api_client(workspace), **sample.CASE)
    return Case.objects.get(pk=made["id"])


def test_the_early_guides_sample_is_sent_key_by_key(
    workspace: Workspace, case: Case, subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> None:
    subscribe("Case.StatusUpdated")
    review_case(case, "approved", reviewer_type="api")
    deliver()
    (post,) = receiver.posts
    person = Individual.objects.get()
    company = case.companies.get()
    expected = {
        "event": "Case.StatusUpdated",
        "context": {"workspace": {"id": str(workspace.pk), "name": "Demo"}},
        "case": {
            **sample.CASE,
            "id": str(case.pk),
            "status": "approved",
            "template_id": None,
            "individuals": [{**sample.INDIVIDUAL, "id": str(person.pk), "case_id": str(case.pk)}],
            "companies": [{**sample.COMPANY, "id": str(company.pk), "case_id": str(case.pk)}],
        },
    }
    assert missing(expected, post.content) == []
    for entity in (post.content["case"], *post.content["case"]["individuals"], *post.content["case"]["companies"]):
        assert entity["created_at"].endswith("Z")
        assert len(entity["updated_at"]) == len("2022-12-09T16:27:44.255Z")


def test_all_that_an_api_shows_of_a_case_is_told_the_same_way(
    workspace: Workspace, case: Case, subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> None:
    subscribe("Case.InfoUpdated", "Individual.InfoUpdated")
    case.custom_properties = {"number": 12345678901234567890123, "share": 33.33, "text": "Zoë \U0001f600"}
    case.save()
    person = Individual.objects.get()
    person.ownership_percentage, person.custom_properties = 12.5, {"number": 2**70 + 1}
    person.save()
    deliver()
    told = {post.content["event"].partition(".")[0].lower(): post.content for post in receiver.posts}
    client = factories.api_client(workspace)
    shown = json.loads(client.get(f"/v1/individuals/{person.pk}").content)
    assert missing(told["individual"]["individual"], shown) == []
    shown = json.loads(client.get(f"/v1/cases/{case.pk}").content)
    assert missing(told["case"]["case"], shown) == []


@pytest.fixture
def check(case: Case) -> Check:
    return start_check(case.individuals.get(), "aml")


HIT = NewHit("John Carter", [ListType.PEP])


def run_to_the_end(check: Check, action: str) -> None:
    check = record_aml_result(check, [HIT])
    check = review_hits(check, [hit["id"] for hit in check.data["hits"]], "ignore", reviewer_type="api")
    review_check(check, action, reviewer_type="api").delete()


@pytest.mark.parametrize(
    ("asked", "action", "expected"),
    [
        (CHECK_EVENTS, "approve", ["Check.Started", "Check.ReviewNeeded", "Check.Approved", "Check.Deleted"]),
        (CHECK_EVENTS, "reject", ["Check.Started", "Check.ReviewNeeded", "Check.Rejected", "Check.Deleted"]),
        (["Check.Completed"], "approve", ["Check.Completed"]),
        (["Check.Completed"], "reject", ["Check.Completed"]),
        (["Check.Completed", "Check.Approved"], "approve", ["Check.Approved"]),
    ],
)
def test_the_life_of_a_check_is_told(
    case: Case,
    subscribe: Subscribe,
    deliver: Deliver,
    receiver: Receiver,
    asked: Collection[str],
    action: str,
    expected: list[str],
) -> None:
    subscribe(*asked)
    run_to_the_end(start_check(case.individuals.get(), "aml"), action)
    deliver()
    posts = sorted(receiver.posts, key=lambda post: post.context["sequence"])
    assert [post.content["event"] for post in posts] == expected


def test_an_event_about_a_check_names_its_case_and_its_person(
    check: Check, case: Case, subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> None:
    subscribe("Check.ReviewNeeded")
    record_aml_result(check, [HIT])
    deliver()
    (post,) = receiver.posts
    person = case.individuals.get()
    assert post.context["individual"] == {"id": str(person.pk), "first_name": "John", "last_name": "CARTER"}
    assert post.context["company"] is None
    assert missing({"id": str(case.pk), "external_id": "exteid-3", "status": "open"}, post.context["case"]) == []
    assert post.context["case"]["tags"] == sample.CASE["tags"]
    assert (post.content["check"]["status"], post.content["check"]["type"]) == ("need_review", "aml")
    assert len(post.content["check"]["data"]["hits"]) == 1


def test_a_note_is_told_with_its_author_its_comments_and_its_case(
    workspace: Workspace, case: Case, subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> None:
    subscribe("Note.Created")
    ann = factories.user(workspace, first_name="Ann")
    note = add_note(case, "<p>Hello</p>", author=ann)
    add_comment(note, "Yes", author=ann)
    deliver()
    (post,) = receiver.posts
    told = post.content["note"]
    assert missing({"id": str(case.pk), "external_id": "exteid-3"}, post.context["case"]) == []
    assert missing({"id": str(note.pk), "content": "<p>Hello</p>", "author": {"first_name": "Ann"}}, told) == []
    assert [comment["content"] for comment in told["comments"]] == ["Yes"]


@pytest.mark.parametrize("gone", [False, True])
def test_a_comment_is_told_with_its_note(
    case: Case, subscribe: Subscribe, deliver: Deliver, receiver: Receiver, gone: bool
) -> None:
    subscribe("NoteComment.Created")
    note = add_note(case, "Hello", author=factories.user(first_name="Ann"))
    comment = add_comment(note, "Yes", author_type="api")
    expected = {"id": str(comment.pk), "note_id": str(note.pk), "content": "Yes", "author": None, "author_type": "api"}
    if gone:
        note.delete()
    deliver()
    (post,) = receiver.posts
    assert missing(expected, post.content["noteComment"]) == []
    if gone:
        assert post.context["note"] is None
    else:
        assert missing({"id": str(note.pk), "author": {"first_name": "Ann"}}, post.context["note"]) == []
    assert post.context["case"]["id"] == str(case.pk)


def test_a_note_that_is_deleted_is_told_whole(
    case: Case, subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> None:
    subscribe("Note.*" if "Note.*" in catalogue.NAMES else "Note.Deleted", "NoteComment.Deleted")
    note = add_note(case, "Hello")
    add_comment(note, "Yes")
    key = note.pk
    note.delete()
    deliver()
    (post,) = [post for post in receiver.posts if post.content["event"].endswith("Deleted")]
    assert missing({"id": str(key), "content": "Hello", "comments": []}, post.content["note"]) == []


def test_an_event_of_before_cases_knew_their_next_review_shows_that_of_the_latest_one(
    case: Case, subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> None:
    subscribe("Case.StatusUpdated")
    review_case(case, "approved", reviewer_type="api", next_review_at=date(2031, 1, 1))
    event = Event.objects.get(name="Case.StatusUpdated")
    event.fields = {name: value for name, value in (event.fields or {}).items() if "review_" not in name}
    Event.objects.filter(pk=event.pk).update(fields=event.fields)
    deliver()
    (post,) = receiver.posts
    assert post.content["case"]["review"]["next_review_at"] == "2031-01-01"


def live(workspace: Workspace, number: int) -> None:
    """A case with some of everything, and events of all families."""
    person = factories.user(workspace)
    template = factories.template(workspace, f"key {uuid4()}")
    case = factories.case(workspace, name=f"case {number}", assignee=person, template=template)
    factories.check(factories.company(case), "company_monitoring")
    who = factories.individual(case)
    record_aml_result(start_check(who, "aml"), [HIT])
    comment = add_comment(add_note(case, "a", author=person), "b", author=person)
    who.last_name = "NEW"
    who.save()
    comment.delete()
    review_case(case, "approved", reviewer_type="user", user=person, next_review_at=date(2031, 1, 1))


def test_a_mixed_batch_is_built_in_a_constant_number_of_queries(workspace: Workspace, subscribe: Subscribe) -> None:
    subscribe(*[name for name in catalogue.NAMES if "*" not in name])

    def statements(times: int) -> int:
        for number in range(times):
            live(workspace, times * 1000 + number)
        with CaptureQueriesContext(connection) as captured:
            assert fanout.fan_out(tasks.DOMAIN) <= fanout.BATCH
        assert not Event.objects.filter(Q(state=Event.State.WAITING) | ~Q(error="")).exists()
        return len(captured)

    statements(1)
    assert statements(1) == statements(15)

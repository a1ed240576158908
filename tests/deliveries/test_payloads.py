"""What the body says, event by event, as the receiver gets it."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cases.models import Case, Individual
from cases.services import review_case
from checks.aml import NewHit
from checks.models import Check, ListType
from checks.services import record_aml_result, review_check, review_hits, start_check
from deliveries import tasks
from deliveries.engine import fanout
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


def test_a_mixed_batch_is_built_in_a_constant_number_of_queries(
    workspace: Workspace, case: Case, subscribe: Subscribe
) -> None:
    names = [
        *CHECK_EVENTS,
        "Case.Created",
        "Case.Updated",
        "Individual.Created",
        "Company.Updated",
        "Individual.Updated",
    ]
    subscribe(*names)

    def statements(times: int) -> int:
        for number in range(times):
            other = Case.objects.create(workspace=workspace, name=f"case {number}")
            person = factories.individual(other)
            record_aml_result(start_check(person, "aml"), [HIT])
            other.status = "closed"
            other.save()
        with CaptureQueriesContext(connection) as captured:
            fanout.fan_out(tasks.DOMAIN)
        return len(captured)

    fanout.fan_out(tasks.DOMAIN)
    assert statements(1) == statements(30)

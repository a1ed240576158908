"""Subscriptions of several shapes: what each is sent, and what is stored for it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from cases.models import Case, Individual
from cases.services import review_case
from checks.aml import NewHit
from checks.models import ListType
from checks.services import record_aml_result, review_check, review_hits, start_check
from deliveries import services, tasks
from deliveries.engine import fanout
from deliveries.events import payloads
from deliveries.events.catalogue import EVENTS
from deliveries.events.kinds import KINDS
from deliveries.models import Delivery, Event, Lane, Payload
from tests import factories
from tests.cases import sample
from workspaces.models import Workspace

from .conftest import Deliver, Subscribe
from .receiver import Answer, Receiver

ALL = [name for name, event in EVENTS.items() if event.entity in payloads.ENTITIES]


def by_path(receiver: Receiver) -> dict[str, dict[str, Any]]:
    return {post.path: post.content for post in receiver.posts}


def entity(content: dict[str, Any]) -> dict[str, Any]:
    (key,) = content.keys() - {"event", "sub_event", "context"}
    found: dict[str, Any] = content[key]
    return found


def test_one_event_to_three_shapes_is_three_bodies_and_three_rows(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> None:
    subscribe("Case.Created", path="/full")
    subscribe("Case.Created", path="/thin", payload="thin")
    subscribe("Case.Created", path="/without", without=["case.name", "workspace.name"])
    case = factories.case(workspace, metadata={"plan": "gold"})
    deliver()
    found = by_path(receiver)
    assert found["/full"]["case"]["name"] == "Dotfile"
    assert found["/thin"]["case"] == {"id": str(case.pk), "status": "open", "links": {"self": f"/v1/cases/{case.pk}"}}
    assert found["/without"]["case"] == {k: v for k, v in found["/full"]["case"].items() if k != "name"}
    assert found["/without"]["context"]["workspace"] == found["/thin"]["context"]["workspace"]
    assert len({content["context"]["event_id"] for content in found.values()}) == 1
    assert Payload.objects.count() == 3
    stored = Payload.objects.get(pk=Delivery.objects.get(subscription__url__endswith="/without").payload_id)
    assert "Dotfile" not in stored.entity


def test_subscriptions_of_equal_shapes_share_a_body(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> None:
    subscribe("Case.Created", path="/0")
    subscribe("Case.Created", path="/1", without=["case.name", "*.email"])
    subscribe("Case.Created", path="/2", without=["*.email", "case.name"])
    factories.case(workspace)
    factories.case(workspace)
    deliver()
    assert len(receiver.posts) == 6
    assert Payload.objects.count() == 4
    assert Delivery.objects.values("payload_id").distinct().count() == 4


def test_who_gets_which_body_does_not_depend_on_who_asked_first(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> None:
    for number in range(4):
        subscribe("Case.Created", "Case.Updated", path=f"/{number}", payload="thin" if number % 2 else "full")
    subscribe("Case.Created", path="/4", payload="thin")
    case = factories.case(workspace)
    case.name = "Renamed"
    case.save()
    deliver()
    for post in receiver.posts:
        assert ("links" in post.content["case"]) == (post.path in ("/1", "/3", "/4"))
    assert len(receiver.posts) == 9


def test_the_links_of_a_thin_body_lead_to_the_rest(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver, settings: Settings
) -> None:
    settings.PUBLIC_URL = "https://hooks.example.com"
    subscribe("Case.Created", "Individual.Created", "Company.Created", "Check.Started", payload="thin")
    case = factories.case(workspace)
    start_check(factories.individual(case), "aml")
    start_check(factories.company(case), "document", {"document_type_key": "registration_certificate"})
    deliver()
    client = factories.api_client(workspace)
    links = {link for post in receiver.posts for link in entity(post.content)["links"].values()}
    assert len(links) == 5
    for link in links:
        ours, path = link[: len(settings.PUBLIC_URL)], link[len(settings.PUBLIC_URL) :]
        assert (ours, client.get(path).status_code) == (settings.PUBLIC_URL, 200)


# What is nobody's business

WORD, DAY, COUNTRY, PHONE = "canary", "1951-07-13", "QZ", "+33698765432"
PERSON = dict.fromkeys(
    ("first_name", "middle_name", "last_name", "maiden_name", "birth_place", "tax_identification_number")
    + ("social_security_number", "position"),
    WORD,
) | {
    "email": f"{WORD}@example.com",
    "phone_number": PHONE,
    "birth_date": date.fromisoformat(DAY),
    "birth_country": COUNTRY,
    "residence_country": COUNTRY,
    "nationalities": [COUNTRY],
    "address": {"street_address": WORD, "city": WORD, "country": COUNTRY},
    "banking_information": {"iban": f"{WORD}{WORD}{WORD}"},
    "custom_properties": {WORD: WORD},
}
COMPANY = {
    "name": WORD,
    "commercial_name": WORD,
    "registration_number": WORD,
    "address": {"city": WORD},
    "banking_information": {"iban": f"{WORD}{WORD}{WORD}"},
    "custom_properties": {WORD: WORD},
}


def life(workspace: Workspace) -> Iterator[None]:
    """What happens to a case, its people and their checks, with something personal wherever a person may write.

    Pauses to be told of.
    """
    user = factories.user(workspace, email=f"{WORD}@example.com", first_name=WORD, last_name=WORD)
    case = factories.case(workspace, name=WORD, external_id=f"{WORD}@example.com", metadata={WORD: WORD}, assignee=user)
    case.tags.add(factories.tag(workspace, WORD))
    factories.company(case, name=WORD)
    person, company = factories.individual(case, **PERSON), factories.company(case, type="affiliated", **COMPANY)
    check = record_aml_result(start_check(person, "aml"), [NewHit(WORD, [ListType.PEP])])
    hits = [hit["id"] for hit in check.data["hits"]]
    check = review_hits(check, hits, "ignore", reviewer_type="user", user=user, comment=WORD)
    check = review_check(check, "approve", reviewer_type="user", user=user, comment=WORD)
    review_case(case, "approved", reviewer_type="user", user=user, comment=WORD)
    yield
    for row in (person, company):
        row.is_relevant = False
        row.custom_properties = {WORD: f"{WORD}2"}
        row.save()
    for doomed in (check, person, company, case):
        doomed.delete()
    yield


def stored_and_sent(receiver: Receiver) -> str:
    """Every column of every payload, and every body."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT p::text FROM deliveries_payload p")
        rows = [row for (row,) in cursor.fetchall()]
    assert rows
    return "\n".join([*rows, *(post.body.decode() for post in receiver.posts)])


def test_a_thin_body_holds_nothing_personal(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> None:
    subscribe(*ALL, payload="thin")
    for _ in life(workspace):
        deliver()
    told = {name.partition(".")[2] for post in receiver.posts for name in post.names}
    assert {"Created", "InfoUpdated", "StatusUpdated", "ReviewNeeded", "Approved", "Deleted"} <= told
    found = stored_and_sent(receiver)
    assert not [each for each in (WORD, DAY, f'"{COUNTRY}"', PHONE, "Demo") if each in found]


def test_what_is_left_out_is_in_no_body_and_in_no_payload(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> None:
    subscribe(*ALL, without=["individual.birth_date", "*.email", "case.external_id"])
    for _ in life(workspace):
        deliver()
    found = stored_and_sent(receiver)
    assert WORD in found
    assert COUNTRY in found
    assert not [each for each in (DAY, f"{WORD}@example.com", '"email"', '"birth_date"') if each in found]


def test_once_it_is_built_an_event_keeps_no_fields_but_those_of_a_deleted_case(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver
) -> None:
    """Which tell later events of the case what it was."""
    subscribe("*", payload="thin")
    case = factories.case(workspace)
    person, company = factories.individual(case), factories.company(case)
    for row in (factories.check(person), person, company, case):
        row.delete()
    deliver()
    assert Event.objects.filter(name__endswith=".Deleted").count() == 4
    assert list(Event.objects.exclude(fields=None).values_list("name", flat=True)) == ["Case.Deleted"]


def test_a_full_body_holds_all_of_it(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> None:
    subscribe(*ALL)
    for _ in life(workspace):
        deliver()
    found = stored_and_sent(receiver)
    assert all(each in found for each in (WORD, DAY, f'"{COUNTRY}"', PHONE, f"{WORD}@example.com", "Demo"))


def strangers(kind: str, value: Any, path: str) -> Iterable[str]:
    """The fields of a body that their kind does not know, or whose objects have no kind."""
    known = KINDS[kind]
    for item in value if isinstance(value, list) else [value]:
        for field, below in (item or {}).items():
            if known.fields and field not in known.fields:
                yield f"{path}.{field}"
            elif field in known.holds:
                yield from strangers(known.holds[field], below, f"{path}.{field}")


def test_every_field_that_is_sent_can_be_left_out(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> None:
    subscribe(*ALL)
    case = Case.objects.get(pk=sample.create(factories.api_client(workspace), **sample.CASE)["id"])
    start_check(case.companies.get(), "document", {"document_type_key": "registration_certificate"})
    for _ in life(workspace):
        deliver()
    for post in receiver.posts:
        bodies = {key: value for key, value in post.content.items() if key not in ("event", "sub_event", "context")}
        bodies |= {key: value for key, value in post.context.items() if isinstance(value, dict)}
        for kind, value in bodies.items():
            assert list(strangers(kind, value, kind)) == [], post.name


# As long as a delivery lives


def test_a_retry_says_what_was_said_before_the_shape_was_changed(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> None:
    row = subscribe("Case.Created")
    receiver.answer = lambda post: Answer(500 if len(receiver.posts) == 1 else 200)
    factories.case(workspace)
    deliver()
    row.payload = "thin"
    row.save()
    Delivery.objects.update(due_at=Now())
    Lane.objects.update(due_at=Now())
    factories.case(workspace, name="later")
    deliver()
    first, *others = (post.content["case"] for post in receiver.posts)
    retried, later = sorted(others, key=lambda case: case["id"] != first["id"])
    assert retried == first
    assert retried["name"] == "Dotfile"
    assert "name" not in later


def test_logs_show_the_body_of_their_own_shape(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> None:
    for path, payload in (("/full", "full"), ("/thin", "thin")):
        subscribe("Case.Created", path=path, payload=payload)
    factories.case(workspace)
    deliver()
    shown = factories.api_client(workspace).get("/v1/webhook-logs").json()["data"]
    assert sorted(json.dumps(log["payload"]) for log in shown) == sorted(map(json.dumps, by_path(receiver).values()))


def test_a_test_event_has_the_subscriptions_shape(subscribe: Subscribe, receiver: Receiver) -> None:
    thin, less = subscribe("Case.Created", payload="thin"), subscribe("Case.Created", without=["webhook.url"])
    services.send_trial(thin)
    services.send_trial(less)
    first, second = (post.content for post in receiver.posts)
    assert first["webhook"] == {"id": str(thin.pk), "links": {"self": f"/v1/webhooks/{thin.pk}"}}
    assert first["context"]["workspace"] == {"id": str(thin.workspace_id)}
    assert second["webhook"] == {"id": str(less.pk), "name": ""}


def test_a_webhook_that_goes_offline_is_told_of_in_the_shape_of_who_hears_it(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> None:
    subscribe("Webhook.WentOffline", path="/ear", payload="thin")
    broken = subscribe("Case.Created", path="/broken", name="Broken")
    receiver.answer = lambda post: Answer(410 if post.path == "/broken" else 200)
    factories.case(workspace)
    deliver()
    deliver()
    link = {"self": f"/v1/webhooks/{broken.pk}"}
    assert by_path(receiver)["/ear"]["webhook"] == {"id": str(broken.pk), "status": "offline", "links": link}


def test_a_subscription_of_a_misspelt_shape_cannot_be_stored(subscribe: Subscribe) -> None:
    with pytest.raises(IntegrityError, match="subscription_payload_is_known"):
        subscribe("Case.Created", payload="Thin")


def test_a_list_of_fields_with_a_gap_stops_nobody(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> None:
    """Forms refuse it; who writes rows by themselves may leave one."""
    subscribe("Case.Created", path="/full")
    subscribe("Case.Created", path="/gap", without=["case.name", None])
    factories.case(workspace)
    deliver()
    assert by_path(receiver).keys() == {"/full", "/gap"}
    assert "name" not in by_path(receiver)["/gap"]["case"]


# Speed


def statements(workspace: Workspace, events: int) -> int:
    Case.objects.bulk_create([Case(workspace=workspace, name=f"case {n}") for n in range(events)])
    with CaptureQueriesContext(connection) as captured:
        assert fanout.fan_out(tasks.DOMAIN) == events
    return len(captured)


def test_shapes_cost_one_statement_however_many_there_are(workspace: Workspace, subscribe: Subscribe) -> None:
    subscribe("Case.Created")
    statements(workspace, 1)  # which prepares them
    one = statements(workspace, 1)
    subscribe("Case.Created", payload="thin")
    statements(workspace, 1)
    assert statements(workspace, 1) == one + 1
    for number in range(5):
        subscribe("Case.Created", without=[f"case.metadata.x{number}"])
    assert statements(workspace, 100) == one + 1
    assert Payload.objects.filter(delivery__isnull=True).count() == 0


def test_a_case_with_500_people_in_two_shapes_is_built_as_a_whole(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> None:
    case = factories.case(workspace)
    Individual.objects.bulk_create([Individual(case=case, first_name=f"n{n}", last_name="x") for n in range(500)])
    subscribe("Case.Updated", path="/full")
    subscribe("Case.Updated", path="/without", without=["*.first_name", "individual.birth_date"])
    case.name = "Many"
    case.save()
    deliver()
    full, less = (by_path(receiver)[path]["case"]["individuals"] for path in ("/full", "/without"))
    assert len(full) == len(less) == 500
    assert all(a.keys() - b.keys() == {"first_name", "birth_date"} for a, b in zip(full, less, strict=True))

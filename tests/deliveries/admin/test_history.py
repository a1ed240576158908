"""The admin of events, deliveries and lanes: to look at, and to retry."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin import site
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.db.models import Model, QuerySet
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from cases.models import Case
from deliveries import services
from deliveries.admin import base
from deliveries.engine.lanes import PARK_AFTER
from deliveries.models import Attempt, Delivery, Event, Lane, Subscription
from tests import factories
from tests.deliveries.conftest import Deliver, Subscribe
from tests.deliveries.receiver import Answer, Receiver
from workspaces.identifiers import new_id
from workspaces.models import Workspace

from .conftest import page, read, signed_in, told

State = Delivery.State
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def failed(workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver) -> Delivery:
    """A delivery that a receiver with bad manners refused for good."""
    receiver.answer = lambda post: Answer(500, {"X-Evil": SCRIPT}, SCRIPT.encode())
    subscribe("Case.Created", max_retries=0, headers={"X-Api-Key": "hush"})
    factories.case(workspace, name=f"Evil {SCRIPT}")
    deliver()
    receiver.answer = lambda post: Answer(200)
    return Delivery.objects.get()


def retry(client: Client, *rows: Delivery) -> str:
    chosen = {"action": "retry", "_selected_action": [str(row.pk) for row in rows]}
    return told(client.post(page("delivery", "changelist"), chosen, follow=True))


def build_again(client: Client) -> str:
    chosen = {"action": "build_again", "_selected_action": [str(row.pk) for row in Event.objects.all()]}
    return told(client.post(page("event", "changelist"), chosen, follow=True))


def test_a_deliverys_page_shows_what_was_sent_and_answered_escaped(admin: Client, failed: Delivery) -> None:
    text = read(admin.get(page("delivery", pk=failed.pk)))
    assert SCRIPT not in text
    assert text.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 3  # a header, the answer, the case's name
    assert "Dotfile-Signature" in text
    assert "(hidden)" in text
    assert "hush" not in text
    assert "retries used up" in text


def test_attempts_come_newest_first(admin: Client, failed: Delivery, deliver: Deliver) -> None:
    services.retry_deliveries([failed.pk])
    deliver()
    text = read(admin.get(page("delivery", pk=failed.pk)))
    assert text.index("manual retry") < text.index("first call")


def test_the_button_sends_a_delivery_again(
    admin: Client, failed: Delivery, deliver: Deliver, receiver: Receiver
) -> None:
    for expected in (2, 3):  # once because it failed, once more because somebody wants it again
        response = admin.post(page("delivery", "retry", failed.pk), follow=True)
        assert told(response) == "Sent again now: 1."
        deliver()
        assert len(receiver.posts) == expected
    assert Delivery.objects.get().state == State.SUCCEEDED
    assert [entry.get_change_message() for entry in LogEntry.objects.all()] == ["Retried.", "Retried."]


def test_what_is_due_already_is_left_alone(admin: Client, failed: Delivery) -> None:
    admin.post(page("delivery", "retry", failed.pk))
    due = Delivery.objects.get().due_at
    assert "is due already" in told(admin.post(page("delivery", "retry", failed.pk), follow=True))
    assert Delivery.objects.get().due_at == due
    assert "Retry now" not in read(admin.get(page("delivery", pk=failed.pk)))


def test_what_waits_for_hours_may_be_retried_now(
    admin: Client, failed: Delivery, deliver: Deliver, receiver: Receiver
) -> None:
    Delivery.objects.update(state=State.PENDING, due_at=timezone.now() + timedelta(hours=12))
    assert "Retry now" in read(admin.get(page("delivery", pk=failed.pk)))
    assert retry(admin, failed) == "Sent again now: 1."
    deliver()
    assert len(receiver.posts) == 2


def test_the_list_tells_when_the_next_attempt_is(admin: Client, failed: Delivery) -> None:
    due = timezone.now() + timedelta(hours=12)
    assert f"{due:%H:%M:%S}" not in read(admin.get(page("delivery", "changelist")))
    Delivery.objects.update(state=State.PENDING, due_at=due)
    assert f"next at {due:%Y-%m-%d %H:%M:%S}" in read(admin.get(page("delivery", "changelist")))


@pytest.mark.parametrize(("query", "is_open"), [({}, False), ({"event": "Case.Created"}, True)])
def test_the_long_filter_is_closed_until_it_is_used(admin: Client, query: dict[str, str], is_open: bool) -> None:
    text = read(admin.get(page("delivery", "changelist"), query))
    assert (re.search('data-filter-title="event" open', text) is not None) is is_open
    assert 'data-filter-title="event"' in text


def test_a_retry_of_many_is_logged_in_few_statements(
    admin: Client,
    workspace: Workspace,
    failed: Delivery,
    deliver: Deliver,
) -> None:
    for _ in range(9):
        factories.case(workspace)
    deliver()
    Delivery.objects.update(state=State.FAILED)
    chosen = {"action": "retry", "_selected_action": [str(row.pk) for row in Delivery.objects.all()]}
    with CaptureQueriesContext(connection) as captured:
        admin.post(page("delivery", "changelist"), chosen)
    assert len([query for query in captured if 'INSERT INTO "django_admin_log"' in query["sql"]]) == 1
    assert set(LogEntry.objects.values_list("object_id", flat=True)) == set(chosen["_selected_action"])


def test_what_will_be_sent_is_shown_but_for_its_counters(
    admin: Client, workspace: Workspace, subscribe: Subscribe, deliver: Deliver
) -> None:
    subscribe("Case.Updated", status="offline")
    case = factories.case(workspace)
    case.status = "approved"
    case.save()
    deliver()
    row = Delivery.objects.get(sub_event="Case.StatusUpdated")
    text = html.unescape(read(admin.get(page("delivery", pk=row.pk))))
    assert '"sub_event": "Case.StatusUpdated"' in text
    assert f'"event_id": "{row.event_id}"' in text
    assert '"retry_count"' not in text


def test_a_failed_event_is_built_again(
    admin: Client, workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> None:
    subscribe("Case.Created")
    factories.case(workspace)
    Event.objects.update(state=Event.State.FAILED, builds=8, build_at=timezone.now() + timedelta(hours=1))
    assert build_again(admin) == "To be built again now: 1."
    deliver()
    assert receiver.names == ["Case.Created"]
    assert build_again(admin) == "None of them has failed, so nothing was changed."
    assert [entry.get_change_message() for entry in LogEntry.objects.all()] == ["To be built again."]


def test_building_again_needs_the_permission_to_change_events(workspace: Workspace) -> None:
    factories.case(workspace)
    Event.objects.update(state=Event.State.FAILED)
    build_again(signed_in("view_event"))
    assert Event.objects.get().state == Event.State.FAILED
    assert build_again(signed_in("change_event")) == "To be built again now: 1."


def test_a_selection_is_retried_and_what_succeeded_left_alone(
    admin: Client, workspace: Workspace, failed: Delivery, deliver: Deliver
) -> None:
    factories.case(workspace)
    deliver()
    sentence = retry(admin, *Delivery.objects.all())
    assert sentence == "Sent again now: 1. Left alone, because due already or succeeded: 1."
    assert retry(admin, *Delivery.objects.all()).startswith("Nothing was retried")


def test_a_retry_for_an_offline_subscription_is_refused_with_a_sentence(admin: Client, failed: Delivery) -> None:
    services.set_online([failed.subscription_id], online=False)
    assert "turn it online first" in retry(admin, failed)
    assert Delivery.objects.get().state == State.FAILED


def test_a_retry_needs_the_permission_to_change_deliveries(failed: Delivery) -> None:
    viewer = signed_in("view_delivery")
    assert "Retry now" not in read(viewer.get(page("delivery", pk=failed.pk)))
    assert viewer.post(page("delivery", "retry", failed.pk)).status_code == 403
    retry(viewer, failed)
    assert Delivery.objects.get().state == State.FAILED
    assert "Sent again now: 1." in retry(signed_in("change_delivery"), failed)


def test_a_retry_is_a_post(admin: Client, failed: Delivery) -> None:
    assert admin.get(page("delivery", "retry", failed.pk)).status_code == 405


@pytest.mark.parametrize("model", ["event", "delivery", "lane"])
def test_history_cannot_be_written(admin: Client, failed: Delivery, model: str) -> None:
    key = {"event": failed.event_id, "delivery": failed.pk, "lane": failed.subscription_id}[model]
    assert admin.get(page(model, "add")).status_code == 403
    assert admin.post(page(model, pk=key), {"state": 1, "open": ""}).status_code == 403
    assert admin.post(page(model, "delete", key), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("model", ["event", "delivery", "lane"])
def test_history_is_shown_to_those_who_may_look(failed: Delivery, model: str) -> None:
    key = {"event": failed.event_id, "delivery": failed.pk, "lane": failed.subscription_id}[model]
    viewer, other = signed_in(f"view_{model}"), signed_in("view_subscription")
    for address in (page(model, "changelist"), page(model, pk=key)):
        assert viewer.get(address).status_code == 200
        assert other.get(address).status_code == 403


def test_the_deliveries_of_a_deleted_subscription_stay_to_be_seen(admin: Client, failed: Delivery) -> None:
    Subscription.objects.get().delete()
    assert "deleted" in read(admin.get(page("delivery", "changelist")))
    assert "deleted" in read(admin.get(page("delivery", pk=failed.pk)))
    assert str(failed.pk) in read(admin.get(page("event", pk=failed.event_id)))


def test_an_events_page_shows_its_payload_and_deliveries_escaped(admin: Client, failed: Delivery) -> None:
    text = read(admin.get(page("event", pk=failed.event_id)))
    assert SCRIPT not in text
    assert "&quot;workspace&quot;" in text
    assert page("delivery", pk=failed.pk) in text


def test_the_pages_of_an_event_in_two_shapes_show_each_its_body(
    admin: Client, workspace: Workspace, subscribe: Subscribe, deliver: Deliver
) -> None:
    thin, full = subscribe("Case.Created", payload="thin"), subscribe("Case.Created")
    factories.case(workspace, name="Carter")
    deliver()
    shown = {row.subscription_id: read(admin.get(page("delivery", pk=row.pk))) for row in Delivery.objects.all()}
    assert "&quot;Carter&quot;" in shown[full.pk]
    assert "&quot;links&quot;" not in shown[full.pk]
    assert "&quot;Carter&quot;" not in shown[thin.pk]
    assert "&quot;links&quot;" in shown[thin.pk]
    text = read(admin.get(page("event", pk=Event.objects.get().pk)))
    assert "Payload 1 of 2" in text
    assert text.count("&quot;Carter&quot;") == 1


def test_an_event_that_nobody_asked_for_says_so(admin: Client, workspace: Workspace, deliver: Deliver) -> None:
    factories.case(workspace)
    deliver()
    assert "No subscription asked for this event." in read(admin.get(page("event", pk=Event.objects.get().pk)))


@pytest.mark.parametrize("by", ["id", "event_id", "case_id"])
def test_a_delivery_is_found_by_its_identifiers(
    admin: Client, workspace: Workspace, failed: Delivery, deliver: Deliver, subscribe: Subscribe, by: str
) -> None:
    subscribe("Case.Updated")
    other = factories.case(workspace)
    other.status = "approved"
    other.save()
    Delivery.objects.filter(case_id=other.pk, event_name="Case.Created").delete()
    deliver()
    Delivery.objects.filter(case_id=other.pk, event_name="Case.Created").delete()
    text = read(admin.get(page("delivery", "changelist"), {"q": str(getattr(failed, by))}))
    assert page("delivery", pk=failed.pk) in text
    assert "1 delivery" in text


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("state__exact=2", "1 delivery"),
        ("state__exact=1", "0 deliveries"),
        ("event=Case.Created", "1 delivery"),
        ("event=Case.Updated", "0 deliveries"),
        ("subscription=nonsense", "0 deliveries"),
        ("q=nonsense", "0 deliveries"),
    ],
)
def test_deliveries_are_filtered(admin: Client, failed: Delivery, query: str, count: str) -> None:
    assert count in read(admin.get(f"{page('delivery', 'changelist')}?{query}"))


def test_deliveries_are_filtered_by_subscription(admin: Client, failed: Delivery, subscribe: Subscribe) -> None:
    address = page("delivery", "changelist")
    assert "1 delivery" in read(admin.get(address, {"subscription": str(failed.subscription_id)}))
    assert "0 deliveries" in read(admin.get(address, {"subscription": str(subscribe("Case.Created").pk)}))


def test_big_tables_are_counted_to_a_bound(
    admin: Client, workspace: Workspace, failed: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "COUNTED", 2)
    for _ in range(3):
        factories.case(workspace)
    assert "2 events" in read(admin.get(page("event", "changelist")))


def plan(rows: QuerySet[Any]) -> str:
    """How PostgreSQL reads these rows when it may not scan the table."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    return rows.explain()


def uses(index: str, plan: str) -> bool:
    """Whether no partition is read from end to end, and this index in one at least: in empty ones any will do."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", [index])
        parts = {row[0] for row in cursor.fetchall()}
    return "Seq Scan" not in plan and not parts.isdisjoint(re.findall(r"\w+", plan))


def put_many_beside(row: Delivery) -> None:
    """Events and held deliveries of other cases: where there are a few, PostgreSQL takes any index."""
    for one, changed in ((row.event, ("id", "case_id")), (row, ("id", "case_id", "event_id"))):
        values = {field.attname: getattr(one, field.attname) for field in one._meta.concrete_fields}
        values |= {"state": State.HELD} if one is row else {}
        earlier = [values | {"created_at": one.created_at - timedelta(hours=hours)} for hours in range(1, 501)]
        rows = [type(one)(**fields | {name: new_id() for name in changed}) for fields in earlier]
        type(one)._default_manager.bulk_create(rows)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE deliveries_event, deliveries_delivery")


def test_searches_and_the_filter_of_failed_ones_go_through_an_index(rf: RequestFactory, failed: Delivery) -> None:
    def found(model: type[Model], term: object) -> QuerySet[Any]:
        rows: QuerySet[Any] = model._default_manager.all()
        return site.get_model_admin(model).get_search_results(rf.get("/"), rows, str(term))[0]

    put_many_beside(failed)
    assert uses("event_of_case", plan(found(Event, failed.case_id)))
    assert uses("event_failed", plan(Event.objects.filter(state=Event.State.FAILED)))
    assert "delivery_case" in plan(found(Delivery, failed.case_id))
    assert "delivery_log" in plan(found(Delivery, failed.event_id))
    assert "delivery_stuck" in plan(Delivery.objects.filter(state=State.FAILED))


@pytest.mark.parametrize(("model", "queries"), [("event", 4), ("delivery", 6), ("lane", 4)])
def test_a_list_takes_the_same_queries_for_one_row_and_for_many(
    admin: Client,
    workspace: Workspace,
    failed: Delivery,
    subscribe: Subscribe,
    deliver: Deliver,
    django_assert_num_queries: DjangoAssertNumQueries,
    model: str,
    queries: int,
) -> None:
    admin.get(page(model, "changelist"))
    for count in (1, 5):
        while Case.objects.count() < count:
            subscribe("Case.Created")
            factories.case(workspace)
        deliver()
        with django_assert_num_queries(queries):
            admin.get(page(model, "changelist"))


def test_parked_lanes_are_found_and_unparked(admin: Client, failed: Delivery) -> None:
    Lane.objects.update(takeovers=PARK_AFTER)
    address = page("lane", "changelist")
    assert "1 lane" in read(admin.get(address, {"parked": "yes"}))
    chosen = {"action": "unpark", "_selected_action": [str(failed.subscription_id)]}
    assert told(admin.post(address, chosen, follow=True)) == "Back in service: 1."
    assert told(admin.post(address, chosen, follow=True)) == "None of them is parked."
    assert Lane.objects.get().takeovers == 0
    assert "0 lanes" in read(admin.get(address, {"parked": "yes"}))


def test_an_attempt_without_an_answer_names_its_error(admin: Client, failed: Delivery) -> None:
    Attempt.objects.update(status_code=None, error="connection_failed", response_headers=None, response_body="")
    text = read(admin.get(page("delivery", pk=failed.pk)))
    assert "connection_failed" in text
    assert "No complete answer came." in text

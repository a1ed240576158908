"""The admin of recoveries and dead letters, and what the pages of subscriptions say of them."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from deliveries import recovery, services
from deliveries.engine import recovering
from deliveries.models import Delivery, Lane, Recovery, Subscription
from tests import factories
from tests.deliveries.conftest import Deliver, Subscribe
from tests.deliveries.receiver import Answer, Receiver
from workspaces.models import Workspace

from .conftest import page, read, signed_in, told

State = Delivery.State
HOUR = timedelta(hours=1)


@pytest.fixture
def held(workspace: Workspace, subscribe: Subscribe, deliver: Deliver) -> Subscription:
    """Offline, with three deliveries held."""
    row = subscribe("Case.Created", name="CRM", status="offline")
    for _ in range(3):
        factories.case(workspace)
    deliver()
    return row


@pytest.fixture
def online(held: Subscription) -> Subscription:
    services.set_online([held.pk], online=True)
    return held


def job_for(row: Subscription) -> Recovery:
    return recovery.start_recovery(row, timezone.now() - HOUR, timezone.now() + HOUR)


def asked(**fields: Any) -> dict[str, Any]:
    """What a browser would post of the form."""
    now = timezone.localtime()
    given = {"since": now - HOUR, "until": now + HOUR, "rate": 20} | fields
    return {key: f"{value:%Y-%m-%dT%H:%M:%S}" if key != "rate" else value for key, value in given.items()}


# --- Starting -------------------------------------------------------------------------------------------------------


def test_turning_online_offers_to_recover_what_was_held(admin: Client, held: Subscription) -> None:
    chosen = {"action": "turn_online", "_selected_action": [str(held.pk)]}
    message = told(admin.post(page("subscription", "changelist"), chosen, follow=True))
    assert "CRM: 3 deliveries were held while it was offline." in message
    (address,) = re.findall(r'href="([^"]+)"', message)
    text = read(admin.get(address))
    assert "Found in this range: <b>3</b>" in text
    form = dict(re.findall(r'<input type="\S+" name="(since|until|rate)" value="([^"]+)"', text))
    response = admin.post(address.partition("?")[0], form, follow=True)
    assert "The recovery is running." in told(response)
    assert recovering.run() == 3
    assert [entry.get_change_message() for entry in LogEntry.objects.all()][:1] == ["Started a recovery."]


def test_the_form_of_a_subscription_offers_it_too(admin: Client, held: Subscription) -> None:
    fields = {"url": held.url, "name": "CRM", "type": "user", "events": held.events}
    fields |= {"status": "online", "initial-status": "offline", "payload": "full"}
    assert "Recover them" in told(admin.post(page("subscription", pk=held.pk), fields, follow=True))


def test_in_ordered_mode_it_has_begun_already(admin: Client, held: Subscription) -> None:
    held.ordered = True
    held.save()
    chosen = {"action": "turn_online", "_selected_action": [str(held.pk)]}
    message = told(admin.post(page("subscription", "changelist"), chosen, follow=True))
    assert "being sent now, in their order" in message
    (address,) = re.findall(r'href="([^"]+)"', message)
    assert str(Recovery.objects.get().pk) in read(admin.get(address))


def test_counting_starts_nothing(admin: Client, online: Subscription) -> None:
    assert "<b>3</b>" in read(admin.get(page("webhook", "recover", online.pk)))
    assert "<b>3</b>" in read(admin.post(page("webhook", "recover", online.pk), asked() | {"count": "1"}))
    late = asked(since=timezone.localtime() + HOUR / 2) | {"count": "1"}
    assert "<b>0</b>" in read(admin.post(page("webhook", "recover", online.pk), late))
    assert not Recovery.objects.exists()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"until": timezone.now() - 2 * HOUR}, "later than the beginning"),
        ({"since": timezone.now() - timedelta(days=40)}, "31 days at most"),
        ({"rate": "1001"}, "less than or equal to 1000"),
        ({"rate": "nan"}, "Enter a number"),
    ],
)
def test_a_wrong_range_is_named_in_the_form(
    admin: Client, online: Subscription, fields: dict[str, Any], words: str
) -> None:
    assert words in read(admin.post(page("webhook", "recover", online.pk), asked(**fields)))
    assert not Recovery.objects.exists()


def test_what_is_offline_is_refused_with_a_sentence(admin: Client, held: Subscription) -> None:
    assert "turn it online first" in read(admin.post(page("webhook", "recover", held.pk), asked()))


def test_who_may_only_look_starts_nothing(online: Subscription) -> None:
    client = signed_in("view_subscription")
    assert client.post(page("webhook", "recover", online.pk), asked()).status_code == 403
    assert "/recover/" not in read(client.get(page("subscription", pk=online.pk)))
    assert not Recovery.objects.exists()


# --- Watching and cancelling ----------------------------------------------------------------------------------------


def test_a_job_shows_how_far_it_is_and_what_it_waits_for(admin: Client, online: Subscription) -> None:
    job = job_for(online)
    recovering.tick(job.pk)
    Recovery.objects.update(state="running", total=4, requested_by="ann")
    Lane.objects.update(resume_at=timezone.now() + HOUR)
    for address in (page("recovery", "changelist"), page("recovery", pk=job.pk)):
        text = read(admin.get(address))
        assert '<progress max="100" value="75">' in text
        assert "3 of 4" in text
        assert "ann" in text
        assert recovery.WAITS["pause"] in html.unescape(text)


def test_jobs_are_cancelled(admin: Client, online: Subscription) -> None:
    job = job_for(online)
    chosen = {"action": "cancel", "_selected_action": [str(job.pk)]}
    assert "Cancelled: 1." in told(admin.post(page("recovery", "changelist"), chosen, follow=True))
    assert "None of them is running." in told(admin.post(page("recovery", "changelist"), chosen, follow=True))
    assert recovering.run() == 0
    assert [entry.get_change_message() for entry in LogEntry.objects.all()] == ["Cancelled."]


def test_cancelling_needs_the_permission_to_change_recoveries(online: Subscription) -> None:
    job = job_for(online)
    chosen = {"action": "cancel", "_selected_action": [str(job.pk)]}
    signed_in("view_recovery").post(page("recovery", "changelist"), chosen)
    assert Recovery.objects.get().state == "running"
    signed_in("change_recovery").post(page("recovery", "changelist"), chosen)
    assert Recovery.objects.get().state == "cancelled"


def test_the_list_takes_the_same_queries_for_one_job_and_for_many(admin: Client, subscribe: Subscribe) -> None:
    counts = []
    for number in (1, 5):
        while Recovery.objects.count() < number:
            job_for(subscribe("Case.Created"))
        with CaptureQueriesContext(connection) as captured:
            admin.get(page("recovery", "changelist"))
        counts.append(len(captured))
    assert counts[0] == counts[1]


# --- Dead letters ---------------------------------------------------------------------------------------------------


@pytest.fixture
def failed(workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver) -> Delivery:
    receiver.answer = lambda post: Answer(500)
    subscribe("Case.Created", name="ERP", max_retries=0)
    factories.case(workspace)
    deliver()
    receiver.answer = lambda post: Answer(200)
    return Delivery.objects.get(state=State.FAILED)


def dead(client: Client, **query: str) -> str:
    return html.unescape(read(client.get(page("deadletter", "changelist"), query)))


def test_dead_letters_tell_what_failed_why_and_since_when(admin: Client, failed: Delivery) -> None:
    text = dead(admin)
    assert page("delivery", pk=failed.pk) in text
    assert "retries used up" in text
    assert ">500<" in text
    assert failed.last_attempt_at
    assert f"{timezone.localtime(failed.last_attempt_at):%Y-%m-%d %H:%M:%S}" in text


def test_without_an_answer_the_error_is_told(
    admin: Client, workspace: Workspace, subscribe: Subscribe, deliver: Deliver
) -> None:
    subscribe("Case.Created", url="http://127.0.0.1:9/", max_retries=0)
    factories.case(workspace)
    deliver()
    assert "connection failed" in dead(admin)


def test_what_is_held_and_what_succeeded_are_apart(admin: Client, failed: Delivery, held: Subscription) -> None:
    Delivery.objects.filter(subscription_id=failed.subscription_id).exclude(pk=failed.pk).update(state=State.SUCCEEDED)
    assert "1 dead letter" in dead(admin)
    text = dead(admin, state="held")
    assert "3 dead letters" in text
    assert "the subscription is offline" in text
    assert "never tried" in text


def test_they_are_filtered_by_reason_and_subscription(admin: Client, failed: Delivery) -> None:
    assert "0 dead letters" in dead(admin, reason="gone")
    assert "1 dead letter" in dead(admin, reason="retries_used_up", subscription=str(failed.subscription_id))


def test_a_selection_is_retried(admin: Client, failed: Delivery, deliver: Deliver, receiver: Receiver) -> None:
    chosen = {"action": "retry", "_selected_action": [str(failed.pk)]}
    assert "Sent again now: 1." in told(admin.post(page("deadletter", "changelist"), chosen, follow=True))
    deliver()
    assert len(receiver.posts) == 2


def test_they_are_shown_to_whom_deliveries_are(failed: Delivery) -> None:
    viewer = signed_in("view_delivery")
    assert "1 dead letter" in dead(viewer)
    viewer.post(page("deadletter", "changelist"), {"action": "retry", "_selected_action": [str(failed.pk)]})
    assert Delivery.objects.get().state == State.FAILED
    assert signed_in("view_event").get(page("deadletter", "changelist")).status_code == 403


def test_a_dead_letters_page_is_the_deliverys(admin: Client, failed: Delivery) -> None:
    response = admin.get(page("deadletter", pk=failed.pk), follow=True)
    assert response.redirect_chain == [(page("delivery", pk=failed.pk), 302)]


def test_a_blocked_delivery_says_what_it_waits_for(admin: Client, failed: Delivery) -> None:
    Delivery.objects.update(state=State.BLOCKED, reason="earlier_event")
    for address in (page("delivery", "changelist"), page("delivery", pk=failed.pk), page("event", pk=failed.event_id)):
        assert "waits for an earlier event of its case" in read(admin.get(address))
    assert "Retry now" not in read(admin.get(page("delivery", pk=failed.pk)))


# --- Subscriptions --------------------------------------------------------------------------------------------------


def test_how_it_is_sent_to_is_edited(admin: Client, online: Subscription) -> None:
    fields = {"url": online.url, "name": "CRM", "type": "user", "events": online.events}
    fields |= {"status": "online", "initial-status": "online", "payload": "full", "max_in_flight": "4", "rate": "0.5"}
    admin.post(page("subscription", pk=online.pk), fields | {"ordered": "on", "promoted": "on"})
    row = Subscription.objects.get()
    assert (row.max_in_flight, row.rate, row.ordered, row.promoted) == (4, 0.5, True, True)


@pytest.mark.parametrize(("health", "is_told"), [({"trips": 1}, True), ({"trips": 0}, False), ({}, False)])
def test_a_pause_of_its_receiver_is_told_but_not_that_of_its_rate(
    admin: Client, online: Subscription, health: dict[str, int], is_told: bool
) -> None:
    until = timezone.localtime() + timedelta(minutes=5)
    Lane.objects.update(resume_at=until, health=health)
    for model in ("subscription", "lane"):
        assert (f"paused until {until:%H:%M:%S}" in read(admin.get(page(model, "changelist")))) is is_told
    Lane.objects.update(resume_at=timezone.now())
    assert "paused until" not in read(admin.get(page("subscription", "changelist")))


def test_a_retry_of_a_dead_letter_is_in_the_history_of_its_delivery(admin: Client, online: Subscription) -> None:
    row = Delivery.objects.filter(state=State.HELD).first()
    assert row is not None
    chosen = {"action": "retry", "_selected_action": [str(row.pk)]}
    admin.post(f"{page('deadletter', 'changelist')}?state=held", chosen)
    assert "Retried." in read(admin.get(page("delivery", "history", row.pk)))


def test_a_form_that_nobody_filled_in_starts_nothing(admin: Client, online: Subscription) -> None:
    read(admin.post(page("webhook", "recover", online.pk)))
    assert not Recovery.objects.exists()

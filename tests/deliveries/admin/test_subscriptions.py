"""The admin of subscriptions, by Django's test client."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from deliveries import services
from deliveries.models import Lane, Subscription
from tests.deliveries.conftest import Subscribe
from tests.deliveries.receiver import Answer, Receiver
from workspaces.models import Workspace

from .conftest import page, read, signed_in, told

CHANGE = "change_subscription"
VIEW = "view_subscription"


def filled(row: Subscription | None = None, **fields: Any) -> dict[str, Any]:
    """What a browser would post of the form."""
    status = row.status if row else "online"
    values = {"url": "https://example.com/", "status": status, "initial-status": status}
    values |= {"type": "user", "payload": row.payload if row else "full"}
    events = row.events if row else ["Case.Created"]
    return values | ({"url": row.url, "name": row.name} if row else {}) | {"events": events} | fields


def saved(client: Client, row: Subscription, **fields: Any) -> Subscription:
    response = client.post(page("subscription", pk=row.pk), filled(row, **fields), follow=True)
    assert "was changed successfully" in told(response)
    return Subscription.objects.get(pk=row.pk)


def log() -> list[str]:
    return [entry.get_change_message() for entry in LogEntry.objects.order_by("pk")]


def test_a_subscription_is_created_with_a_secret_of_its_own(admin: Client, workspace: Workspace) -> None:
    fields = filled(workspace=workspace.pk, events=["Case.Created", "Check.Approved"], header_lines="X-Api-Key: hush")
    admin.post(page("subscription", "add"), fields)
    row = Subscription.objects.get()
    assert (row.workspace, row.events) == (workspace, ["Case.Created", "Check.Approved"])
    assert row.headers == {"X-Api-Key": "hush"}
    assert row.secret.startswith("whsec_")
    assert Lane.objects.get().open


@pytest.mark.parametrize("asked", [["*"], ["Case.*", "Check.Approved"]])
def test_families_and_everything_are_stored_as_ticked(admin: Client, workspace: Workspace, asked: list[str]) -> None:
    admin.post(page("subscription", "add"), filled(workspace=workspace.pk, events=asked))
    assert Subscription.objects.get().events == asked


def test_a_shape_is_chosen_with_a_field_on_each_line(admin: Client, subscribe: Subscribe) -> None:
    row = saved(admin, subscribe("Case.Created"), payload="thin", without="*.email\r\n\r\n individual.birth_date \r\n")
    assert (row.payload, row.without) == ("thin", ["*.email", "individual.birth_date"])
    assert "*.email\nindividual.birth_date</textarea>" in read(admin.get(page("subscription", pk=row.pk)))
    before = len(log())
    assert saved(admin, row, without="*.email\r\nindividual.birth_date").without == row.without
    assert log()[before:] == ["No fields changed."]
    assert saved(admin, row, without="").without == []


def test_a_subscription_is_created_with_a_given_secret(admin: Client, workspace: Workspace) -> None:
    admin.post(page("subscription", "add"), filled(workspace=workspace.pk, secret="a phrase that is long enough"))
    assert Subscription.objects.get().secret == "a phrase that is long enough"


def test_the_form_of_one_that_exists_leaves_its_secret_alone(admin: Client, subscribe: Subscribe) -> None:
    row = subscribe("Case.Created")
    assert 'name="secret"' not in read(admin.get(page("subscription", pk=row.pk)))
    assert saved(admin, row, secret="a phrase that is long enough").secret == row.secret


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"url": "https://10.0.0.1/"}, "webhooks go to public addresses only"),
        ({"events": []}, "This field is required"),
        ({"events": ["Case.*", "*.Deleted"]}, "*.Deleted is no pattern for events: write a whole family"),
        ({"header_lines": "no colon"}, "on a line of its own"),
        ({"header_lines": "Host: x"}, "choose another name"),
        ({"header_lines": "X-A: 1\r\nX-A: 2"}, "twice"),
        ({"max_retries": "21"}, "less than or equal to 20"),
        ({"timeout": "0"}, "greater than or equal to 1"),
        ({"secret": "short"}, "16 to 256"),
        ({"payload": "tiny"}, "tiny is not one of the available choices"),
        ({"without": "*.email\r\nindividual.brith_date"}, "Did you mean individual.birth_date?"),
        ({"without": "*.id"}, "an id is always sent"),
        ({"without": "x" * 201}, "200"),
    ],
)
def test_a_wrong_value_is_named_in_the_form(
    admin: Client, workspace: Workspace, fields: dict[str, Any], words: str
) -> None:
    response = admin.post(page("subscription", "add"), filled(workspace=workspace.pk, **fields))
    assert words in read(response)
    assert not Subscription.objects.exists()


def test_a_full_workspace_is_told_so(
    admin: Client, workspace: Workspace, subscribe: Subscribe, settings: Settings
) -> None:
    settings.WEBHOOKS_PER_WORKSPACE = 1
    subscribe("Case.Created")
    response = admin.post(page("subscription", "add"), filled(workspace=workspace.pk))
    assert "Maximum items reached" in read(response)


def test_an_edit_changes_what_was_edited(admin: Client, subscribe: Subscribe) -> None:
    row = subscribe("Case.Created", headers={"X-Api-Key": "hush", "X-Old": "1"})
    lines = "X-Api-Key: (hidden)\r\nX-New: 2"
    now = saved(admin, row, name="CRM", events=["Case.Updated"], header_lines=lines, max_retries="0")
    assert (now.name, now.events, now.max_retries) == ("CRM", ["Case.Updated"], 0)
    assert now.headers == {"X-Api-Key": "hush", "X-New": "2"}
    assert (now.secret, now.workspace_id) == (row.secret, row.workspace_id)


def test_a_page_from_before_an_outage_does_not_turn_it_on_again(admin: Client, subscribe: Subscribe) -> None:
    row = subscribe("Case.Created")
    services.set_online([row.pk], online=False, reason="The receiver answered 410 Gone.")
    now = saved(admin, row, name="CRM")
    assert (now.name, now.status, now.offline_reason) == ("CRM", "offline", "The receiver answered 410 Gone.")


def test_the_form_turns_it_off_and_on(admin: Client, subscribe: Subscribe) -> None:
    row = saved(admin, subscribe("Case.Created"), status="offline")
    assert (row.status, row.offline_reason) == ("offline", "Turned offline in the admin.")
    assert saved(admin, row, status="online").offline_reason == ""
    assert Lane.objects.get().open


def test_secrets_are_on_no_page_but_their_own(admin: Client, subscribe: Subscribe) -> None:
    row = services.rotate_secret(subscribe("Case.Created", headers={"X-Api-Key": "hush"}))
    pages = [page("subscription", "changelist"), page("subscription", pk=row.pk), page("lane", pk=row.pk)]
    pages += [page("subscription", "history", row.pk), page("lane", "changelist"), page("webhook", "rotate", row.pk)]
    for address in [*pages, page("subscription", "delete", row.pk)]:
        text = read(admin.get(address))
        assert not any(secret in text for secret in (row.secret, row.previous_secret or "", "hush"))


def test_the_secret_is_shown_when_asked_for_and_that_is_logged(admin: Client, subscribe: Subscribe) -> None:
    row = services.rotate_secret(subscribe("Case.Created"))
    response = admin.post(page("webhook", "secret", row.pk))
    assert row.secret in read(response)
    assert (row.previous_secret or "") in read(response)
    assert "no-store" in response["Cache-Control"]
    assert log() == ["Looked at the secret."]


def test_a_rotation_is_confirmed_and_keeps_the_old_secret_for_a_time(admin: Client, subscribe: Subscribe) -> None:
    row = subscribe("Case.Created")
    assert "signs too until" in read(admin.get(page("webhook", "rotate", row.pk)))
    assert Subscription.objects.get().secret == row.secret
    response = admin.post(page("webhook", "rotate", row.pk), follow=True)
    assert "The old one signs too until" in told(response)
    assert Subscription.objects.get().previous_secret == row.secret
    assert log() == ["Rotated the secret."]


def test_a_leaked_secret_ends_at_once(admin: Client, subscribe: Subscribe) -> None:
    row = subscribe("Case.Created")
    admin.post(page("webhook", "rotate", row.pk), {"at_once": "on"})
    assert Subscription.objects.get().previous_secret is None


def test_a_rotation_takes_a_given_secret(admin: Client, subscribe: Subscribe) -> None:
    row = subscribe("Case.Created")
    admin.post(page("webhook", "rotate", row.pk), {"secret": "a phrase that is long enough"})
    assert Subscription.objects.get().signing_secrets() == ["a phrase that is long enough", row.secret]


@pytest.mark.parametrize(("given", "words"), [("short", "16 to 256"), (None, "the present secret")])
def test_a_secret_that_will_not_do_is_told_and_nothing_rotated(
    admin: Client, subscribe: Subscribe, given: str | None, words: str
) -> None:
    row = subscribe("Case.Created")
    assert words in read(admin.post(page("webhook", "rotate", row.pk), {"secret": given or row.secret}))
    assert Subscription.objects.get().previous_secret is None
    assert log() == []


@pytest.mark.django_db(transaction=True)
def test_a_post_to_the_history_is_no_fault(subscribe: Subscribe) -> None:
    row = subscribe("Case.Created")
    client = signed_in(is_superuser=True)
    assert "Change history" in read(client.post(page("subscription", "history", row.pk)))


def test_a_test_event_shows_the_answer_escaped(admin: Client, subscribe: Subscribe, receiver: Receiver) -> None:
    script = "<script>alert(1)</script>"
    receiver.answer = lambda post: Answer(418, {"X-Evil": script}, script.encode())
    row = subscribe("Case.Created", name=f"</pre>{script}")
    text = read(admin.post(page("webhook", "test", row.pk)))
    assert "418" in text
    assert script not in text
    assert text.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 3
    assert receiver.names == ["Webhook.Test"]


def test_a_test_event_without_an_answer_is_a_sentence(admin: Client, subscribe: Subscribe) -> None:
    row = subscribe("Case.Created", url="http://127.0.0.1:9/")
    assert "The receiver could not be reached" in read(admin.post(page("webhook", "test", row.pk)))


@pytest.mark.parametrize("name", ["secret", "test"])
def test_only_a_post_shows_or_sends_anything(
    admin: Client, subscribe: Subscribe, receiver: Receiver, name: str
) -> None:
    assert admin.get(page("webhook", name, subscribe("Case.Created").pk)).status_code == 405
    assert receiver.posts == []


@pytest.mark.parametrize("name", ["secret", "rotate", "test"])
def test_who_may_only_look_may_not_use_the_buttons(subscribe: Subscribe, receiver: Receiver, name: str) -> None:
    row = subscribe("Case.Created")
    client = signed_in(VIEW)
    assert client.post(page("webhook", name, row.pk)).status_code == 403
    assert (Subscription.objects.get().secret, receiver.posts) == (row.secret, [])
    assert f"/{name}/" not in read(client.get(page("subscription", pk=row.pk)))


def test_who_may_only_look_sees_no_header_values(subscribe: Subscribe) -> None:
    row = subscribe("Case.Created", headers={"X-Api-Key": "hush"})
    text = read(signed_in(VIEW).get(page("subscription", pk=row.pk)))
    assert "X-Api-Key: (hidden)" in text
    assert "hush" not in text
    assert row.secret not in text


def test_who_has_no_permission_sees_nothing(subscribe: Subscribe) -> None:
    row = subscribe("Case.Created")
    assert signed_in("view_event").get(page("subscription", pk=row.pk)).status_code == 403


def test_actions_turn_selected_ones_off_and_on(admin: Client, subscribe: Subscribe) -> None:
    rows = [subscribe("Case.Created"), subscribe("Case.Created", status="offline")]
    chosen = {"_selected_action": [str(row.pk) for row in rows]}
    response = admin.post(page("subscription", "changelist"), {"action": "turn_offline", **chosen}, follow=True)
    assert "Turned offline: 1." in told(response)
    response = admin.post(page("subscription", "changelist"), {"action": "turn_online", **chosen}, follow=True)
    assert "Turned online: 2." in told(response)
    assert log() == ["Turned offline.", "Turned online.", "Turned online."]


def test_a_deleted_subscription_takes_its_lane_with_it(subscribe: Subscribe) -> None:
    row = subscribe("Case.Created")
    client = signed_in(CHANGE, "delete_subscription")
    client.post(page("subscription", "delete", row.pk), {"post": "yes"})
    assert (Subscription.objects.count(), Lane.objects.count()) == (0, 0)


def test_the_list_tells_the_state_and_is_searched(admin: Client, subscribe: Subscribe) -> None:
    row = subscribe("Case.Created", name="CRM", url="https://crm.example.com/in")
    subscribe("Case.Created", name="Gone", status="offline", offline_reason="Paused.")
    text = read(admin.get(page("subscription", "changelist")))
    assert "crm.example.com" in text
    assert "Paused." in text
    for words in ("CRM", "crm.example", str(row.pk)):
        found = read(admin.get(page("subscription", "changelist"), {"q": words}))
        assert ("CRM" in found, "Gone" in found) == (True, False)


def test_the_list_takes_the_same_queries_for_one_row_and_for_many(
    admin: Client, subscribe: Subscribe, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for count in (1, 8):
        while Subscription.objects.count() < count:
            subscribe("Case.Created")
        with django_assert_num_queries(5):  # session, person, two counts, the page
            admin.get(page("subscription", "changelist"))


def test_nothing_on_the_pages_comes_from_elsewhere(admin: Client, subscribe: Subscribe) -> None:
    text = read(admin.get(page("subscription", pk=subscribe("Case.Created").pk)))
    assert 'src="http' not in text
    assert 'href="http' not in text
    assert " style=" not in text

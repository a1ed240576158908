"""A webhook is tested, and its secret rotated, through the API."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from pytest_django import Settings
from rest_framework.test import APIClient

from deliveries.api import tools
from deliveries.engine import signing
from deliveries.models import Attempt, Delivery, Event, Subscription
from tests import factories
from tests.deliveries.conftest import Deliver, Subscribe
from tests.deliveries.receiver import Answer, Receiver
from workspaces.api.throttles import Rate
from workspaces.models import Workspace

OWN = "a phrase that is long enough"


@pytest.fixture
def client(workspace: Workspace) -> APIClient:
    return factories.api_client(workspace)


def sent_to(client: APIClient, row: Subscription, **body: Any) -> dict[str, Any]:
    response = client.post(f"/v1/webhooks/{row.pk}/test", body)
    assert response.status_code == 200, response.json()
    found: dict[str, Any] = response.json()
    return found


def rotate(client: APIClient, row: Subscription, **body: Any) -> dict[str, Any]:
    response = client.post(f"/v1/webhooks/{row.pk}/rotate-secret", body)
    assert response.status_code == 200, response.json()
    assert response["Cache-Control"] == "no-store"
    found: dict[str, Any] = response.json()
    return found


def refused(response: Any) -> dict[str, str]:
    assert response.status_code == 400, response.json()
    return {error["field"]: error["message"] for error in response.json()["errors"]}


# --- Test events ------------------------------------------------------------------------------------------------------


def test_a_test_tells_what_the_receiver_said(client: APIClient, subscribe: Subscribe, receiver: Receiver) -> None:
    receiver.answer = lambda post: Answer(418, {"X-Seen": "yes"}, b"short \x1b and stout")
    told = sent_to(client, subscribe("Case.Created", headers={"X-Key": "hush"}))
    assert (told["succeeded"], told["status_code"], told["error"], told["message"]) == (False, 418, None, None)
    assert (told["response_headers"]["X-Seen"], told["response_body"]) == ("yes", "short ␛ and stout")
    assert (told["request_headers"]["X-Key"], told["event"]) == ("(hidden)", "Webhook.Test")
    assert told["duration_ms"] >= 0
    assert told["payload"] == receiver.posts[0].content


def test_a_test_is_signed_and_sent_once_and_leaves_nothing(
    client: APIClient, subscribe: Subscribe, receiver: Receiver, deliver: Deliver
) -> None:
    receiver.answer = lambda post: Answer(500)
    row = subscribe("Case.Created")
    sent_to(client, row)
    deliver()
    (post,) = receiver.posts
    assert post.name == "Webhook.Test"
    assert signing.verify_standard(post.headers, post.body, row.secret, timezone.now().timestamp())
    assert signing.verify_dotfile(post.headers["dotfile-signature"], post.body, row.secret)
    assert not any(model.objects.exists() for model in (Event, Delivery, Attempt))


def test_a_test_that_is_asked_for_again_under_its_key_is_not_sent_again(
    client: APIClient, subscribe: Subscribe, receiver: Receiver
) -> None:
    path, headers = f"/v1/webhooks/{subscribe('Case.Created').pk}/test", {"Idempotency-Key": "one"}
    first, second = (client.post(path, {}, headers=headers) for _ in range(2))
    assert (first.status_code, second.content, len(receiver.posts)) == (200, first.content, 1)


def test_the_example_of_an_event_can_be_sent(client: APIClient, subscribe: Subscribe, receiver: Receiver) -> None:
    row = subscribe("Case.Created")
    told = sent_to(client, row, event="Check.Approved")
    body = receiver.posts[0].content
    assert (told["event"], body["event"], body["check"]["status"]) == ("Check.Approved", "Check.Approved", "approved")
    assert body["context"]["workspace"]["id"] == str(row.workspace_id)
    assert (body["context"]["test"], body["context"]["event_id"]) == (True, receiver.posts[0].headers["webhook-id"])


def test_a_main_event_says_what_changed(client: APIClient, subscribe: Subscribe, receiver: Receiver) -> None:
    sent_to(client, subscribe("Case.Created"), event="Case.Updated")
    assert receiver.posts[0].content["sub_event"].startswith("Case.")


def test_an_example_has_the_webhooks_own_shape(client: APIClient, subscribe: Subscribe, receiver: Receiver) -> None:
    sent_to(client, subscribe("Individual.Created", payload="thin"), event="Individual.Created")
    sent_to(client, subscribe("Individual.Created", without=["individual.email"]), event="Individual.Created")
    thin, less = (post.content["individual"] for post in receiver.posts)
    assert ("links" in thin, "first_name" in thin) == (True, False)
    assert ("email" in less, "first_name" in less) == (False, True)


def test_an_offline_webhook_can_be_tested(client: APIClient, subscribe: Subscribe) -> None:
    assert sent_to(client, subscribe("Case.Created", status="offline"))["succeeded"]


def test_without_a_connection_all_reasons_read_alike(client: APIClient, subscribe: Subscribe) -> None:
    urls = ["http://127.0.0.1:9/", "http://10.0.0.1/", "http://no-such-name.invalid/"]
    told = [sent_to(client, subscribe("Case.Created", url=url)) for url in urls]
    seen = [{name: row[name] for name in row if name not in ("endpoint", "payload", "request_headers")} for row in told]
    assert seen[0] == seen[1] == seen[2]
    assert (seen[0]["error"], seen[0]["status_code"], seen[0]["duration_ms"]) == ("connection_failed", 0, None)


def test_a_webhook_that_cannot_be_sent_is_told_so(client: APIClient, subscribe: Subscribe) -> None:
    told = sent_to(client, subscribe("Case.Created", url="nonsense"))
    assert (told["error"], told["succeeded"], told["response_body"]) == ("invalid_url", False, None)


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"event": "Check.Aproved"}, "event", "Did you mean Check.Approved?"),
        ({"event": "Case.*"}, "event", "name one of them"),
        ({"event": "*"}, "event", "name one of them"),
        ({"event": "CaseReport.Generated"}, "event", "never arises here"),
        ({"event": 5}, "event", "valid string"),
        ({"evnt": "Case.Created"}, "evnt", "Did you mean event?"),
        ([], None, "dictionary"),
    ],
)
def test_a_wrong_test_is_named_and_not_sent(
    client: APIClient, subscribe: Subscribe, receiver: Receiver, body: Any, field: str | None, words: str
) -> None:
    told = refused(client.post(f"/v1/webhooks/{subscribe('Case.Created').pk}/test", body))
    assert words in told[field]  # type: ignore[index]
    assert receiver.posts == []


def test_a_few_tests_a_minute_are_sent_and_no_more(
    client: APIClient, subscribe: Subscribe, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools, "TESTS_OF_A_WEBHOOK", Rate(per_minute=1, burst=2))
    row, other = subscribe("Case.Created"), subscribe("Case.Created")
    assert [client.post(f"/v1/webhooks/{row.pk}/test").status_code for _ in range(2)] == [200, 200]
    response = client.post(f"/v1/webhooks/{row.pk}/test")
    assert (response.status_code, "Too many test events" in response.json()["message"]) == (429, True)
    assert 1 <= int(response["Retry-After"]) <= 60
    assert sent_to(client, other)["succeeded"]
    assert len(receiver.posts) == 3


def test_webhooks_made_anew_do_not_make_room_for_tests(
    client: APIClient, subscribe: Subscribe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools, "TESTS_OF_A_WORKSPACE", Rate(per_minute=1, burst=2))
    found = [client.post(f"/v1/webhooks/{subscribe('Case.Created').pk}/test").status_code for _ in range(3)]
    assert found == [200, 200, 429]


# --- Rotation ---------------------------------------------------------------------------------------------------------


def test_a_new_secret_signs_beside_the_old_one(client: APIClient, subscribe: Subscribe, receiver: Receiver) -> None:
    row = subscribe("Case.Created")
    told = rotate(client, row, grace=600)
    assert (set(told), told["id"]) == ({"id", "secret", "previous_secret_until"}, str(row.pk))
    until = parse_datetime(told["previous_secret_until"])
    assert until is not None
    assert abs(until - timezone.now() - timedelta(seconds=600)) < timedelta(minutes=1)
    sent_to(client, row)
    post, now = receiver.posts[0], timezone.now().timestamp()
    assert told["secret"] != row.secret
    assert all(signing.verify_standard(post.headers, post.body, secret, now) for secret in (told["secret"], row.secret))


def test_without_grace_the_old_secret_signs_no_more(
    client: APIClient, subscribe: Subscribe, receiver: Receiver
) -> None:
    row = subscribe("Case.Created")
    assert rotate(client, row, grace=0)["previous_secret_until"] is None
    sent_to(client, row)
    post = receiver.posts[0]
    assert not signing.verify_standard(post.headers, post.body, row.secret, timezone.now().timestamp())


def test_the_grace_is_the_settings_unless_said(client: APIClient, subscribe: Subscribe, settings: Settings) -> None:
    settings.SECRET_GRACE = 0
    assert rotate(client, subscribe("Case.Created"))["previous_secret_until"] is None


def test_an_own_secret_is_taken_and_the_same_again_changes_nothing(client: APIClient, subscribe: Subscribe) -> None:
    row = subscribe("Case.Created")
    told = rotate(client, row, secret=OWN)
    assert told["secret"] == OWN
    assert rotate(client, row, secret=OWN) == told
    assert Subscription.objects.get().previous_secret == row.secret


def test_a_second_rotation_within_the_grace_is_409_and_changes_nothing(client: APIClient, subscribe: Subscribe) -> None:
    row = subscribe("Case.Created")
    first = rotate(client, row)
    response = client.post(f"/v1/webhooks/{row.pk}/rotate-secret", {})
    assert (response.status_code, first["previous_secret_until"] in response.json()["message"]) == (409, True)
    found = Subscription.objects.get()
    assert found.signing_secrets() == [first["secret"], row.secret]


def test_a_second_rotation_without_grace_ends_both_secrets(client: APIClient, subscribe: Subscribe) -> None:
    row = subscribe("Case.Created")
    rotate(client, row)
    last = rotate(client, row, grace=0)
    assert Subscription.objects.get().signing_secrets() == [last["secret"]]


def test_after_the_grace_it_is_rotated_again(client: APIClient, subscribe: Subscribe) -> None:
    over = timezone.now() - timedelta(seconds=1)
    row = subscribe("Case.Created", previous_secret=OWN, previous_secret_until=over)
    told = rotate(client, row)
    assert Subscription.objects.get().signing_secrets() == [told["secret"], row.secret]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"grace": -1}, "grace"),
        ({"grace": 604_801}, "grace"),
        ({"grace": 1.5}, "grace"),
        ({"grace": True}, "grace"),
        ({"grace": "60"}, "grace"),
        ({"grace": None}, "grace"),
        ({"secret": "short"}, "secret"),
        ({"secret": "whsec_abc defghijklmnop"}, "secret"),
        ({"secret": None}, "secret"),
        ({"graze": 1}, "graze"),
    ],
)
def test_a_wrong_rotation_is_named_and_changes_nothing(
    client: APIClient, subscribe: Subscribe, body: dict[str, Any], field: str
) -> None:
    row = subscribe("Case.Created")
    assert set(refused(client.post(f"/v1/webhooks/{row.pk}/rotate-secret", body))) == {field}
    assert Subscription.objects.get().secret == row.secret


@pytest.mark.parametrize(("method", "tool"), [("post", "test"), ("post", "rotate-secret"), ("get", "stats")])
def test_a_webhook_that_is_not_there_is_404(client: APIClient, method: str, tool: str) -> None:
    assert getattr(client, method)(f"/v1/webhooks/{uuid.uuid4()}/{tool}").status_code == 404
    assert getattr(client, method)(f"/v1/webhooks/no-uuid/{tool}").status_code == 400

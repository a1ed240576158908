"""Test events: sent at once, as real ones are, and leaving no trace."""

from __future__ import annotations

import time

import orjson
import pytest

from deliveries import services
from deliveries.engine import signing
from deliveries.models import Attempt, Delivery, Event

from .conftest import Subscribe
from .receiver import Answer, Receiver


def test_the_answer_is_told_in_full(subscribe: Subscribe, receiver: Receiver) -> None:
    receiver.answer = lambda post: Answer(201, {"X-Seen": "yes"}, b"thanks")
    trial = services.send_trial(subscribe("Case.Created", headers={"X-Api-Key": "hush"}))
    assert (trial.status, trial.error, trial.succeeded) == (201, "", True)
    assert (trial.response_headers["X-Seen"], trial.response_body) == ("yes", "thanks")
    assert trial.request_headers["X-Api-Key"] == "(hidden)"
    assert "hush" not in repr(trial)
    assert trial.duration_ms is not None


def test_it_is_signed_and_shaped_as_a_real_event(subscribe: Subscribe, receiver: Receiver) -> None:
    row = subscribe("Case.Created", name="Hooks", headers={"X-Api-Key": "hush"})
    trial = services.send_trial(row)
    (post,) = receiver.posts
    assert signing.verify_standard(post.headers, post.body, row.secret, time.time())
    assert signing.verify_dotfile(post.headers["dotfile-signature"], post.body, row.secret)
    assert post.headers["x-api-key"] == "hush"
    assert post.body.decode() == trial.request_body
    body = orjson.loads(post.body)
    assert body["event"] == "Webhook.Test"
    assert body["webhook"] == {"id": str(row.pk), "name": "Hooks", "url": row.url}
    assert body["context"]["workspace"] == {"id": str(row.workspace.pk), "name": row.workspace.name}
    assert body["context"]["event_id"] == post.headers["webhook-id"]
    assert (body["context"]["retry_count"], body["context"]["remaining_retry_count"]) == (0, 0)


def test_it_is_sent_once_and_leaves_no_history(subscribe: Subscribe, receiver: Receiver) -> None:
    receiver.answer = lambda post: Answer(500)
    trial = services.send_trial(subscribe("Case.Created"))
    assert (trial.status, trial.succeeded, len(receiver.posts)) == (500, False, 1)
    assert not Event.objects.exists()
    assert not Delivery.objects.exists()
    assert not Attempt.objects.exists()


def test_an_offline_subscription_can_be_tested(subscribe: Subscribe, receiver: Receiver) -> None:
    assert services.send_trial(subscribe("Case.Created", status="offline")).status == 200


def test_redirects_are_not_followed(subscribe: Subscribe, receiver: Receiver) -> None:
    receiver.answer = lambda post: Answer(302, {"Location": receiver.url("/elsewhere")})
    assert services.send_trial(subscribe("Case.Created")).status == 302
    assert len(receiver.posts) == 1


def test_a_long_answer_is_cut_and_said_to_be(subscribe: Subscribe, receiver: Receiver) -> None:
    receiver.answer = lambda post: Answer(200, {}, b"x" * 10_000)
    trial = services.send_trial(subscribe("Case.Created"))
    assert (len(trial.response_body), trial.truncated) == (4096, True)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "http://10.0.0.1/", "http://no-such-name.invalid/"])
def test_without_a_connection_there_is_a_sentence_and_no_time(subscribe: Subscribe, url: str) -> None:
    trial = services.send_trial(subscribe("Case.Created", url=url))
    assert (trial.status, trial.duration_ms) == (None, None)
    assert trial.error.endswith(".")


def test_a_url_that_cannot_be_sent_is_a_sentence(subscribe: Subscribe) -> None:
    trial = services.send_trial(subscribe("Case.Created", url="nonsense"))
    assert "correct it" in trial.error

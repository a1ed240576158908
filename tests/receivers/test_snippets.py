"""The code on the page, word for word, against what a worker sent: takes what is genuine, and nothing else."""

from __future__ import annotations

import base64
import hmac
import json
import time
from dataclasses import replace

import pytest

from deliveries.engine import signing

from .conftest import NAME, Ask, Received
from .languages import Question

# Without one that is marked, pytest-django makes no database for `received`.
pytestmark = pytest.mark.django_db

VECTOR = Question(
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    },
    b'{"test": 2432232314}',
    1614265330,
)
"""From the tests of the official Standard Webhooks libraries."""

SECRETS = (
    "whsec_" + "c2VjcmV0" * 4,
    "whsec_" + "A" * 34,  # no padding: 25 bytes
    "whsec_" + "A" * 34 + "=",
    "whsec_" + "A" * 34 + "==",
    "whsec_" + "+/" * 20,
    "c2VjcmV0" * 4,
    "abcdefghijklmnopqr",  # base64, though nobody meant it; its last bits are not zero
    "abcdefghijklmnopq",  # 17 letters are not
    "abcdefgh ijklmnop",
    "correct horse battery staple!",
    "pâté de campagne",
    "dashes-and_underscores-in-it",
    "%s $HOME 'quoted' \"twice\" \\",
)
BODIES = (b"", b"{}", "é 李 \u2028 ✓".encode(), b"\x00\xff\r\n\x80", b"x" * 20_000)


def signed(secret: str, body: bytes = b"{}", now: int | None = 1765533732) -> Question:
    headers = signing.sign("019b-id", int(time.time()) if now is None else now, body, [secret])
    return Question(secret, {name.lower(): value for name, value in headers.items()}, body, now)


def signed_by_hand(key: bytes, timestamp: str) -> Question:
    """With a key, and at a time, that our own code would not sign with."""
    digest = hmac.digest(key, f"019b-id.{timestamp}.{{}}".encode(), "sha256")
    signature = "v1," + base64.b64encode(digest).decode()
    headers = {"webhook-id": "019b-id", "webhook-timestamp": timestamp, "webhook-signature": signature}
    return Question("whsec_" + base64.b64encode(key).decode(), headers, b"{}", 1765533732)


def accepted(ask: Ask, questions: dict[str, Question]) -> dict[str, str]:
    """What was not answered with false."""
    answers = zip(questions, ask(list(questions.values())), strict=True)
    return {name: answer for name, answer in answers if answer != "false"}


def test_what_a_worker_sent_verifies(ask: Ask, received: dict[str, Received]) -> None:
    kinds = ["full", "thin", "rotated", "phrase", "again"]
    answers = ask([received[kind].question() for kind in kinds])
    assert dict(zip(kinds, answers, strict=True)) == dict.fromkeys(kinds, "true")


def test_the_bodies_that_were_sent_are_what_the_page_speaks_of(received: dict[str, Received]) -> None:
    full, thin, again = (received[kind].post for kind in ("full", "thin", "again"))
    assert NAME.encode() in full.body
    assert "name" not in thin.content["case"]
    assert again.headers["webhook-id"] == full.headers["webhook-id"]
    assert again.headers["webhook-signature"] != full.headers["webhook-signature"]


def test_during_a_rotation_either_secret_verifies(ask: Ask, received: dict[str, Received]) -> None:
    rotated = received["rotated"]
    assert rotated.previous is not None
    assert ask([rotated.question(), rotated.question(rotated.previous)]) == ["true", "true"]


def test_what_was_tampered_with_is_refused(ask: Ask, received: dict[str, Received]) -> None:
    genuine, headers = received["full"], received["full"].post.headers
    question, now = genuine.question(), int(headers["webhook-timestamp"])
    changed = {
        "another secret": genuine.question(signing.generate_secret()),
        "the secret before the body's own": genuine.question(received["thin"].secret),
        "a byte more": replace(question, body=question.body + b" "),
        "a byte less": replace(question, body=question.body[:-1]),
        "another name in the body": replace(question, body=question.body.replace(NAME.encode(), b"Pyrenees")),
        "parsed and written anew": replace(question, body=json.dumps(genuine.post.content).encode()),
        "an empty body": replace(question, body=b""),
        "another id": genuine.with_headers(id=received["full"].post.headers["webhook-id"][:-1] + "x"),
        "another timestamp": genuine.with_headers(timestamp=str(now + 1)),
        "a new timestamp for an old request": replace(genuine.with_headers(timestamp=str(now + 999)), now=now + 999),
        "no id": genuine.with_headers(id=None),
        "no timestamp": genuine.with_headers(timestamp=None),
        "no signature": genuine.with_headers(signature=None),
        "no header at all": replace(question, headers={}),
    }
    assert accepted(ask, changed) == {}


def test_what_is_not_a_signature_is_refused_without_an_error(ask: Ask, received: dict[str, Received]) -> None:
    genuine, signature = received["full"], received["full"].post.headers["webhook-signature"]
    texts = {
        "empty": "",
        "a version and nothing else": "v1,",
        "another version": signature.replace("v1,", "v2,"),
        "without a version": signature.removeprefix("v1,"),
        "the beginning": signature[:-1],
        "more at the end": signature + "=",
        "another case": signature.swapcase(),
        "not ASCII": "v1,é",
        "a pattern": "v1,*",
        "joined by a comma": f"v1,x,{signature}",
    }
    assert accepted(ask, {name: genuine.with_headers(signature=text) for name, text in texts.items()}) == {}


def test_what_is_not_a_timestamp_is_refused_without_an_error(ask: Ask, received: dict[str, Received]) -> None:
    texts = ["", "hello", "-1", "1e9", "12:00", "9" * 30, "0x10", "é"]
    assert accepted(ask, {text: received["full"].with_headers(timestamp=text) for text in texts}) == {}


def test_a_timestamp_that_is_none_is_refused_though_it_is_signed(ask: Ask) -> None:
    texts = ["hello", "1765533732x", ""]
    assert accepted(ask, {text: signed_by_hand(b"secret" * 4, text) for text in texts}) == {}


def test_five_minutes_are_allowed_either_way_and_no_more(ask: Ask, received: dict[str, Received]) -> None:
    question = received["full"].question()
    sent_at = int(received["full"].post.headers["webhook-timestamp"])
    answers = ask([replace(question, now=sent_at + seconds) for seconds in (-301, -300, 300, 301)])
    assert answers == ["false", "true", "true", "false"]


def test_without_being_told_it_goes_by_the_clock(ask: Ask) -> None:
    old = replace(signed(signing.generate_secret(), now=int(time.time()) - 400), now=None)
    assert ask([signed(signing.generate_secret(), now=None), old]) == ["true", "false"]


def test_the_right_one_is_found_among_several_signatures(ask: Ask) -> None:
    several = "v1,bad v2,x {} v1,bad".format(VECTOR.headers["webhook-signature"])
    assert ask([VECTOR, replace(VECTOR, headers={**VECTOR.headers, "webhook-signature": several})]) == ["true", "true"]


def test_every_form_of_a_secret_is_known(ask: Ask) -> None:
    assert ask([signed(secret) for secret in SECRETS]) == ["true"] * len(SECRETS)


def test_a_secret_that_is_nearly_right_is_refused(ask: Ask) -> None:
    nearly = {secret: replace(signed(secret), secret=secret + "x") for secret in SECRETS}
    assert accepted(ask, nearly) == {}


def test_any_bytes_may_be_a_body(ask: Ask) -> None:
    assert ask([signed("whsec_" + "c2VjcmV0" * 4, body) for body in BODIES]) == ["true"] * len(BODIES)


def test_an_empty_secret_verifies_nothing(ask: Ask) -> None:
    """Whoever forgets to set it must not trust those who know that: they sign with no key at all."""
    forged = signed_by_hand(b"", "1765533732")
    bare = replace(forged, headers={**forged.headers, "webhook-signature": "v1,"})
    asked = [replace(each, secret=secret) for each in (forged, bare) for secret in ("", "whsec_")]
    assert "true" not in ask(asked)

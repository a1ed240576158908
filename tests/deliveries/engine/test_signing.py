"""Signatures: the published vectors, the official library, and what must not pass."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from datetime import UTC, datetime

import pytest
import standardwebhooks

from deliveries.engine import signing

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
EVENT, TIMESTAMP, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("secret", [SECRET, SECRET.removeprefix("whsec_")], ids=["with prefix", "without"])
def test_the_published_vector_is_met(secret: str) -> None:
    headers = signing.sign(EVENT, TIMESTAMP, BODY, [secret])
    assert headers["webhook-signature"] == SIGNATURE
    assert headers["webhook-id"] == EVENT
    assert headers["webhook-timestamp"] == "1614265330"


def test_a_secret_without_padding_is_the_same_secret() -> None:
    padded = "whsec_" + base64.b64encode(b"k" * 32).decode()
    signatures = [signing.sign("e", 1, b"", [secret])["webhook-signature"] for secret in (padded, padded.rstrip("="))]
    assert signatures[0] == signatures[1]


def test_dotfile_signature_is_the_hex_hmac_of_the_body_by_the_text_of_the_secret() -> None:
    expected = hmac.new(SECRET.encode(), BODY, hashlib.sha256).hexdigest()
    assert signing.sign(EVENT, TIMESTAMP, BODY, [SECRET])["Dotfile-Signature"] == expected


def test_during_a_rotation_both_secrets_sign_newest_first() -> None:
    new = signing.generate_secret()
    headers = signing.sign(EVENT, TIMESTAMP, BODY, [new, SECRET])
    assert headers["webhook-signature"].split(" ")[1] == SIGNATURE
    assert signing.verify_dotfile(headers["Dotfile-Signature"], BODY, new)
    assert signing.verify_dotfile(headers["Dotfile-Signature-Previous"], BODY, SECRET)


def test_without_a_rotation_there_is_no_previous_signature() -> None:
    assert "Dotfile-Signature-Previous" not in signing.sign(EVENT, TIMESTAMP, BODY, [SECRET])


@pytest.mark.parametrize("body", [b"", b"{}", '{"name":"Zoë 李 ✓"}'.encode()])
def test_the_official_library_accepts_what_we_sign(body: bytes) -> None:
    secret = signing.generate_secret()
    headers = signing.sign("01890a5d", int(time.time()), body, [signing.generate_secret(), secret])
    standardwebhooks.Webhook(secret).verify(body, headers, json_parse=False)


def test_we_accept_what_the_official_library_signs() -> None:
    now = time.time()
    signature = standardwebhooks.Webhook(SECRET).sign(EVENT, datetime.fromtimestamp(now, UTC), BODY.decode())
    headers = {"Webhook-Id": EVENT, "webhook-timestamp": str(int(now)), "webhook-signature": f"v1,bad v2,x {signature}"}
    assert signing.verify_standard(headers, BODY, SECRET, now)


@pytest.mark.parametrize(
    ("change", "now"),
    [
        ({"webhook-id": "other"}, TIMESTAMP),
        ({"webhook-id": ""}, TIMESTAMP),
        ({"webhook-timestamp": "hello"}, TIMESTAMP),
        ({"webhook-timestamp": ""}, TIMESTAMP),
        ({"webhook-timestamp": "1614265331"}, TIMESTAMP),
        ({"webhook-signature": ""}, TIMESTAMP),
        ({"webhook-signature": "v1,bad v2," + SIGNATURE[3:]}, TIMESTAMP),
        ({"webhook-signature": "v1,é"}, TIMESTAMP),
        ({}, TIMESTAMP + 301),
        ({}, TIMESTAMP - 301),
    ],
)
def test_a_changed_or_old_message_is_not_accepted(change: dict[str, str], now: float) -> None:
    headers = signing.sign(EVENT, TIMESTAMP, BODY, [SECRET]) | change
    assert not signing.verify_standard(headers, BODY, SECRET, now)


def test_a_changed_body_is_not_accepted() -> None:
    headers = signing.sign(EVENT, TIMESTAMP, BODY, [SECRET])
    assert not signing.verify_standard(headers, BODY + b" ", SECRET, TIMESTAMP)
    assert not signing.verify_dotfile(headers["Dotfile-Signature"], BODY + b" ", SECRET)


def test_generated_secrets_hold_32_random_bytes() -> None:
    first, second = signing.generate_secret(), signing.generate_secret()
    assert first != second
    assert first.startswith("whsec_")
    assert len(base64.b64decode(first.removeprefix("whsec_"), validate=True)) == 32


def test_a_secret_that_is_not_base64_signs_with_its_utf8_bytes() -> None:
    phrase = "correct horse! bättery"
    key = hmac.new(phrase.encode(), f"{EVENT}.{TIMESTAMP}.".encode() + BODY, hashlib.sha256).digest()
    headers = signing.sign(EVENT, TIMESTAMP, BODY, [phrase])
    assert headers["webhook-signature"] == "v1," + base64.b64encode(key).decode()


@pytest.mark.parametrize("secrets", [[], [""], ["whsec_"], [SECRET, ""]])
def test_an_empty_secret_is_an_error(secrets: list[str]) -> None:
    with pytest.raises(ValueError, match="secret"):
        signing.sign(EVENT, TIMESTAMP, BODY, secrets)


@pytest.mark.parametrize(
    ("now", "previous", "signing_then"),
    [
        (100.0, None, ["new"]),  # never rotated, or ended at once
        (99.9, ("old", 100.0), ["new", "old"]),
        (100.0, ("old", 100.0), ["new"]),
    ],
)
def test_the_previous_secret_signs_until_its_time(
    now: float, previous: tuple[str, float] | None, signing_then: list[str]
) -> None:
    assert signing.secrets_at(now, "new", previous) == signing_then

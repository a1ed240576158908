"""What a subscription may hold, as tables."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from deliveries import validation
from deliveries.engine.egress import Policy
from deliveries.engine.endpoints import HIDDEN
from deliveries.events.kinds import KINDS

PRODUCTION = Policy.parse(["443", "80"], False, [], "")


def complaint(check: Any, *arguments: Any) -> str:
    with pytest.raises(ValidationError) as raised:
        check(*arguments)
    return " ".join(raised.value.messages)


@pytest.mark.parametrize(
    "url", ["https://example.com/hooks", "https://example.com", "https://xn--bcher-kva.example/x?a=b"]
)
def test_a_public_https_url_is_kept_as_it_is(url: str) -> None:
    assert validation.url(url, PRODUCTION) == url


@pytest.mark.parametrize(
    ("url", "stored"),
    [
        ("https://bücher.example/Ü?a=://B", "https://xn--bcher-kva.example/Ü?a=://B"),
        ("HTTPS://BÜCHER.example:443", "https://xn--bcher-kva.example:443"),
        ("https://Example.COM/Path", "https://example.com/Path"),
        ("https://[2606:4700:4700:0::1111]:443/", "https://[2606:4700:4700::1111]:443/"),
    ],
)
def test_a_host_is_stored_as_it_is_dialled(url: str, stored: str) -> None:
    assert validation.url(url, PRODUCTION) == stored
    assert validation.url(stored, PRODUCTION) == stored


def test_a_url_that_is_too_long_as_it_is_dialled_is_refused() -> None:
    url = "https://bücher.example/".ljust(2048, "x")
    assert "too long" in complaint(validation.url, url, PRODUCTION)
    assert len(validation.url(url[: -len("xn--bcher-kva") + len("bücher")], PRODUCTION)) == 2048


@pytest.mark.parametrize("addresses", [[], ["93.184.215.14"], ["93.184.215.14", "2606:4700:4700::1111"]])
def test_a_name_with_public_addresses_or_none_yet_is_accepted(addresses: list[str]) -> None:
    validation.public("https://example.com/", PRODUCTION, lambda name: addresses)


@pytest.mark.parametrize("addresses", [["10.0.0.1"], ["93.184.215.14", "127.0.0.1"], ["fd00::1"]])
def test_a_name_with_an_inner_address_is_refused_with_what_to_do(addresses: list[str]) -> None:
    assert "leads to a public one" in complaint(
        validation.public, "https://example.com/", PRODUCTION, lambda name: addresses
    )


def test_an_address_is_not_looked_up() -> None:
    validation.public("https://93.184.215.14/", PRODUCTION, lambda name: pytest.fail("asked"))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://example.com/", "https://"),
        ("ftp://example.com/", "https://"),
        ("example.com/hooks", "complete URL"),
        ("https://user:pass@example.com/", "user name"),
        ("https://example.com/#top", "#"),
        ("https://example.com:6379/", "Port 6379"),
        ("https://127.0.0.1/", "public addresses"),
        ("https://2130706433/", "IP address"),
        ("https://localhost/", "network"),
        ("https://exa mple.com/", "blanks"),
        ("https://*.example.com/", "host name"),
    ],
)
def test_a_url_that_may_not_be_called_is_refused_with_what_to_do(url: str, words: str) -> None:
    assert words in complaint(validation.url, url, PRODUCTION)


def test_events_are_kept_once_and_in_order() -> None:
    chosen = ["Case.Updated", "Case.Created", "Case.Updated", "Check.Completed"]
    assert validation.events(chosen) == ["Case.Updated", "Case.Created", "Check.Completed"]


def test_a_family_is_kept_beside_its_own_events() -> None:
    assert validation.events(["Case.Created", "Case.*", "Case.*", "*"]) == ["Case.Created", "Case.*", "*"]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ([], "at least one"),
        (["Case.Create"], "Did you mean Case.Created?"),
        (["Case.Created", ""], "no event"),
        (["Case.*", "*.Created"], "no pattern for events"),
    ],
)
def test_events_that_do_not_exist_are_named(names: list[str], words: str) -> None:
    assert words in complaint(validation.events, names)


def test_fields_left_out_are_kept_once_and_in_order() -> None:
    paths = ["individual.birth_date", "*.email", "individual.birth_date"]
    assert validation.without(paths) == ["individual.birth_date", "*.email"]
    assert len(validation.without([f"*.x{number}" for number in range(50)])) == 50


@pytest.mark.parametrize(
    ("paths", "words"),
    [
        ([f"*.x{number}" for number in range(51)], "at most 50"),
        (["*." + "x" * 199], "at most 200 characters"),
        (["*.email", "individual.brith_date"], "Did you mean individual.birth_date?"),
        (["workspace.id"], "always sent"),
    ],
)
def test_paths_that_leave_out_nothing_are_named(paths: list[str], words: str) -> None:
    assert words in complaint(validation.without, paths)


def test_the_documented_paths_and_kinds_are_known() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "integrators.md").read_text()
    shown = json.loads(re.findall(r"```json\n(.*?)```", text, re.DOTALL)[0])
    assert validation.without(shown["without"]) == shown["without"]
    kinds = re.search(r"The kinds are (.*?)\. It holds", text, re.DOTALL)
    assert kinds
    assert set(re.findall(r"`(\w+)`", kinds[1])) == KINDS.keys()


@pytest.mark.parametrize("size", [24, 32, 64])
def test_a_standard_secret_holds_24_to_64_bytes(size: int) -> None:
    secret = "whsec_" + base64.b64encode(bytes(size)).decode()
    assert validation.secret(secret) == secret


@pytest.mark.parametrize(
    ("secret", "words"),
    [
        ("", "16 to 256"),
        ("short", "16 to 256"),
        ("x" * 257, "16 to 256"),
        ("sixteen chars\nand more", "printable"),
        (" blanks at the ends ", "blanks"),
        ("whsec_not base64 at all!", "base64"),
        ("whsec_" + base64.b64encode(bytes(23)).decode(), "24 to 64"),
        ("whsec_" + base64.b64encode(bytes(65)).decode(), "24 to 64"),
    ],
)
def test_a_weak_or_broken_secret_is_refused_and_not_repeated(secret: str, words: str) -> None:
    told = complaint(validation.secret, secret)
    assert words in told
    assert not secret or secret not in told


def test_a_phrase_of_the_customer_is_a_secret_too() -> None:
    assert validation.secret("correct horse battery staple") == "correct horse battery staple"


def test_custom_headers_are_kept_without_blanks_at_their_ends() -> None:
    assert validation.headers({"X-Api-Key": " abc ", "Authorization": "Bearer é"}) == {
        "X-Api-Key": "abc",
        "Authorization": "Bearer é",
    }


@pytest.mark.parametrize(
    "name",
    ["User-Agent", "content-type", "Content-Length", "Host", "Connection", "TE", "Trailer", "Transfer-Encoding"]
    + ["Upgrade", "Expect", "Cookie", "Keep-Alive", "Proxy-Authorization", "Webhook-Id", "Dotfile-Signature"]
    + ["X-Amz-Date", "svix-id"],
)  # fmt: skip
def test_headers_of_ours_or_of_the_connection_are_refused(name: str) -> None:
    assert "choose another name" in complaint(validation.headers, {name: "x"})


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"": "x"}, "no name for a header"),
        ({"X Key": "x"}, "no name for a header"),
        ({"X-Key:": "x"}, "no name for a header"),
        ({"X-Kéy": "x"}, "no name for a header"),
        ({"X-Key": "a\r\nX-Other: b"}, "one line"),
        ({"X-Key": "a\x00"}, "one line"),
        ({"X-Key": "€"}, "Latin-1"),
        ({"X-Key": 5}, "as text"),
        ({"X-Key": "a", "x-key": "b"}, "twice"),
        ({"X-Key": HIDDEN}, "none is stored"),
        ({"X-Key": "x" * 8192}, "8 KiB"),
    ],
)
def test_a_header_that_cannot_be_sent_is_refused_with_what_to_do(headers: dict[str, Any], words: str) -> None:
    assert words in complaint(validation.headers, headers)


def test_a_hidden_value_stands_for_the_stored_one() -> None:
    stored = {"X-Api-Key": "secret", "X-Old": "gone"}
    assert validation.headers({"x-api-key": HIDDEN, "X-New": "n"}, stored) == {"x-api-key": "secret", "X-New": "n"}


def test_many_headers_are_not_compared_each_with_each() -> None:
    lowered = 0

    class Name(str):
        __slots__ = ()

        def lower(self) -> str:
            nonlocal lowered
            lowered += 1
            return super().lower()

    names = [Name(f"X-{number}") for number in range(100)]
    assert len(validation.headers(dict.fromkeys(names, ""))) == len(names)
    assert lowered < 10 * len(names)

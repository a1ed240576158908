"""The inspector of `make run`: shows what arrives, to whoever knows its address, and runs none of it."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from standardwebhooks import Webhook

from dotfile_hooks.dev.inspector import Inbox, Inspector

SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
OTHER = SECRET.replace("MDEy", "MDEz")
TOKEN = "a-token-nobody-guesses"


@pytest.fixture
def address() -> Iterator[str]:
    """An inspector that knows no secret yet."""
    with Inspector(0, TOKEN, Inbox()) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def send(
    address: str, body: bytes = b'{"event": "Case.Created", "context": {"retry_count": 1}}', rest: str = ""
) -> int:
    """One POST, signed with the secret; the status it was answered with."""
    now = int(time.time())
    signature = Webhook(SECRET).sign("id-1", datetime.fromtimestamp(now, UTC), body.decode())
    headers = {"webhook-id": "id-1", "webhook-timestamp": str(now), "webhook-signature": signature}
    return requests.post(f"{address}/in/{TOKEN}{rest}", data=body, headers=headers, timeout=60).status_code


def tell(address: str, secret: str, name: str = "") -> None:
    requests.post(f"{address}/{TOKEN}/secrets?name={name}", data=secret, timeout=60).raise_for_status()


def shown(address: str, after: int = 0) -> list[dict[str, Any]]:
    posts: list[dict[str, Any]] = requests.get(f"{address}/{TOKEN}/posts?after={after}", timeout=60).json()
    return posts


def test_what_arrives_is_shown_with_its_attempt(address: str) -> None:
    assert send(address) == 200
    assert [(post["event"], post["retry_count"], post["answered"]) for post in shown(address)] == [
        ("Case.Created", 1, 200)
    ]


def test_only_what_is_new_is_sent_to_the_page(address: str) -> None:
    send(address)
    last = shown(address)[-1]["number"]
    assert shown(address, last) == []
    send(address)
    assert [post["number"] for post in shown(address, last)] == [last + 1]


def test_without_a_secret_it_does_not_pretend_to_know(address: str) -> None:
    send(address)
    assert shown(address)[0]["standard"] is None


@pytest.mark.parametrize(("secret", "holds"), [(SECRET, True), (OTHER, False), ("words", False)])
def test_a_pasted_secret_judges_what_came_before(address: str, secret: str, holds: bool) -> None:
    send(address)
    tell(address, secret)
    assert shown(address)[0]["standard"] is holds


def test_the_secret_of_another_subscription_says_nothing_about_this_one(address: str) -> None:
    tell(address, OTHER, "other")
    send(address, rest="/mine")
    assert [(post["name"], post["standard"], post["plain"]) for post in shown(address)] == [("mine", None, None)]


def test_a_secret_that_fits_counts_wherever_it_was_given(address: str) -> None:
    tell(address, SECRET, "other")
    send(address, rest="/mine")
    assert shown(address)[0]["standard"] is True


def test_with_a_secret_of_its_own_a_subscription_is_judged_by_that_alone(address: str) -> None:
    tell(address, SECRET, "other")
    tell(address, OTHER, "mine")
    send(address, rest="/mine")
    assert shown(address)[0]["standard"] is False


def test_a_page_left_open_over_a_restart_sees_what_comes_next() -> None:
    before = Inbox()
    before.receive("", {}, b"{}", 200)
    last = before.after(0)[-1]["number"]
    after = Inbox()
    after.receive("", {}, b"{}", 200)
    assert len(after.after(last)) == 1


def test_it_can_be_asked_to_refuse(address: str) -> None:
    assert send(address, rest="?answer=503") == 503
    assert shown(address)[0]["answered"] == 503


def test_a_body_that_is_no_json_is_shown_as_it_is(address: str) -> None:
    send(address, b"<script>alert(1)</script>")
    assert (shown(address)[0]["event"], shown(address)[0]["body"]) == ("", "<script>alert(1)</script>")


@pytest.mark.parametrize("path", ["/", "/posts", "/wrong/", "/wrong/posts", f"/{TOKEN}x/"])
def test_without_the_token_there_is_nothing(address: str, path: str) -> None:
    assert requests.get(address + path, timeout=60).status_code == 404


def test_a_page_of_another_name_cannot_reach_it(address: str) -> None:
    # DNS rebinding: a foreign name that resolves to 127.0.0.1 comes with that name as Host.
    answer = requests.get(f"{address}/{TOKEN}/", headers={"Host": "evil.example"}, timeout=60)
    assert answer.status_code == 404


def test_the_page_needs_no_other_host_and_lets_nothing_foreign_run(address: str) -> None:
    answer = requests.get(f"{address}/{TOKEN}/", timeout=60)
    policy = answer.headers["Content-Security-Policy"]
    nonce = re.search("'nonce-([^']+)'", policy)
    assert policy.startswith("default-src 'none'; script-src 'nonce-")
    assert nonce is not None
    assert f'<script nonce="{nonce.group(1)}">' in answer.text
    assert not re.search(r"https?://|innerHTML|{{", answer.text)

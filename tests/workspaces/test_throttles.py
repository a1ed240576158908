"""How often a key may call, with a real Redis."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis
import requests
from django.conf import settings as project
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer
from rest_framework.test import APIClient

from dotfile_hooks.dev import processes, valkey
from tests import factories
from tests.chaos.proxy import Proxy
from tests.deliveries.waiting import wait_until
from workspaces import accelerator
from workspaces.api import throttles
from workspaces.api.throttles import Buckets, Rate, State
from workspaces.models import ApiKey

pytestmark = pytest.mark.django_db

SLOW = Rate(per_minute=1, burst=3)  # a token in a minute: none comes back while a test runs
SECOND = 1_000_000


@pytest.fixture
def buckets() -> Buckets:
    return Buckets(redis.Redis.from_url(project.REDIS_URL))


@pytest.fixture
def name() -> str:
    return f"test:{secrets.token_hex(8)}"


@pytest.fixture
def text(settings: Settings) -> str:
    """A key that may read three times and write twice."""
    settings.READS_PER_MINUTE, settings.READS_BURST = 1, 3
    settings.WRITES_PER_MINUTE, settings.WRITES_BURST = 1, 2
    return ApiKey.objects.issue(factories.workspace(), "server")[1]


def client(text: str, **more: Any) -> APIClient:
    made = APIClient(**more)
    made.credentials(HTTP_X_DOTFILE_API_KEY=text)
    return made


def let_time_pass(buckets: Buckets, name: str, seconds: float) -> None:
    """As if the bucket had been used so much earlier."""
    key = f"dotfile-hooks:throttle:{name}"
    full: Any = buckets.client.get(key)
    buckets.client.set(key, int(full) - round(seconds * SECOND), keepttl=True)


def test_a_bucket_gives_its_burst_and_then_nothing(buckets: Buckets, name: str) -> None:
    taken = [buckets.take(name, SLOW) for _ in range(4)]
    assert [state and (state.allowed, state.remaining) for state in taken] == [
        *[(True, 2), (True, 1), (True, 0)],
        (False, 0),
    ]


def test_a_token_comes_back_at_the_rate(buckets: Buckets, name: str) -> None:
    for _ in range(3):
        buckets.take(name, SLOW)
    let_time_pass(buckets, name, 60)
    assert [state and state.allowed for state in (buckets.take(name, SLOW), buckets.take(name, SLOW))] == [True, False]


def test_a_bucket_is_never_fuller_than_full(buckets: Buckets, name: str) -> None:
    buckets.take(name, SLOW)
    let_time_pass(buckets, name, 3600)
    state = buckets.take(name, SLOW)
    assert state is not None
    assert state.remaining == 2


def test_a_clock_that_was_put_back_costs_one_bucket_at_most(buckets: Buckets, name: str) -> None:
    buckets.take(name, SLOW)
    let_time_pass(buckets, name, -3600)
    state = buckets.take(name, SLOW)
    assert state is not None
    assert (state.allowed, state.wait) == (False, 60)


def test_many_at_once_get_no_more_than_the_burst(buckets: Buckets, name: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: buckets.take(name, Rate(1, 50)), range(200)))
    assert sum(state.allowed for state in taken if state) == 50


def test_redis_forgets_a_bucket_that_is_full_again(buckets: Buckets, name: str) -> None:
    buckets.take(name, SLOW)
    lives: Any = buckets.client.pttl(f"dotfile-hooks:throttle:{name}")
    assert 0 < lives <= 60_000


@pytest.mark.parametrize(
    ("missing", "remaining", "wait"),
    [(0, 3, 1), (60 * SECOND, 2, 1), (120 * SECOND + 1, 0, 1), (150 * SECOND, 0, 30), (180 * SECOND, 0, 60)],
)
def test_what_a_bucket_has_left(missing: int, remaining: int, wait: int) -> None:
    state = State(SLOW, True, missing)
    assert (state.remaining, state.wait) == (remaining, wait)


def test_a_key_that_calls_too_often_is_429_and_told_when_to_come_back(text: str) -> None:
    answers = [client(text).get("/v1/ping") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    last = answers[-1]
    assert 1 <= (seconds := int(last["Retry-After"])) <= 60
    assert last.json()["code"] == "TOO_MANY_REQUESTS"
    assert last.json()["message"] == f"This API key was used too often. Send the next request in {seconds} seconds."


def test_every_answer_to_a_key_says_what_is_left(text: str) -> None:
    addresses = ["ping", "cases/6c2bd43e-3f4c-4bb4-8d0b-8d3f1f2d4a10", "cases?limit=0"]
    answers = [client(text).get(f"/v1/{address}") for address in addresses]
    assert [answer.status_code for answer in answers] == [200, 404, 400]
    assert [answer["RateLimit-Remaining"] for answer in answers] == ["2", "1", "0"]
    resets = [int(answer["RateLimit-Reset"]) for answer in answers]
    assert all(full - 50 < seconds <= full for full, seconds in zip((60, 120, 180), resets, strict=True))
    assert {(answer["RateLimit-Limit"], answer["RateLimit-Policy"]) for answer in answers} == {("3", "1;w=60;burst=3")}


def test_reads_and_writes_are_counted_apart(text: str) -> None:
    assert [client(text).post("/v1/cases", {"name": "a"}).status_code for _ in range(3)] == [201, 201, 429]
    assert client(text).get("/v1/ping")["RateLimit-Remaining"] == "2"


def test_a_request_without_the_scope_is_counted_too(text: str) -> None:
    ApiKey.objects.update(scopes=["read"])
    assert [client(text).delete("/v1/cases/x").status_code for _ in range(3)] == [403, 403, 429]


def test_another_key_of_the_workspace_has_a_bucket_of_its_own(text: str) -> None:
    for _ in range(4):
        refused = client(text).get("/v1/ping")
    other = ApiKey.objects.issue(ApiKey.objects.get().workspace, "other")[1]
    assert (refused.status_code, client(other).get("/v1/ping").status_code) == (429, 200)


def test_without_a_limit_nothing_is_counted(text: str, settings: Settings) -> None:
    settings.READS_PER_MINUTE = 0
    answers = [client(text).get("/v1/ping") for _ in range(4)]
    assert {answer.status_code for answer in answers} == {200}
    assert not [name for name in answers[0].headers if name.startswith("RateLimit")]


def test_the_admin_has_no_such_headers(admin_client: Any) -> None:
    assert "RateLimit-Limit" not in admin_client.get("/admin/").headers


def test_a_server_sends_these_headers(live_server: LiveServer, text: str) -> None:
    for _ in range(4):
        answer = requests.get(f"{live_server.url}/v1/ping", headers={"X-DOTFILE-API-KEY": text}, timeout=20)
    assert (answer.status_code, answer.headers["Retry-After"].isdigit()) == (429, True)
    assert (answer.headers["RateLimit-Limit"], answer.headers["RateLimit-Remaining"]) == ("3", "0")


@pytest.fixture
def address(settings: Settings) -> str:
    """One that nobody else has, with two bad keys to try."""
    settings.BAD_KEYS_PER_MINUTE, settings.BAD_KEYS_BURST = 1, 2
    return f"2001:db8:{secrets.randbelow(2**16):x}:{secrets.randbelow(2**16):x}::1"


@pytest.mark.parametrize("bad", ["dotkey.secret.0123456789ab", "nonsense"])
def test_a_flood_of_bad_keys_from_an_address_is_429(address: str, bad: str) -> None:
    answers = [client(bad, REMOTE_ADDR=address).get("/v1/ping") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [401, 401, 429]
    assert 1 <= int(answers[-1]["Retry-After"]) <= 60
    assert "not valid came from your address" in answers[-1].json()["message"]


def test_a_good_key_does_not_suffer_from_a_flood_of_its_neighbours(address: str, text: str) -> None:
    for neighbour in range(1, 4):
        flooded = client("bad", REMOTE_ADDR=f"{address[:-1]}{neighbour}").get("/v1/ping")
    assert flooded.status_code == 429
    assert client(text, REMOTE_ADDR=address).get("/v1/ping").status_code == 200


def test_a_good_key_from_a_wrong_address_counts_as_a_bad_one_and_costs_its_owner_nothing(
    address: str, text: str
) -> None:
    ApiKey.objects.update(allowed_networks=["203.0.113.9/32"])
    answers = [client(text, REMOTE_ADDR=address).get("/v1/ping").status_code for _ in range(3)]
    assert answers == [403, 403, 429]
    assert client(text, REMOTE_ADDR="203.0.113.9").get("/v1/ping")["RateLimit-Remaining"] == "2"


@pytest.fixture
def proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[Proxy]:
    """Between the throttles and a Redis of their own."""
    with Proxy() as proxy, valkey.running(tmp_path, careless=True) as url:
        proxy.target = urlsplit(url).port or 0
        settings.REDIS_URL = url.replace(f":{proxy.target}/", f":{proxy.port}/")
        throttles.buckets.cache_clear()
        yield proxy
    throttles.buckets.cache_clear()


def test_without_redis_nothing_is_throttled(proxy: Proxy, text: str) -> None:
    assert client(text).get("/v1/ping")["RateLimit-Remaining"] == "2"
    proxy.target = processes.free_port()
    proxy.cut()
    answers = [client(text).get("/v1/ping") for _ in range(5)]
    assert {answer.status_code for answer in answers} == {200}
    assert "RateLimit-Remaining" not in answers[0].headers


def is_counted(text: str) -> bool:
    """Whether Redis, asked again, answers in time."""
    throttles.buckets().broken_until = 0.0
    return "RateLimit-Remaining" in client(text).get("/v1/ping").headers


def test_a_silent_redis_is_asked_once_in_a_while(
    proxy: Proxy, text: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.WAKE_TIMEOUT = 0.25
    monkeypatch.setattr(accelerator, "BREAK", 3600.0)  # longer than five requests may take
    wait_until(lambda: is_counted(text))
    proxy.swallow()
    asked: list[str] = []
    ask = Buckets._ask

    def counted(self: Buckets, name: str, rate: Rate) -> Any:
        asked.append(name)
        return ask(self, name, rate)

    monkeypatch.setattr(Buckets, "_ask", counted)
    answers = [client(text).get("/v1/ping") for _ in range(5)]
    assert ({answer.status_code for answer in answers}, len(asked)) == ({200}, 1)
    proxy.release()
    wait_until(lambda: is_counted(text))


def test_the_log_of_an_outage_names_no_key(
    proxy: Proxy, text: str, caplog: pytest.LogCaptureFixture, settings: Settings
) -> None:
    proxy.target = processes.free_port()
    proxy.cut()
    client(text).get("/v1/ping")
    assert caplog.messages == ["Redis is away, nothing is throttled for 5 s: ConnectionError"]

"""Hostile answers, all the way: through the courier into the history, the log, the API and the admin."""

from __future__ import annotations

import logging
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from deliveries import services
from deliveries.engine import outbound, settle, transport
from deliveries.engine import window as window_module
from deliveries.models import Attempt, Delivery, Payload, Subscription
from tests import factories
from workspaces.models import Workspace

from .admin.conftest import page, read, signed_in
from .conftest import Deliver, Subscribe
from .engine.authority import Authority
from .engine.hostile import ANSWERS, CHUNKED, EVIL, FAILURES, HTTP2, UPLOADS
from .engine.receivers import LONG, Receiver, Script, hangs, keeps_alive, says
from .made import outcome_of

CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
WORD = "EVIL"
TIMEOUT = 6.0
"""Seconds, for what never ends by itself: time enough to begin, and less than the receivers' patience."""
PATIENT = 30.0
"""For what must end before its deadline, and not race with it."""

Start = Callable[[Script, ssl.SSLContext | None], Receiver]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(Path(tmp_path_factory.mktemp("authority")))


@pytest.fixture
def start() -> Iterator[Start]:
    with ExitStack() as stack:
        yield lambda script, tls: stack.enter_context(closing(Receiver(script, tls)))


@pytest.fixture(autouse=True)
def quick(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DELIVERY_CONNECT_TIMEOUT = PATIENT
    monkeypatch.setattr(window_module, "STALL_SECONDS", 60.0)  # a busy machine is no stall


@pytest.fixture
def window(authority: Authority, start: Start) -> Iterator[transport.Window[Any]]:
    """Knows the tests' authority, so that a certificate can be bad in other ways. Closed before the receivers are."""
    made: transport.Window[Any] = transport.Window(outbound.policy(), size=256, verify=authority.bundle)
    yield made
    made.close()


def secure(authority: Authority) -> dict[str, tuple[Script, ssl.SSLContext | None, set[str]]]:
    """What fails before anything is said."""
    asks = authority.context()
    asks.verify_mode = ssl.CERT_REQUIRED
    plain = says(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    return {
        "an expired certificate": (plain, authority.context(days=-1), {"tls_failed"}),
        "a certificate of its own": (plain, authority.context(self_signed=True), {"tls_failed"}),
        "a certificate for another name": (plain, authority.context(f"{WORD}.test"), {"tls_failed"}),
        "a demand for a certificate": (plain, asks, {"tls_failed", "connection_failed"}),
    }


Expected = dict[str, set[str | int]]


@pytest.fixture
def expected(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, start: Start, authority: Authority
) -> Expected:
    """Sends an event to one of each kind of receiver; what each attempt is to be called, by its subscription's name."""
    http2 = authority.context()
    http2.set_alpn_protocols(["h2"])
    known: Expected = {}

    def add(name: str, script: Script, tls: ssl.SSLContext | None, *outcomes: str | int, scheme: str = "http") -> None:
        hook = start(script, tls)
        url = hook.url if tls else hook.url.replace("http", scheme, 1)
        timeout = TIMEOUT if {"timeout", "connect_timeout"} & {*outcomes} else PATIENT
        subscribe("Case.Created", name=name, url=f"{url}?token=hush", timeout=timeout, max_retries=0)
        known[name] = set(outcomes)

    for name, (script, code) in FAILURES.items():
        add(name, script, None, code)
    for name, (script, status, _) in ANSWERS.items():
        add(name, script, None, status)
    for name, (script, codes) in HTTP2.items():
        add(f"{name} over HTTP/2", script, http2, *codes)
    for name, (script, context, codes) in secure(authority).items():
        add(name, script, context, *codes)
    add("a handshake that hangs", hangs, None, "connect_timeout", scheme="https")
    factories.case(workspace)
    deliver()
    return known


def attempts() -> dict[str, Attempt]:
    names = dict(Subscription.objects.values_list("pk", "name"))
    return {names[row.subscription_id]: row for row in Attempt.objects.all()}


def test_every_answer_has_its_name_and_ends_in_time(expected: Expected) -> None:
    made = attempts()
    found = {name: row.error or row.status_code for name, row in made.items()}
    assert found.keys() == expected.keys()
    assert {name: outcome for name, outcome in found.items() if outcome not in expected[name]} == {}
    late = {name for name, row in made.items() if row.duration_ms >= LONG * 1000}
    assert late == set()
    assert not Delivery.objects.filter(state=Delivery.State.PENDING).exists()


def test_nothing_that_a_receiver_says_is_in_the_log(
    request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("deliveries", "django", "urllib3"):
        caplog.set_level(logging.DEBUG, name)
    expected: Expected = request.getfixturevalue("expected")
    assert len(attempts()) == len(expected)
    lines = [caplog.handler.format(record) for record in caplog.records]
    output, errors = capfd.readouterr()
    for line in [*lines, output, errors]:
        assert not CONTROL.search(line)
        assert WORD not in line
        assert "hush" not in line  # credentials in a URL


@pytest.mark.django_db(transaction=True)
def test_an_answer_that_the_database_refuses_is_not_in_the_log_either(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, caplog: pytest.LogCaptureFixture
) -> None:
    row = subscribe("Case.Created", status="offline")
    factories.case(workspace)
    deliver()
    outcome = outcome_of(Delivery.objects.get(), row.pk, response_headers={f"X-{WORD}": "\0\x1b[31m"})
    settle.settle([outcome], "test")
    (line,) = [caplog.handler.format(record) for record in caplog.records]
    assert str(outcome.delivery_id) in line
    assert WORD not in line
    assert "\n" not in line
    assert Attempt.objects.get().response_headers is None


@pytest.mark.usefixtures("expected")
def test_what_is_kept_and_shown_holds_neither_controls_nor_markup(workspace: Workspace) -> None:
    admin, client = signed_in(is_superuser=True), factories.api_client(workspace)
    made = attempts()
    for name, row in made.items():
        kept = f"{row.response_headers}{row.response_body}{row.error}"
        assert not CONTROL.search(kept), name
        assert len(row.response_body) <= 4096, name
        text = read(admin.get(page("delivery", pk=row.delivery_id)))
        assert not CONTROL.search(text), name
        assert "<script>alert" not in text, name
    assert "␛[31m" in made["markup and escapes"].response_body
    assert "&lt;script&gt;alert(1)" in read(admin.get(page("delivery", pk=made["markup and escapes"].delivery_id)))
    for number in range(1, 2 + len(made) // 50):
        answer = client.get(f"/v1/webhook-logs?limit=50&page={number}")
        assert not CONTROL.search(answer.content.decode())


TRIALS = {name: case[0] for name, case in ANSWERS.items()} | {
    "a chunk size that is no number": says(CHUNKED + EVIL),
    "garbage": FAILURES["garbage"][0],
    "a body shorter than it says": FAILURES["a body shorter than it says"][0],
}


def test_a_test_event_shows_neither_controls_nor_markup(subscribe: Subscribe, start: Start) -> None:
    admin = signed_in(is_superuser=True)
    for name, script in TRIALS.items():
        row = subscribe("Case.Created", url=start(script, None).url, timeout=1)
        text = read(admin.post(page("webhook", "test", row.pk)))
        assert not CONTROL.search(text), name
        assert "<script>alert" not in text, name


@pytest.mark.parametrize("name", UPLOADS)
def test_a_large_event_that_is_not_read_fails_at_the_deadline(
    name: str, workspace: Workspace, subscribe: Subscribe, deliver: Deliver, start: Start
) -> None:
    row = subscribe("Case.Created", url=start(UPLOADS[name], None).url, timeout=TIMEOUT, status="offline")
    factories.case(workspace)
    deliver()
    Payload.objects.update(entity='"case":"' + "x" * 16_000_000 + '"')  # more than the buffers of both sides
    row.status, row.max_retries = "online", 0
    row.save()
    services.retry_deliveries(Delivery.objects.values_list("pk", flat=True))
    deliver()
    attempt = Attempt.objects.get()
    assert (attempt.error, attempt.status_code) == ("timeout", None)
    assert attempt.duration_ms < LONG * 1000


@pytest.mark.parametrize("location", ["self", "elsewhere", "http://127.0.0.2/", "//127.0.0.2/", "file:///etc/passwd"])
@pytest.mark.parametrize("status", [301, 302, 303, 305, 307, 308])
def test_a_redirect_is_a_failure_and_leads_nowhere(
    status: int, location: str, workspace: Workspace, subscribe: Subscribe, deliver: Deliver, start: Start
) -> None:
    elsewhere = start(hangs, None)
    places: dict[str, str] = {}

    def script(connection: socket.socket) -> None:
        place = places.get(location, location)
        says(f"HTTP/1.1 {status} Moved\r\nLocation: {place}\r\nRefresh: 0; url={place}\r\n\r\n".encode())(connection)

    hook = start(script, None)
    places |= {"self": hook.url, "elsewhere": elsewhere.url}
    subscribe("Case.Created", url=hook.url, timeout=PATIENT, max_retries=0)
    factories.case(workspace)
    deliver()
    assert (Delivery.objects.get().state, Attempt.objects.get().status_code) == (Delivery.State.FAILED, status)
    assert (hook.connections, elsewhere.connections) == (1, 0)


def test_what_an_answer_asks_for_is_not_done_the_next_time(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, start: Start
) -> None:
    """Cookies, other servers, logging in, https from now on: a browser would."""
    heard: list[bytes] = []

    def script(connection: socket.socket) -> None:
        asks = b'Set-Cookie: a=b\r\nAlt-Svc: h2="127.0.0.2:1"\r\nStrict-Transport-Security: max-age=9\r\n'
        asks += b"WWW-Authenticate: Basic realm=x\r\nConnection: keep-alive, X-A\r\n"
        keeps_alive(b"HTTP/1.1 401 No\r\n" + asks + b"Content-Length: 0\r\n\r\n", heard)(connection)

    subscribe("Case.Created", url=start(script, None).url, timeout=PATIENT, max_retries=0)
    for _ in range(2):
        factories.case(workspace)
        deliver()
    assert len(heard) == 2
    assert not re.search(rb"(?i)cookie|authorization|upgrade|alt-used", heard[1])
    assert "Set-Cookie" not in (Attempt.objects.all()[0].response_headers or {})

"""URLs chosen to reach what is ours: nothing is dialled, and nothing of it is told."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer
from rest_framework.test import APIClient

from cases.models import Case
from deliveries import tasks
from deliveries.engine import lookout, transport
from deliveries.engine import window as window_module
from deliveries.engine.courier import Courier
from deliveries.engine.egress import Policy
from deliveries.models import Attempt, Delivery, Event, Subscription
from tests import factories
from workspaces.models import ApiKey, Workspace

from .admin.conftest import page, read, signed_in
from .conftest import Deliver, Subscribe
from .engine.name_server import ALIAS, NameServer
from .engine.receivers import Receiver, says
from .receiver import Receiver as Listener

PUBLIC_ONLY = Policy.parse(["*"], True, [], "")
SOME_LOOPBACK = Policy.parse(["*"], True, ["127.0.0.1/32", "127.0.0.9/32"], "")
Courier_ = Callable[[Policy, str], Deliver]


@pytest.fixture
def courier(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Courier_]:
    """A courier under a policy of its own, which asks one name server."""
    monkeypatch.setattr(lookout, "LINGER", 0.0)
    monkeypatch.setattr(window_module, "STALL_SECONDS", 60.0)  # a busy machine is no stall
    with ExitStack() as stack:

        def start(policy: Policy, dns: str) -> Deliver:
            made: transport.Window[Any] = transport.Window(policy, size=64, dns_servers=[dns], dns_timeout=5.0)
            window = stack.enter_context(closing(made))
            return lambda: Courier("test", window, tasks.DOMAIN).run()

        yield start


def zone(name: str, family: int) -> list[str] | int | None:
    """Names of the Internet, some of which lead inside."""
    v4 = {
        "inside.example.test": ["127.0.0.1"],
        "alias.example.test": [f"{ALIAS}inside.example.test", "127.0.0.1"],
        "refused.example.test": ["127.0.0.1"],
        "silent.example.test": ["127.0.0.9"],
        "private.example.test": ["10.1.2.3"],
        "127.0.0.1.nip.example.test": ["127.0.0.1"],
    }
    v6 = {"mapped.example.test": ["::ffff:127.0.0.1"]}
    found = (v4 if family == socket.AF_INET else v6).get(name)
    return found or ([] if name in v4 | v6 else 3)


@pytest.fixture
def dns() -> Iterator[str]:
    with closing(NameServer(zone)) as server:
        yield server.address


LOOPBACK = [
    *["127.0.0.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "127.0.1", "0", "0.0.0.0"],
    *["127.0.0.1.", "0127.0.0.1", "127.0.0.257", "127.000.000.001", "[::1]", "[::]", "[::ffff:127.0.0.1]"],
    *["[::ffff:7f00:1]", "[::127.0.0.1]", "[::ffff:0:127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b:1::7f00:1]"],
    *["[2002:7f00:1::]", "[::1%25lo]", "localhost", "localhost.", "foo.localhost", "LOCALHOST", "%6cocalhost"],
    *["127。0。0。1", "１２７.0.0.1", "ⓛocalhost", "127.0.0.1%00.example.test", "user@127.0.0.1", "a.test\\@127.0.0.1"],
    *["127.0.0.1#.example.test", "127.0.0.1\t", "inside.example.test", "alias.example.test"],
    *["mapped.example.test", "127.0.0.1.nip.example.test"],
]


def test_no_form_of_loopback_is_called(
    workspace: Workspace, subscribe: Subscribe, courier: Courier_, dns: str, receiver: Listener
) -> None:
    """Stored as if no form had ever checked them."""
    for host in LOOPBACK:
        subscribe("Case.Created", name=host, url=f"http://{host}:{receiver.port}/", max_retries=0)
    factories.case(workspace)
    courier(PUBLIC_ONLY, dns)()
    names = dict(Subscription.objects.values_list("pk", "name"))
    outcomes = {names[row.subscription_id]: row.error for row in Attempt.objects.all()}
    assert outcomes.keys() == set(LOOPBACK)
    assert set(outcomes.values()) == {"refused_address", "invalid_url"}
    assert receiver.posts == []


@pytest.fixture
def unanswered() -> Iterator[int]:
    """A port of 127.0.0.9 that swallows what would connect to it, as a firewall does: its queue is full."""
    with socket.create_server(("127.0.0.9", 0), backlog=0) as full, ExitStack() as stack:
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        yield full.getsockname()[1]


@pytest.fixture
def unreachable(subscribe: Subscribe, settings: Settings, unanswered: int) -> dict[str, str]:
    """One subscription for each way in which there is no connection; the class that staff see, by its name."""
    settings.DELIVERY_CONNECT_TIMEOUT = 0.3
    with socket.create_server(("127.0.0.1", 0)) as unused:
        closed = unused.getsockname()[1]
    ways = {
        "refused by the host": (f"http://refused.example.test:{closed}/", "connection_failed"),
        "filtered": (f"http://silent.example.test:{unanswered}/", "connection_failed"),
        "refused by us": ("http://10.1.2.3/", "refused_address"),
        "a name that leads inside": ("http://private.example.test/", "refused_address"),
        "a name that does not exist": ("http://missing.example.test/", "dns_failed"),
        "an inner name": ("http://db.internal/", "refused_address"),
    }
    for name, (url, _) in ways.items():
        subscribe("Case.Created", name=name, url=url, timeout=15.0, max_retries=1)
    return {name: code for name, (_, code) in ways.items()}


def test_a_workspace_cannot_tell_why_there_was_no_connection(
    workspace: Workspace, unreachable: dict[str, str], courier: Courier_, dns: str
) -> None:
    factories.case(workspace)
    courier(SOME_LOOPBACK, dns)()
    logs = factories.api_client(workspace).get("/v1/webhook-logs").json()["data"]
    told = [(log["status_code"], log["retry_count"], _without_what_we_sent(log["attempts"][0])) for log in logs]
    assert len(told) == len(unreachable)
    assert all(one == told[0] for one in told)
    assert told[0][2]["error"] == "connection_failed"
    assert told[0][2]["duration_ms"] is None


def _without_what_we_sent(attempt: dict[str, Any]) -> dict[str, Any]:
    return {name: attempt[name] for name in attempt.keys() - {"endpoint", "request_headers", "attempted_at"}}


def test_staff_see_why_there_was_no_connection(
    workspace: Workspace, unreachable: dict[str, str], courier: Courier_, dns: str
) -> None:
    factories.case(workspace)
    courier(SOME_LOOPBACK, dns)()
    admin: Client = signed_in("view_delivery")
    for row in Delivery.objects.all():
        assert f">{unreachable[row.subscription.name]}</span>" in read(admin.get(page("delivery", pk=row.pk)))


def test_a_receiver_that_was_reached_is_told_from_one_that_was_not(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver
) -> None:
    with closing(Receiver(says(b"hello\n"))) as hook:
        subscribe("Case.Created", url=hook.url, max_retries=0)
        factories.case(workspace)
        deliver()
    (log,) = factories.api_client(workspace).get("/v1/webhook-logs").json()["data"]
    assert log["attempts"][0]["error"] == "malformed_answer"
    assert log["attempts"][0]["duration_ms"] is not None


@pytest.mark.django_db(transaction=True)
def test_a_webhook_that_leads_to_our_own_api_does_not_go_round(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, live_server: LiveServer
) -> None:
    _, key = ApiKey.objects.issue(workspace, "loop")
    headers = {"X-DOTFILE-API-KEY": key}
    for path in ("cases", "webhooks", "ping"):
        subscribe("Case.Created", url=f"{live_server.url}/v1/{path}", headers=headers, max_retries=0)
    factories.case(workspace)
    deliver()
    assert [row.status_code for row in Attempt.objects.all()] == [403] * 3
    assert "takes no webhooks" in Attempt.objects.all()[0].response_body
    assert (Case.objects.count(), Event.objects.count()) == (1, 1)
    assert APIClient().get(f"{live_server.url}/v1/ping", headers=headers).status_code == 200

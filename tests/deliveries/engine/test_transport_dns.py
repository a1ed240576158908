"""Names: every address is judged, when it is found and when it is dialled."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

import pytest
import requests
from requests.exceptions import ReadTimeout  # noqa: A004  theirs

from deliveries.engine import resolver
from deliveries.engine.egress import Policy
from deliveries.engine.faults import DnsFailed
from deliveries.engine.transport import (
    EgressRefused,
    Limits,
    OwnFault,
    Window,
    classify,
)

from .conftest import LIMITS, LOOPBACK, Post, prepared, through_window
from .name_server import ALIAS, NameServer, family_zone
from .receivers import LONG, Receiver, hangs, keeps_alive, says

LOOPBACK_BY_NAME = Policy.parse(["*"], True, ["127.0.0.0/8"], "")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Receivers = Callable[..., Receiver]
Windows = Callable[..., Window[int]]
NameServers = Callable[..., NameServer]


def test_a_name_is_resolved_by_the_given_servers(post: Post, receiver: Receivers, name_server: NameServers) -> None:
    seen: list[bytes] = []
    hook = receiver(keeps_alive(OK, seen))
    policy = Policy.parse(["*"], True, ["127.0.0.0/8"], "")
    url = f"http://hooks.example.test:{hook.port}/"
    assert post(url, dns=name_server(family_zone(["127.0.0.1"])), policy=policy).status_code == 200
    assert f"Host: hooks.example.test:{hook.port}".encode() in seen[0]


def test_the_detour_around_one_host_s_dead_connections_is_not_another_s(
    window: Windows, receiver: Receivers, name_server: NameServers
) -> None:
    """Both have the same port; requests for the one must never reach the other."""
    dead, seen = [True], {"one": list[bytes](), "other": list[bytes]()}

    def script(connection: socket.socket) -> None:
        if dead:
            hangs(connection)
        else:
            keeps_alive(OK, seen["one"])(connection)

    one = receiver(script)
    other = receiver(keeps_alive(OK, seen["other"]), host="127.0.0.2", port=one.port)
    addresses = {"one.test": ["127.0.0.1"], "other.test": ["127.0.0.2"]}
    names = name_server(lambda name, family: addresses[name] if family == socket.AF_INET else [])
    opened = window(size=1, policy=LOOPBACK_BY_NAME, dns=names)
    with pytest.raises(ReadTimeout):
        through_window(opened, prepared(f"http://one.test:{one.port}/"), Limits(3, 3))
    dead.clear()
    for host in ("one", "other", "one", "other"):
        assert through_window(opened, prepared(f"http://{host}.test:{other.port}/")).status_code == 200
    assert [f"Host: {host}.test" in head.decode() for host, heads in seen.items() for head in heads] == [True] * 4
    assert [len(heads) for heads in seen.values()] == [2, 2]


@pytest.mark.parametrize(
    ("v4", "v6"),
    [
        (["10.0.0.1"], []),
        (["127.0.0.1", "10.0.0.1"], []),
        (["127.0.0.1"], ["fd00::1"]),
        (["127.0.0.1"], ["::ffff:10.0.0.1"]),
        (["127.0.0.1"] * 3 + [f"10.0.0.{n}" for n in range(1, 20)], []),
        ([f"127.0.{n // 250}.{n % 250 + 1}" for n in range(299)] + ["10.0.0.1"], []),
        ([f"{ALIAS}inside.example.test", "10.0.0.1"], []),
        ([f"{ALIAS}inside.example.test", "127.0.0.1"], [f"{ALIAS}inside.example.test", "fe80::1"]),
    ],
)
def test_one_closed_address_closes_the_name(
    v4: list[str], v6: list[str], post: Post, receiver: Receivers, name_server: NameServers
) -> None:
    hook = receiver(says(OK))
    policy = Policy.parse(["*"], True, ["127.0.0.0/8"], "")
    with pytest.raises(EgressRefused):
        post(f"http://hooks.example.test:{hook.port}/", dns=name_server(family_zone(v4, v6)), policy=policy)
    assert hook.connections == 0


@pytest.mark.parametrize("found", [3, 2, 5, []], ids=["NXDOMAIN", "SERVFAIL", "REFUSED", "empty"])
def test_a_name_without_an_address_is_a_dns_failure(
    found: int | list[str], post: Post, name_server: NameServers
) -> None:
    with pytest.raises(DnsFailed) as caught:
        post("https://missing.example.test/", dns=name_server(lambda _name, _family: found))
    assert classify(caught.value) == "dns_failed"


def test_three_hundred_addresses_that_do_not_answer_end_at_the_deadline(post: Post, name_server: NameServers) -> None:
    addresses = [f"127.0.{n // 250}.{n % 250 + 1}" for n in range(300)]
    began = time.monotonic()
    with pytest.raises(requests.ConnectionError):
        post("http://many.example.test:9/", dns=name_server(family_zone(addresses)), policy=LOOPBACK_BY_NAME)
    assert time.monotonic() - began < 2 * LIMITS.timeout  # and not each at its own


def test_a_silent_name_server_is_our_own_fault(post: Post, name_server: NameServers) -> None:
    with pytest.raises(OwnFault) as caught:
        post("https://silent.example.test/", dns=name_server(lambda _name, _family: None), dns_timeout=0.6)
    assert classify(caught.value) == "own_fault"


def test_a_deadline_shorter_than_that_of_dns_is_kept(post: Post, name_server: NameServers) -> None:
    silent, limits, began = name_server(lambda _name, _family: None), Limits(0.2, 0.2), time.monotonic()
    with pytest.raises(DnsFailed):
        post("https://silent.example.test/", dns=silent, dns_timeout=LONG, limits=limits)
    assert time.monotonic() - began < LONG  # and a name server's silence, at its own deadline, would be our own fault


def test_an_address_that_is_closed_when_it_is_dialled_is_not_dialled(window: Windows, receiver: Receivers) -> None:
    """What DNS rebinding would need: allowed when checked, another when dialled."""
    judged: list[str] = []

    class Turncoat(Policy):
        def refusal(self, address: str, port: int) -> str | None:
            judged.append(address)
            return None if len(judged) == 1 else "closed"

    hook = receiver(says(OK))
    with pytest.raises(EgressRefused):
        through_window(window(policy=Turncoat(None, True, LOOPBACK.allowed_networks, None)), prepared(hook.url))
    assert judged == ["127.0.0.1", "127.0.0.1"]
    assert hook.connections == 0


def test_a_name_that_moves_inside_is_refused_although_a_connection_is_open(
    window: Windows, receiver: Receivers, name_server: NameServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolver, "SHORTEST_FRESH_SECONDS", 0.0)
    addresses = ["127.0.0.1"]
    dns = name_server(lambda _name, family: addresses if family == socket.AF_INET else [], ttl=0)
    hook = receiver(keeps_alive(OK, []))
    opened = window(policy=Policy.parse(["*"], True, ["127.0.0.0/8"], ""), dns=dns)
    request = prepared(f"http://moving.example.test:{hook.port}/")
    assert through_window(opened, request).status_code == 200
    addresses[:] = ["10.0.0.1"]
    with pytest.raises(EgressRefused):
        through_window(opened, request)

"""Names are resolved without threads and within their time, whatever other names do."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Callable, Iterator

import pytest

from deliveries.engine import resolver
from deliveries.engine.resolver import DNS_FAILED, OWN_FAULT, Answer, Resolver

from .name_server import ALIAS, NameServer

NXDOMAIN, SERVFAIL, REFUSED = 3, 2, 5
TIMEOUT = 1.2  # seconds that one name has
STEP = 0.05  # seconds waited for at a time


class Clock:
    """The resolver's: it goes on by what was waited for, and stands still while the machine is busy elsewhere."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Asked:
    """A resolver with its selector, turned by hand."""

    def __init__(self, server: str, clock: Clock) -> None:
        self.clock = clock
        self.selector = selectors.DefaultSelector()
        self.resolver = Resolver(self.selector, [server], TIMEOUT)
        self.answers: dict[str, Answer] = {}

    def ask(self, name: str) -> Answer | None:
        return self.resolver.lookup(name, lambda answer: self.answers.update({name: answer}))

    def turn_until(self, done: Callable[[], bool]) -> None:
        end = self.clock.now + 5 * TIMEOUT
        while not done():
            assert self.clock.now < end, "no end in sight"
            pause = min(self.resolver.wait(self.clock.now), STEP)
            ready = self.selector.select(pause)
            self.clock.now += 0.0001 if ready else max(pause, 0.0001)
            for key, events in ready:
                self.resolver.process(key.fd, events)
            self.resolver.tick(self.clock.now)

    def answer(self, name: str) -> Answer:
        known = self.ask(name)
        if known is not None:
            return known
        self.turn_until(lambda: name in self.answers)
        return self.answers.pop(name)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(resolver, "monotonic", clock)
    return clock


@pytest.fixture
def asked(clock: Clock) -> Iterator[Callable[[str], Asked]]:
    opened: list[Asked] = []

    def start(server: str) -> Asked:
        opened.append(Asked(server, clock))
        return opened[-1]

    yield start
    for one in opened:
        one.resolver.close()
        one.selector.close()


def zone(name: str, family: int) -> list[str] | int | None:
    """good.test has both families, big.test many addresses; the others fail as they are called."""
    kind = name.split(".")[0].rstrip("0123456789")
    if kind == "huge":
        return [f"127.1.{n // 250}.{n % 250 + 1}" for n in range(300)] if family == socket.AF_INET else []
    if kind == "alias":
        return [f"{ALIAS}inside.test", "127.0.0.9"] if family == socket.AF_INET else []
    if kind == "big":
        return [f"127.1.{n // 250}.{n % 250 + 1}" for n in range(25)] if family == socket.AF_INET else []
    if kind in ("good", ""):
        return ["127.0.0.1"] if family == socket.AF_INET else ["::1"] if family == socket.AF_INET6 else []
    failures: dict[str, list[str] | int | None] = {"silent": None, "empty": []}
    failures |= {"missing": NXDOMAIN, "broken": SERVFAIL, "refused": REFUSED}
    return failures[kind]


def test_a_name_gives_all_its_addresses(asked: Callable[[str], Asked], name_server: Callable[..., NameServer]) -> None:
    answer = asked(name_server(zone).address).answer("good.test")
    assert answer.error is None
    assert sorted(answer.addresses) == ["127.0.0.1", "::1"]


def test_many_addresses_are_all_given(asked: Callable[[str], Asked], name_server: Callable[..., NameServer]) -> None:
    assert len(asked(name_server(zone).address).answer("big.test").addresses) == 25


def test_more_addresses_than_a_packet_holds_are_all_given(
    asked: Callable[[str], Asked], name_server: Callable[..., NameServer]
) -> None:
    assert len(asked(name_server(zone).address).answer("huge.test").addresses) == 300


def test_an_alias_gives_the_addresses_that_it_leads_to(
    asked: Callable[[str], Asked], name_server: Callable[..., NameServer]
) -> None:
    assert asked(name_server(zone).address).answer("alias.test").addresses == ("127.0.0.9",)


@pytest.mark.parametrize("name", ["empty.test", "missing.test", "broken.test", "refused.test", "silent.test"])
def test_a_name_without_an_address_has_failed_by_itself(
    name: str, asked: Callable[[str], Asked], name_server: Callable[..., NameServer]
) -> None:
    answer = asked(name_server(zone).address).answer(name)
    assert (answer.addresses, answer.error) == ((), DNS_FAILED)


def test_a_name_server_that_answers_nothing_at_all_is_our_fault(
    asked: Callable[[str], Asked], name_server: Callable[..., NameServer]
) -> None:
    server = name_server(lambda _name, _family: None)
    assert asked(server.address).answer("good.test").error == OWN_FAULT


def test_a_name_server_that_is_not_there_is_our_fault(asked: Callable[[str], Asked]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    assert asked(f"127.0.0.1:{port}").answer("good.test").error == OWN_FAULT


def test_hundreds_of_silent_names_do_not_delay_another(
    asked: Callable[[str], Asked], name_server: Callable[..., NameServer]
) -> None:
    one = asked(name_server(zone).address)
    for number in range(300):
        one.ask(f"silent{number}.test")
    one.ask("good.test")
    one.turn_until(lambda: "good.test" in one.answers)
    assert set(one.answers) == {"good.test"}  # before the first of the silent ones was given up


def test_a_silent_name_ends_at_its_deadline(
    asked: Callable[[str], Asked], name_server: Callable[..., NameServer]
) -> None:
    one = asked(name_server(zone).address)
    began = one.clock.now
    for number in range(100):
        one.ask(f"silent{number}.test")
    one.turn_until(lambda: len(one.answers) == 100)
    assert TIMEOUT <= one.clock.now - began < TIMEOUT + 2 * STEP


def test_a_lost_question_is_asked_again(asked: Callable[[str], Asked], name_server: Callable[..., NameServer]) -> None:
    asked_before: set[tuple[str, int]] = set()

    def forgetful(name: str, family: int) -> list[str] | int | None:
        if (name, family) in asked_before:
            return zone(name, family)
        asked_before.add((name, family))
        return None

    assert asked(name_server(forgetful).address).answer("good.test").error is None


def test_lookups_of_one_name_share_one_question(
    asked: Callable[[str], Asked], name_server: Callable[..., NameServer]
) -> None:
    server = name_server(zone)
    one = asked(server.address)
    heard: list[Answer] = []
    for _ in range(50):
        assert one.resolver.lookup("good.test", heard.append) is None
    one.turn_until(lambda: len(heard) == 50)
    assert server.asked.count("good.test") == 2  # A and AAAA


@pytest.mark.parametrize("name", ["good.test", "missing.test", "silent.test"])
def test_answers_and_failures_are_remembered(
    name: str, asked: Callable[[str], Asked], name_server: Callable[..., NameServer]
) -> None:
    server = name_server(zone)
    one = asked(server.address)
    first = one.answer(name)
    questions = len(server.asked)
    assert one.answer(name) is first
    assert len(server.asked) == questions


def test_an_answer_is_used_no_longer_than_its_ttl(
    asked: Callable[[str], Asked], name_server: Callable[..., NameServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolver, "SHORTEST_FRESH_SECONDS", 0.0)
    server = name_server(zone, ttl=0)
    one = asked(server.address)
    one.answer("good.test")
    one.answer("good.test")
    assert server.asked.count("good.test") == 4


def test_search_domains_are_not_tried(asked: Callable[[str], Asked], name_server: Callable[..., NameServer]) -> None:
    server = name_server(zone)
    asked(server.address).answer("missing.test")
    assert set(server.asked) == {"missing.test"}


def test_localhost_needs_no_name_server(asked: Callable[[str], Asked]) -> None:
    answer = asked("127.0.0.1:1").ask("localhost")
    assert answer is not None
    assert answer.addresses == ("127.0.0.1", "::1")


def test_closing_tells_nobody(asked: Callable[[str], Asked], name_server: Callable[..., NameServer]) -> None:
    one = asked(name_server(zone).address)
    one.ask("silent.test")
    one.resolver.close()
    assert one.answers == {}
    assert not one.selector.get_map()

"""The verdict on a run. Pure: a history, what arrived, the engine's rows; out comes what is wrong, rule by rule.

A promise that was broken makes the run red. Books that do not balance make it void: then nothing is known, which is not
green either.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from deliveries.engine.courier import SETTLE_AT

from .evidence import RESET, Evidence, Receipt, Subscriber
from .history import Fact

OFFLINE_WITHIN = 2.0
"""Seconds after which a subscription that went offline gets nothing more."""
UNSAFE = 2.0
"""Seconds before an outage of the database of which outcomes may be lost: they are not waited for."""
RECOVERY = 1.5
"""Seconds after it until outcomes are written again."""

FRESH = 60.0
"""Seconds that a signature may be old when it arrives: far less than a bent clock is off."""

Colour = Literal["green", "red", "void"]


@dataclass(frozen=True)
class Verdict:
    """`problems` by rule, of which some are of the books (`VOID`)."""

    problems: Mapping[str, list[str]]
    figures: Mapping[str, int] = field(default_factory=dict)

    @property
    def colour(self) -> Colour:
        if any(self.problems.get(rule) for rule in VOID):
            return "void"
        return "red" if any(self.problems.values()) else "green"


class Books:
    """The evidence, sorted so that each rule finds its part."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.facts = {fact.key: fact for fact in evidence.facts}
        self.by_id = {one.id: one for one in evidence.subscribers}
        self.by_path = {one.path: one for one in evidence.subscribers}
        self.receipts: dict[str, list[Receipt]] = defaultdict(list)
        """Of each path, in order of arrival."""
        for each in evidence.receipts:
            self.receipts[each.path].append(each)
        self.settled: dict[str, Counter[str]] = defaultdict(Counter)
        """Signatures of the attempts that were settled in time, of each path."""
        paths = {
            row.id: self.by_id[row.subscription].path for row in evidence.deliveries if row.subscription in self.by_id
        }
        for row in evidence.attempts:
            if not row.late and row.delivery in paths:
                self.settled[paths[row.delivery]][row.signature] += 1

    def wanted(self) -> Iterator[tuple[Fact, Subscriber]]:
        """What was committed, and by whom it was wanted for certain."""
        for fact in self.evidence.facts:
            if fact.fate == "committed":
                for one in self.evidence.subscribers:
                    if one.workspace == fact.workspace and one.wants(fact.event) and one.created[1] <= fact.began:
                        yield fact, one


def lost(books: Books) -> Iterator[str]:
    """Committed and wanted, but neither received nor visibly failed nor held."""
    received = {(each.path, *each.key) for each in books.evidence.receipts if each.ok}
    visible = {(row.subscription, *row.key) for row in books.evidence.deliveries if row.key is not None}
    for fact, one in books.wanted():
        if (one.path, *fact.key) not in received and (one.id, *fact.key) not in visible:
            yield f"{one.path} never got {fact.event} {fact.mark}"


def unexpected(books: Books) -> Iterator[str]:
    """Received, though it must not have been."""
    for each in books.evidence.receipts:
        one, fact = books.by_path[each.path], books.facts.get(each.key)
        if reason := _why_not(each, one, fact):
            yield f"{each.path} got {each.event} {each.mark}: {reason}"


def _why_not(each: Receipt, one: Subscriber, fact: Fact | None) -> str:
    if fact is None:
        return "never attempted"
    if fact.fate == "rolled_back":
        return "rolled back"
    if fact.workspace != one.workspace:
        return "of another workspace"
    if not one.wants(fact.event):
        return "not asked for"
    if fact.ended < one.created[0]:
        return "older than the subscription"
    if any(since + OFFLINE_WITHIN < each.at < until for since, until in one.offline):
        return "sent while offline"
    return ""


def duplicates(books: Books) -> Iterator[str]:
    """More of them than the windows of couriers that vanished, and what an outage of the database can have lost."""
    for path, found in extra(books).items():
        limit = bound(books, books.by_path[path])
        if len(found) > limit:
            yield f"{path} got {len(found)} that no settled attempt explains; {limit} may be"
    sent = Counter((row.subscription, row.event_id) for row in books.evidence.deliveries)
    yield from (f"event {event_id} was fanned out {n} times to {key}" for (key, event_id), n in sent.items() if n > 1)


def repeated(books: Books) -> Iterator[str]:
    """One attempt, sent twice. No vanished courier excuses it: whoever takes over signs anew, seconds later."""
    for path, found in books.receipts.items():
        sent = [each for each in found if each.answered != RESET and not _in_an_outage(books, each.at)]
        for signature, number in Counter(each.signature for each in sent).items():
            if number > 1:
                yield f"{path} got one attempt {number} times ({signature})"


def _in_an_outage(books: Books, at: float) -> bool:
    return any(since - UNSAFE <= at <= until + RECOVERY for since, until in books.evidence.outages)


def extra(books: Books) -> dict[str, list[Receipt]]:
    """Receipts that no settled attempt explains. After a reset the client sends once more by itself: an allowance."""
    result = {}
    for path, found in books.receipts.items():
        left = books.settled[path].copy()
        left.update(each.signature for each in found if each.answered == RESET)
        result[path] = [each for each in found if not _take(left, each.signature)]
    return result


def _take(left: Counter[str], signature: str) -> bool:
    left[signature] -= 1
    return left[signature] >= 0


def bound(books: Books, one: Subscriber) -> int:
    """How many duplicates the crashes of a run excuse."""
    times = [each.at for each in books.receipts[one.path]]
    excused = (one.cap + SETTLE_AT) * books.evidence.takeovers.get(one.id, 0)
    for since, until in books.evidence.outages:
        excused += bisect_right(times, until + RECOVERY) - bisect_left(times, since - UNSAFE)
    return excused


def altered(books: Books) -> Iterator[str]:
    """The id and the bytes of an event must be the same in all attempts; an event has one id everywhere."""
    ids: dict[tuple[str, str], str] = {}
    bodies: dict[tuple[str, str], int] = {}
    for each in books.evidence.receipts:
        if each.header_id != each.event_id:
            yield f"{each.path} got {each.event} {each.mark} with two ids"
        if ids.setdefault(each.key, each.event_id) != each.event_id:
            yield f"{each.event} {each.mark} has several ids"
        if bodies.setdefault((each.path, each.event_id), each.bytes) != each.bytes:
            yield f"{each.path} got {each.event} {each.mark} with other bytes"
        yield from _untrue(each, books.facts.get(each.key))


def _untrue(each: Receipt, fact: Fact | None) -> Iterator[str]:
    """What the body says besides its mark, against what was done."""
    if fact and each.workspace != fact.workspace:
        yield f"{each.path} got {each.event} {each.mark} as of workspace {each.workspace}"
    if fact and fact.case and each.case != fact.case:
        yield f"{each.path} got {each.event} {each.mark} as of case {each.case}"


def unequal(books: Books) -> Iterator[str]:
    """An event tells all who asked for it the same."""
    told: dict[tuple[str, str], tuple[int, str, int]] = {}
    for each in books.evidence.receipts:
        says = (each.entity, each.case, each.sequence)
        if told.setdefault(each.key, says) != says:
            yield f"{each.path} got {each.event} {each.mark} with another content than others did"


def miscounted(books: Books) -> Iterator[str]:
    """An attempt says how many came before it, and what was answered was sent."""
    numbers = {(row.signature, row.number) for row in books.evidence.attempts}
    known = {row.signature for row in books.evidence.attempts}
    for each in books.evidence.receipts:
        if each.signature in known and (each.signature, each.retry_count + 1) not in numbers:
            yield f"{each.path} got {each.event} {each.mark} with the retry_count {each.retry_count}"
    arrived = {each.signature for each in books.evidence.receipts}
    for row in books.evidence.attempts:
        if row.answered and row.signature not in arrived:
            yield f"attempt {row.number} of {row.delivery} has an answer, and never arrived"


def abandoned(books: Books) -> Iterator[str]:
    """Given up with retries left: nobody here answers that it is gone."""
    for row in books.evidence.deliveries:
        one = books.by_id.get(row.subscription)
        if one and row.state == "failed" and row.attempts <= one.retries:
            yield f"delivery {row.id} to {one.path} was given up after {row.attempts} attempts"


def unsigned(books: Books) -> Iterator[str]:
    for each in books.evidence.receipts:
        if not each.signed:
            yield f"{each.path} got {each.event} {each.mark} with a signature that does not hold"
        elif each.stale > FRESH:
            yield f"{each.path} got {each.event} {each.mark} signed {each.stale:.0f} s off"


def disorder(books: Books) -> Iterator[str]:
    """Ordered mode: an event comes first when the one before it, of its case, has arrived."""
    given_up = {(row.subscription, row.event_id) for row in books.evidence.deliveries if row.key is not None}
    for one in books.evidence.subscribers:
        if one.ordered:
            for before, after in _neighbours(books.receipts[one.path]):
                arrived = next((each.at for each in before if each.ok), None)
                if arrived is None and (one.id, before[0].event_id) in given_up:
                    continue
                if arrived is None or arrived > after[0].at:
                    yield f"{one.path} got {after[0].mark} before {before[0].mark} of the same case"


def _neighbours(receipts: list[Receipt]) -> Iterator[tuple[list[Receipt], list[Receipt]]]:
    """The receipts of each event of a case, with those of the next event of it."""
    cases: dict[str, dict[int, list[Receipt]]] = defaultdict(lambda: defaultdict(list))
    for each in receipts:
        cases[each.case][each.sequence].append(each)
    for events in cases.values():
        numbers = sorted(events)
        for before, after in zip(numbers, numbers[1:], strict=False):
            yield events[before], events[after]


def gaps(books: Books) -> Iterator[str]:
    """The numbers of a case's events: 1, 2, 3, ..., in the order in which they were committed."""
    numbers = {each.key: (each.case, each.sequence) for each in books.evidence.receipts}
    cases: dict[str, Counter[int]] = defaultdict(Counter)
    for case, number in numbers.values():
        cases[case][number] += 1
    for case, counts in cases.items():
        if set(counts) != set(range(1, len(counts) + 1)) or max(counts.values()) > 1:
            yield f"the numbers of case {case} are {sorted(counts.elements())[:20]}"
    last: dict[str, int] = {}
    for fact in books.evidence.facts:
        if fact.fate == "committed" and fact.key in numbers:
            case, number = numbers[fact.key]
            if number < last.get(case, 0):
                yield f"{fact.mark} of case {case} has a number before that of an earlier change"
            last[case] = number


def ledger(books: Books) -> Iterator[str]:
    """Whether the books balance: every receipt is of somebody, every attempt of a delivery, every count right."""
    evidence = books.evidence
    if not any(fact.fate == "committed" for fact in evidence.facts):
        yield "nothing was committed"
    if evidence.strangers:
        yield f"{evidence.strangers} POSTs went to a path of no subscription"
    counts = Counter(row.delivery for row in evidence.attempts if not row.late)
    known = {row.id for row in evidence.deliveries}
    yield from (
        f"an attempt of {row.delivery}, which is no delivery" for row in evidence.attempts if row.delivery not in known
    )
    for row in evidence.deliveries:
        if row.attempts != counts[row.id]:
            yield f"delivery {row.id} counts {row.attempts} attempts, and has {counts[row.id]}"


def drained(books: Books) -> Iterator[str]:
    """Whether everything came to its end before the run was judged."""
    if books.evidence.unbuilt:
        yield f"{books.evidence.unbuilt} events were not built"
    waiting = Counter(row.state for row in books.evidence.deliveries if row.state in {"pending", "blocked"})
    yield from (f"{number} deliveries are {state}" for state, number in waiting.items())


RED: tuple[Callable[[Books], Iterator[str]], ...] = (
    *(lost, abandoned, unexpected, duplicates, repeated),
    *(altered, unequal, miscounted, unsigned, disorder, gaps),
)
BALANCE: tuple[Callable[[Books], Iterator[str]], ...] = (ledger, drained)
VOID = tuple(rule.__name__ for rule in BALANCE)


def judge(evidence: Evidence) -> Verdict:
    """All rules, over all of it."""
    books = Books(evidence)
    problems = {rule.__name__: list(rule(books)) for rule in (*RED, *BALANCE)}
    fates = Counter(fact.fate for fact in evidence.facts)
    figures = {
        "committed": fates["committed"],
        "rolled back": fates["rolled_back"],
        "unknown": fates["unknown"],
        "wanted": sum(1 for _ in books.wanted()),
        "received": len(evidence.receipts),
        "lost": len(problems["lost"]),
        "unexpected": len(problems["unexpected"]),
        "duplicates": sum(map(len, extra(books).values())),
        "duplicates at most": sum(bound(books, one) for one in evidence.subscribers),
        "takeovers": sum(evidence.takeovers.values()),
        "finally failed": sum(row.state == "failed" for row in evidence.deliveries),
        "still held": sum(row.state == "held" for row in evidence.deliveries),
    }
    return Verdict(problems, figures)

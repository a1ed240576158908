"""The checker's verdicts, as a table: a run in which all is well, and what one thing out of place makes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from deliveries.engine.courier import SETTLE_AT
from tests.chaos.checker import judge
from tests.chaos.evidence import RESET, AttemptRow, DeliveryRow, Evidence, Receipt, Subscriber
from tests.chaos.history import Fact

A = Subscriber("a", "ws", "/a", frozenset({"Case.Created", "Case.Updated"}), "secret", ordered=True, cap=3, retries=0)
B = Subscriber("b", "other", "/b", frozenset({"Case.Created"}), "secret")
CREATED = Fact("Case.Created", "mark-1", "ws", "case", 10.0, 10.1, "committed")
RENAMED = Fact("Case.InfoUpdated", "mark-2", "ws", "case", 11.0, 11.1, "committed")
UNDONE = Fact("Case.Created", "mark-3", "ws", "gone", 12.0, 12.1, "rolled_back")
UNKNOWN = Fact("Case.Created", "mark-4", "ws", "who knows", 13.0, 14.0, "unknown")


def receipt(number: int, fact: Fact, **fields: Any) -> Receipt:
    """The POST of an event of a case, `number` in it, a second later."""
    key = f"event-{number}"
    made = Receipt(
        path="/a",
        at=fact.ended + 1,
        answered=200,
        event_id=key,
        header_id=key,
        event=fact.event,
        mark=fact.mark,
        workspace=fact.workspace,
        case=fact.case,
        sequence=number,
        retry_count=0,
        signature=f"signature-{number}",
        signed=True,
        stale=0.5,
        bytes=number,
        entity=number,
    )
    return replace(made, **fields)


FIRST, SECOND = receipt(1, CREATED), receipt(2, RENAMED)
WELL = Evidence(
    facts=[CREATED, RENAMED, UNDONE, UNKNOWN],
    subscribers=[A, B],
    receipts=[FIRST, SECOND],
    deliveries=[DeliveryRow("1", "a", "event-1", "succeeded", 1), DeliveryRow("2", "a", "event-2", "succeeded", 1)],
    attempts=[AttemptRow("1", False, "signature-1"), AttemptRow("2", False, "signature-2")],
)
AGAIN = replace(SECOND, at=SECOND.at + 5, signature="signed anew")
REPEATED = {"receipts": [FIRST, SECOND, replace(SECOND, at=SECOND.at + 5)]}


def with_subscriber(**fields: Any) -> dict[str, Any]:
    return {"subscribers": [replace(A, **fields), B]}


def with_second(**fields: Any) -> dict[str, Any]:
    return {"receipts": sorted([FIRST, replace(SECOND, **fields)], key=lambda each: each.at)}


def unsent(state: str) -> dict[str, Any]:
    """The second event has no attempt, and its delivery is in this state."""
    row = DeliveryRow("2", "a", "event-2", state, 0, RENAMED.key)
    return {"receipts": [FIRST], "attempts": WELL.attempts[:1], "deliveries": [WELL.deliveries[0], row]}


def refused(**fields: Any) -> dict[str, Any]:
    """The second event was given up."""
    row = replace(DeliveryRow("2", "a", "event-2", "failed", 1, RENAMED.key), **fields)
    return {**with_second(answered=500), "deliveries": [WELL.deliveries[0], row]}


def test_a_run_in_which_all_is_well_is_green() -> None:
    verdict = judge(WELL)
    assert verdict.colour == "green"
    assert verdict.figures["committed"] == 2
    assert verdict.figures["wanted"] == 2


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param(refused(), id="finally failed, visibly"),
        pytest.param(unsent("held"), id="held"),
        pytest.param({"receipts": [FIRST, SECOND, receipt(1, UNKNOWN, event_id="x", header_id="x", signature="s")],
                      "attempts": [*WELL.attempts, AttemptRow("3", False, "s")],
                      "deliveries": [*WELL.deliveries, DeliveryRow("3", "a", "x", "succeeded", 1)]},
                     id="unknown, and it was committed after all"),
        pytest.param({"receipts": [], "attempts": [], "deliveries": [], **with_subscriber(created=(11.5, 11.6))},
                     id="subscribed later"),
        pytest.param(with_subscriber(offline=((10.5, 11.9), (14.0, 20.0))), id="not offline when it was sent"),
        pytest.param(with_subscriber(offline=((11.0, 15.0),)), id="sent within two seconds of going offline"),
        pytest.param({"receipts": [FIRST, replace(SECOND, answered=RESET), replace(SECOND, at=SECOND.at + 5)]},
                     id="sent again after a reset"),
        pytest.param({"receipts": [FIRST, SECOND, AGAIN], "takeovers": {"a": 1}}, id="a duplicate after a takeover"),
        pytest.param({"receipts": [FIRST, SECOND, AGAIN], "outages": [(AGAIN.at - 1, AGAIN.at + 1)]},
                     id="a duplicate after an outage of the database"),
        pytest.param({"attempts": [*WELL.attempts, AttemptRow("2", True, "late", answered=False)]},
                     id="a late attempt"),
    ],
)  # fmt: skip
def test_what_is_no_fault_is_green(changes: dict[str, Any]) -> None:
    verdict = judge(replace(WELL, **changes))
    assert (verdict.colour, dict(verdict.problems)) == ("green", {rule: [] for rule in verdict.problems})


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        pytest.param("lost", {"receipts": [FIRST]}, id="never received"),
        pytest.param("lost", with_second(answered=500), id="never answered 2xx"),
        pytest.param("lost", {"receipts": [FIRST], "deliveries": WELL.deliveries[:1], "attempts": WELL.attempts[:1]},
                     id="never fanned out"),
        pytest.param("unexpected", with_second(mark="mark-9"), id="never attempted"),
        pytest.param("unexpected", with_second(event="Case.Created", mark="mark-3"), id="rolled back"),
        pytest.param("unexpected", {"facts": [CREATED, replace(RENAMED, workspace="other")]}, id="another workspace"),
        pytest.param("unexpected", with_subscriber(events=frozenset({"Case.Created"})), id="not asked for"),
        pytest.param("unexpected", with_subscriber(created=(20.0, 20.0)), id="older than the subscription"),
        pytest.param("unexpected", with_subscriber(offline=((9.9, 20.0),)), id="sent while offline"),
        pytest.param("duplicates", {"receipts": [FIRST, SECOND, AGAIN]}, id="sent twice"),
        pytest.param("duplicates", {"receipts": [FIRST, SECOND, *[AGAIN] * (A.cap + SETTLE_AT + 1)],
                                    "takeovers": {"a": 1}}, id="more than a window"),
        pytest.param("duplicates", {"receipts": [FIRST, SECOND, AGAIN], "outages": [(30.0, 31.0)]},
                     id="not at the time of the outage"),
        pytest.param("duplicates", {"receipts": [FIRST, SECOND, AGAIN], "takeovers": {"b": 1}},
                     id="the takeover of another lane"),
        pytest.param("duplicates", {"deliveries": [*WELL.deliveries, DeliveryRow("3", "a", "event-2", "held", 0)]},
                     id="fanned out twice"),
        pytest.param("repeated", {**REPEATED, "takeovers": {"a": 1}}, id="one attempt sent twice, beside a takeover"),
        pytest.param("abandoned", {**refused(), **with_subscriber(retries=1)}, id="given up with a retry left"),
        pytest.param("altered", with_second(workspace="other"), id="as of another workspace"),
        pytest.param("altered", with_second(case="another"), id="as of another case"),
        pytest.param("unequal", {"receipts": [FIRST, SECOND, replace(FIRST, path="/b", entity=9, at=13.0)]},
                     id="told to others otherwise"),
        pytest.param("miscounted", with_second(retry_count=1), id="a retry_count that is none"),
        pytest.param("miscounted", {"attempts": [*WELL.attempts, AttemptRow("2", True, "s", 2)]},
                     id="an answer to nothing"),
        pytest.param("unsigned", with_second(stale=200.0), id="signed by a clock that is off"),
        pytest.param("altered", {"receipts": [FIRST, SECOND, replace(AGAIN, bytes=9)]}, id="other bytes"),
        pytest.param("altered", with_second(header_id="x"), id="another id in the header"),
        pytest.param("altered", {"receipts": [FIRST, SECOND, replace(AGAIN, event_id="x", header_id="x")]},
                     id="another id the second time"),
        pytest.param("unsigned", with_second(signed=False), id="a signature that does not hold"),
        pytest.param("disorder", with_second(at=FIRST.at - 1), id="the second before the first"),
        pytest.param("disorder", {"receipts": [replace(FIRST, answered=500), SECOND,
                                               replace(FIRST, at=SECOND.at + 1)]}, id="the first not yet taken"),
        pytest.param("gaps", with_second(sequence=3), id="a number is missing"),
        pytest.param("gaps", with_second(sequence=1), id="a number twice"),
        pytest.param("gaps", {"facts": [RENAMED, CREATED]}, id="numbered against the order of commits"),
        pytest.param("ledger", {"strangers": 1}, id="a POST to nobody"),
        pytest.param("ledger", {"attempts": [*WELL.attempts, AttemptRow("9", False, "s")]}, id="an attempt of nothing"),
        pytest.param("ledger", {"attempts": [*WELL.attempts, AttemptRow("2", False, "s")]}, id="miscounted"),
        pytest.param("ledger", {"facts": [], "receipts": []}, id="nothing was done"),
        pytest.param("drained", {"unbuilt": 1}, id="not built"),
        pytest.param("drained", {"deliveries": [*WELL.deliveries, DeliveryRow("3", "b", "x", "pending", 0)]},
                     id="not drained"),
        pytest.param("drained", {"deliveries": [*WELL.deliveries, DeliveryRow("3", "b", "x", "blocked", 0)]},
                     id="blocked for ever"),
    ],
)  # fmt: skip
def test_what_is_out_of_place_is_named(rule: str, changes: dict[str, Any]) -> None:
    verdict = judge(replace(WELL, **changes))
    assert verdict.problems[rule]
    assert verdict.colour == ("void" if rule in {"ledger", "drained"} else "red")

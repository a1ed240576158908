"""From an answer, or the lack of one, to what is written down: judged by retry.py, never charged for our own faults."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field

import requests

from . import answers, retry, transport
from .due import Due
from .endpoints import Endpoint
from .lanes import Lease
from .settle import FAILED, PENDING, SUCCEEDED, Outcome

FIRST_CALL, AUTOMATIC_RETRY, MANUAL_RETRY = range(3)
# Seconds until a delivery is tried again after a fault of our own: the first, doubling, and the longest.
OWN_FAULT_DELAY, LONGEST_OWN_FAULT_DELAY = 2.0, 300.0
OWN_FAULT = transport.OwnFault.code
# Response headers that are somebody's secret and not kept.
PRIVATE_HEADERS = frozenset({"set-cookie", "authorization", "proxy-authenticate", "www-authenticate"})


@dataclass(slots=True)
class Sent:
    """A request in flight and all that is needed to judge its answer."""

    due: Due
    lease: Lease
    endpoint: Endpoint
    started: float
    """On the monotonic clock."""
    proven: bool
    """Whether its receiver had answered 2xx last when it was sent."""
    remaining: int
    """Automatic retries that its body says are still to come."""
    shown_headers: dict[str, str] = field(repr=False)


def judge(sent: Sent, finished: transport.Finished[Sent], epoch: float) -> tuple[Outcome, bool]:
    """What to write, and whether the subscription must go offline.

    `epoch` is the time now, for dates in Retry-After.
    """
    error = transport.classify(finished.error) if finished.error else ""
    status = finished.response.status_code if finished.response is not None else None
    if error == OWN_FAULT:
        uncharged = min(10, max(0, sent.due.attempts - sent.due.retries))
        decision = retry.Decision("retry", min(OWN_FAULT_DELAY * 2**uncharged, LONGEST_OWN_FAULT_DELAY))
    else:
        after = finished.response.headers.get("Retry-After") if finished.response is not None else None
        jitter = random.uniform(-retry.JITTER, retry.JITTER)  # noqa: S311  # spreads load; nothing secret
        wanted = retry.parse_retry_after(after, epoch)
        decision = retry.decide(status, sent.due.retries, sent.endpoint.max_retries, jitter, wanted)
    return _outcome(sent, finished, decision, status, error), decision.goes_offline


def _outcome(
    sent: Sent, finished: transport.Finished[Sent], decision: retry.Decision, status: int | None, error: str
) -> Outcome:
    due, response = sent.due, finished.response
    state = {"succeeded": SUCCEEDED, "retry": PENDING, "failed": FAILED}[decision.state]
    charged = state == PENDING and error != OWN_FAULT
    given_up = "skipped" if due.in_order else "retries_used_up"
    reason = "" if state != FAILED else "gone" if decision.goes_offline else given_up
    return Outcome(
        delivery_id=due.id,
        subscription_id=due.subscription_id,
        token=sent.lease.token,
        state=state,
        reason=reason,
        delay=decision.delay or 0.0,
        attempts=due.attempts + 1,
        retries=due.retries + charged,
        next_type=AUTOMATIC_RETRY,
        type=due.next_type,
        url=sent.endpoint.url,
        status_code=status,
        error=error,
        response_body="" if response is None else kept_body(response),
        ago=time.monotonic() - sent.started,
        duration_ms=round(finished.elapsed * 1000),
        remaining=sent.remaining,
        request_headers=sent.shown_headers,
        response_headers=None if response is None else kept_headers(response),
        in_order=due.in_order,
    )


def succeeded(outcome: Outcome) -> bool | None:
    """Whether the receiver did its part; None: it was not its fault."""
    return None if outcome.error == OWN_FAULT else outcome.state == SUCCEEDED


def kept_headers(response: requests.Response) -> dict[str, str]:
    return {name: value for name, value in response.headers.items() if name.lower() not in PRIVATE_HEADERS}


def kept_body(response: requests.Response) -> str:
    return answers.text(response.content)

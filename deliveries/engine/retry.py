"""Decides what an answer means, and when to try again. Pure: chance and time come in as arguments."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Literal

from celery.utils.time import get_exponential_backoff_interval

FIRST_DELAY = 5
"""Seconds before the first retry: long enough for a restart behind a load balancer. Each further delay doubles."""

LONGEST_DELAY = 12 * 3600
"""Seconds. Two tries a day still find a receiver that somebody repairs in office hours."""

DEFAULT_RETRIES = 18
"""Tries after the first one: about 71 hours in all, so a failure on Friday evening is still retried on Monday."""

JITTER = 0.2
"""Delays vary by this share, up and down, so that what failed together does not come back together."""

LONGEST_RETRY_AFTER = 24 * 3600.0
"""Seconds. A receiver may slow us down, but not put its events off for ever."""

GONE = 410
"""Standard Webhooks: this status asks the sender to stop using the endpoint."""

State = Literal["succeeded", "retry", "failed"]

_SECONDS = re.compile(r"[0-9]{1,10}")


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a delivery after an attempt; `delay` in seconds, only with "retry"."""

    state: State
    delay: float | None = None
    goes_offline: bool = False


def decide(
    status: int | None, retry_count: int, max_retries: int, jitter: float, retry_after: float | None
) -> Decision:
    """Judges one attempt: 2xx is success and nothing else is (redirects are not followed).

    `status` is None when no complete answer came. `retry_count` says how many retries were made before, this attempt
    included (0: the first try). `jitter` lies between -JITTER and JITTER; `retry_after` is in seconds.
    """
    if status is not None and 200 <= status < 300:
        return Decision("succeeded")
    if status == GONE:
        return Decision("failed", goes_offline=True)
    if retry_count >= max_retries:
        return Decision("failed")
    return Decision("retry", delay(retry_count, jitter, retry_after))


def delay(retry: int, jitter: float, retry_after: float | None) -> float:
    """Seconds from the end of try number `retry` (0: the first) to the next.

    Retry-After can lengthen the delay, up to a day; it cannot shorten it.
    """
    backoff = get_exponential_backoff_interval(
        factor=FIRST_DELAY, retries=retry, maximum=LONGEST_DELAY, full_jitter=False
    )
    normal = float(backoff * (1 + jitter))
    return normal if retry_after is None else max(normal, min(retry_after, LONGEST_RETRY_AFTER))


def parse_retry_after(value: str | None, now: float) -> float | None:
    """Seconds after `now` (unix time) that a Retry-After header (RFC 9110, 10.2.3) asks for; None if it is none."""
    text = (value or "").strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    try:
        date = parsedate_to_datetime(text[:64])
        moment = date.replace(tzinfo=date.tzinfo or UTC).timestamp()
    except (ValueError, OverflowError):
        return None
    return max(0.0, moment - now)

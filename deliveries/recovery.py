"""Sending again what failed or was held within a range of time: what people start, watch and cancel.

The work itself is engine/recovering.py's, a little each second.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, Min
from django.utils import timezone

from .engine import recovering
from .models import Delivery, Recovery, Subscription
from .services import Refused

LONGEST = timedelta(days=31)
SLOWEST, FASTEST = 0.1, 1000.0
"""Deliveries a second."""
DEFAULT_RATE = recovering.RATE

WAITS = {
    "online": "waits until the subscription is online",
    "pause": "waits until the receiver's pause is over",
    "live_traffic": "waits behind newer events that are due",
}
_State = Recovery.State


def start_recovery(
    subscription: Subscription,
    since: datetime,
    until: datetime | None = None,
    rate: float = DEFAULT_RATE,
    requested_by: str = "",
) -> Recovery:
    """A job that makes due again what failed or is held of the events recorded from `since` on and before `until`.

    Without `until`: up to now. While the same job runs, the answer is that job. Raises ValidationError for a range or
    rate that cannot be, Refused while the subscription is offline or another job for it runs.
    """
    end = until or timezone.now()
    _check(since, end, rate)
    with transaction.atomic():
        row = Subscription.objects.select_for_update(no_key=True).filter(pk=subscription.pk).first()
        if row is None:
            raise Refused("The subscription is deleted, so nothing can be sent to it any more.")
        if not row.is_online:
            raise Refused(f"{row} is offline; turn it online first, then recover.")
        job = Recovery(workspace_id=row.workspace_id, subscription=row, since=since, until=end, rate=rate)
        job.requested_by = requested_by[:150]
        Recovery.objects.bulk_create([job], ignore_conflicts=True)  # one runs at a time
        running = Recovery.objects.filter(subscription=row, state=_State.RUNNING).first()
    if running is None:
        raise Refused("Another recovery of this subscription ended at this very moment; ask again.")
    if running.since != since or until and running.until != until or running.held_only or running.rate != rate:
        raise Refused(f"A recovery of another range or rate is running ({running.pk}); let it end, or cancel it.")
    return running


def _check(since: datetime, until: datetime, rate: float) -> None:
    if until <= since:
        raise ValidationError({"until": "The end must be later than the beginning."})
    if until - since > LONGEST:
        raise ValidationError({"since": f"A range is {LONGEST.days} days at most; recover a longer one in parts."})
    if not SLOWEST <= rate <= FASTEST:
        raise ValidationError({"rate": f"Use {SLOWEST:g} to {FASTEST:,.0f} deliveries a second."})


def cancel(job: Recovery) -> bool:
    """Ends a running job; what it made due already stays due. False when it had ended before."""
    rows = Recovery.objects.filter(pk=job.pk, state=_State.RUNNING)
    return bool(rows.update(state=_State.CANCELLED, finished_at=timezone.now()))


def found(subscription: Subscription, since: datetime, until: datetime) -> int:
    """How many deliveries a job for this range would make due now."""
    return recovering.count(recovering.Range(subscription.pk, since, until, timezone.now()))


def held(ids: Iterable[UUID]) -> dict[UUID, tuple[int, datetime]]:
    """Of each subscription that has held deliveries: how many, and when the first was recorded."""
    rows = Delivery.objects.filter(subscription_id__in=list(ids), state=Delivery.State.HELD)
    told = rows.order_by().values("subscription_id").annotate(number=Count("pk"), first=Min("created_at"))
    return {row["subscription_id"]: (row["number"], row["first"]) for row in told}


def waits_for(jobs: Iterable[Recovery]) -> dict[UUID, str]:
    """Why running jobs do nothing at this moment: a key of WAITS, or "" when they do; in one statement."""
    running = [job.pk for job in jobs if job.state == _State.RUNNING]
    return recovering.waits_for(running) if running else {}


def share(job: Recovery) -> float:
    """How much of it is done, from 0 to 1."""
    if job.state == _State.DONE:
        return 1.0
    return min(1.0, job.recovered / job.total) if job.total else 0.0

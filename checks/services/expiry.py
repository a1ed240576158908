"""The clock of checks."""

from __future__ import annotations

from datetime import date

from checks.models import STAYS_AFTER_ITS_DAY, Check, CheckStatus

# Checks that expire in one transaction.
BATCH = 1000


def expire_checks(today: date) -> int:
    """Expires the checks whose last day is over, and tells how many these were.

    In batches, each in a transaction of its own, and whatever their number: days on which nobody asked are made up for.
    Two at once do no harm: a check that was changed meanwhile is looked at again, once it is locked.
    """
    over = Check.objects.filter(expires_at__lt=today).exclude(status__in=STAYS_AFTER_ITS_DAY)
    count = 0
    while keys := list(over.order_by("expires_at", "pk").values_list("pk", flat=True)[:BATCH]):
        count += over.filter(pk__in=keys).update(status=CheckStatus.EXPIRED)
    return count

"""E-mails that tell people that a subscription went offline: recorded with that change, sent by a chore, at least once.

Celery may lose the task, the mail server may be away: the rows say what is still to be sent, and the sweep finds them.
"""

from __future__ import annotations

import hashlib
import itertools
import logging
import time
from contextlib import suppress
from smtplib import SMTPDataError, SMTPException, SMTPRecipientsRefused, SMTPResponseException
from typing import Any

from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection, transaction

from workspaces.models import User

from . import letters
from .engine import doorbell, health
from .engine.alone import alone
from .models import Notice, Subscription

logger = logging.getLogger(__name__)

SEND_TASK = "deliveries.chores.send_notices"
LEASE = 300
"""Seconds until somebody else sends a notice whose sender died; prolonged with each recipient."""
MAX_TRIES = 12
"""After some six hours a notice is given up, and the admin shows it."""
FIRST_DELAY, LONGEST_DELAY = 60, 3600
"""Seconds between tries, doubling."""
MOST = 20
"""Notices that one task sends; the sweep asks for another. A shutdown waits for it."""
BOUND = 60.0
"""Seconds after which one task takes no more of them."""
LOCK = 0x6E6F7469636573  # "notices"; any number that is nobody else's
# What goes wrong with one address; the others shall know. ValueError: it cannot be written in a header.
OF_ONE_ADDRESS = (SMTPRecipientsRefused, SMTPDataError, ValueError)
# No row stays locked while we talk to the mail server: who dies leaves a notice that is due again when its lease ends.
CLAIM = """
UPDATE deliveries_notice SET try_at = clock_timestamp() + %s * interval '1 s', tries = tries + 1
WHERE id = (
    SELECT id FROM deliveries_notice WHERE sent_at IS NULL AND try_at <= statement_timestamp()
    ORDER BY try_at LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING id
"""
TOLD = """
UPDATE deliveries_notice SET told = array_append(told, %s::varchar), try_at = clock_timestamp() + %s * interval '1 s'
WHERE id = %s
"""
SENT = "UPDATE deliveries_notice SET sent_at = clock_timestamp(), try_at = NULL, error = '' WHERE id = %s"
FAILED = "UPDATE deliveries_notice SET try_at = clock_timestamp() + %s * interval '1 s', error = %s WHERE id = %s"


def on_went_offline(sender: type[Subscription], instance: Subscription, **kwargs: Any) -> None:
    """In the transaction in which its receiver's failures took a subscription offline."""
    Notice.objects.create(subscription=instance, reason=instance.offline_reason)
    transaction.on_commit(send_due_soon, robust=True)


def connect() -> None:
    """Called once, when Django is ready."""
    health.went_offline.connect(on_went_offline, dispatch_uid="deliveries.notices")


def send_due_soon() -> None:
    """Asks a chore to send what is due. If that is lost, the sweep asks again."""
    try:
        doorbell.chore(SEND_TASK)
    except Exception as error:
        logger.warning("the broker is away (%s); the sweep will see to it", type(error).__name__)


def send_due() -> int:
    """Sends the notices that are due, one after another; answers how many are told. 0 while another process does.

    A slow mail server holds up one of the chores' processes, never all.
    """
    end = time.monotonic() + BOUND
    with alone(LOCK) as first:
        due = iter(lambda: _claim() if time.monotonic() < end else None, None)
        return sum(1 for notice in itertools.islice(due, MOST) if send(notice)) if first else 0


def send_again(notice: Notice) -> None:
    """Makes a notice that was given up due once more, for those who have not been told."""
    Notice.objects.filter(pk=notice.pk, sent_at=None, try_at=None).update(try_at=health.ClockTimestamp(), tries=0)
    transaction.on_commit(send_due_soon, robust=True)


def _claim() -> Notice | None:
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, [LEASE])
        row = cursor.fetchone()
    return Notice.objects.select_related("subscription__workspace").filter(pk=row[0]).first() if row else None


def send(notice: Notice) -> bool:
    """Tells everybody who has not been told; what fails is tried again later. True when all know."""
    waiting = {key: address for key, address in recipients(notice.subscription).items() if key not in notice.told}
    if not waiting and not notice.told:
        return _give_up(notice, "nobody to tell")
    error = _tell(notice, waiting) if waiting else None
    if error is None:
        _execute(SENT, notice.pk)
    elif notice.tries >= MAX_TRIES:
        return _give_up(notice, describe(error))
    else:
        _execute(FAILED, delay(notice.tries), describe(error), notice.pk)
        logger.warning("notice %s: try %s failed (%s)", notice.pk, notice.tries, describe(error))
    return error is None


def recipients(subscription: Subscription) -> dict[str, str]:
    """Staff and the workspace's contacts, each once: their addresses by hash."""
    staff = User.objects.filter(is_active=True, is_staff=True).exclude(email="").order_by("pk")
    addresses = [*staff.values_list("email", flat=True), *subscription.workspace.contact_emails]
    return {hashlib.sha256(address.lower().encode()).hexdigest(): address for address in addresses}


def _tell(notice: Notice, waiting: dict[str, str]) -> Exception | None:
    """A message for each, over one connection while all goes well; the last error, if any."""
    letter = letters.went_offline(notice)
    server: BaseEmailBackend = mail.get_connection()
    last: Exception | None = None
    try:
        server.open()
        for key, address in waiting.items():
            try:
                server.send_messages([letter.to(address, key)])
                _execute(TOLD, key, LEASE, notice.pk)
            except OF_ONE_ADDRESS as error:
                last = error
                server.close()  # the server may have hung up over this address; the next one gets a fresh connection
                server.open()
    except (SMTPException, OSError, ValueError) as error:
        last = error
    finally:
        with suppress(SMTPException, OSError):
            server.close()
    return last


def delay(tries: int) -> int:
    """Seconds from failed try number `tries` (1: the first) to the next."""
    return int(min(FIRST_DELAY * 2 ** (tries - 1), LONGEST_DELAY))


def describe(error: Exception) -> str:
    """Class and code of an error, without its text: that names the address."""
    codes = [code for code, _ in error.recipients.values()] if isinstance(error, SMTPRecipientsRefused) else []
    codes += [error.smtp_code] if isinstance(error, SMTPResponseException) else []
    return " ".join([type(error).__name__, *map(str, codes)])


def _give_up(notice: Notice, why: str) -> bool:
    Notice.objects.filter(pk=notice.pk).update(try_at=None, error=why)
    logger.error("notice %s is given up: %s", notice.pk, why)
    return False


def _execute(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)

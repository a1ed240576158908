"""What the e-mails say: plain text, without anything that a mailbox should not hold."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parseaddr

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse

from workspaces.timestamps import iso

from .models import Delivery, Notice, Subscription

COUNTED = 10_000
"""Held deliveries that are counted; counting millions would take seconds."""

TEXT = """\
The webhook {name} of the workspace {workspace} went offline: nothing is sent to it any more.

Host:      {host}
Why:       {reason}
Since:     {since}
Held back: {held}

New events are held back too; none is dropped.

What to do: mend the receiver, then set the webhook's status to online{where}.
The webhook's id is {id}.
Events that were held back are not sent by themselves then: recover them on the webhook's page, or through the API.
{news}"""
AGAIN = "\nThe webhook was turned online again before this message left.\n"


@dataclass(frozen=True)
class Letter:
    """A message without its recipient."""

    subject: str
    text: str
    notice: str

    def to(self, address: str, key: str) -> EmailMessage:
        """For one person alone. If it is sent twice, both have the same Message-ID."""
        domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
        headers = {"Message-ID": f"<{self.notice}.{key[:16]}@{domain}>", "Auto-Submitted": "auto-generated"}
        return EmailMessage(self.subject, self.text, to=[address], headers=headers)


def went_offline(notice: Notice) -> Letter:
    """Which subscription, why, since when, how much is held, and what to do."""
    row = notice.subscription
    name = f"\u201c{_line(str(row))}\u201d"
    text = TEXT.format(
        name=name,
        workspace=f"\u201c{_line(row.workspace.name)}\u201d",
        host=_line(row.host),
        reason=_line(notice.reason),
        since=iso(notice.created_at),
        held=_held(row),
        where=_where(row),
        id=row.pk,
        news=AGAIN if row.is_online else "",
    )
    return Letter(f"Webhook {name} went offline", text, str(notice.pk))


def _held(row: Subscription) -> str:
    """Those that wait are held too, milliseconds later. One count for each state: each has its index."""
    state = Delivery.State
    states = ({"state": state.PENDING}, {"state": state.HELD}, {"state": state.BLOCKED, "ordered": True})
    rows = Delivery.objects.filter(subscription_id=row.pk)
    count = sum(rows.filter(**chosen).order_by()[: COUNTED + 1].count() for chosen in states)
    number = f"{count:,}" if count <= COUNTED else f"more than {COUNTED:,}"
    return f"{number} {'delivery' if count == 1 else 'deliveries'} so far"


def _where(row: Subscription) -> str:
    if not settings.PUBLIC_URL:
        return " in the admin or through the API"
    page = reverse("admin:deliveries_subscription_change", args=[row.pk])
    return f" at\n{settings.PUBLIC_URL}{page}\nor through the API"


def _line(text: str) -> str:
    """Text that people typed, on one line: it shall not pass for a part of the message or for a header."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())

"""Who is told, by whom and how often, that a subscription went offline."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.db.models import F
from django.db.models.functions import Now

from deliveries import mailing, notices
from deliveries.engine import doorbell, health
from deliveries.models import Delivery, Event, Notice, Subscription
from tests import factories
from workspaces.models import Workspace

from .conftest import Deliver, Subscribe
from .fleet import fleet
from .mail_server import MailServer, mail_server
from .receiver import Answer, Receiver
from .waiting import wait_until

CONTACT, STAFF = "ops@customer.example", "staff@ours.example"


@pytest.fixture
def mails(settings: Any) -> Iterator[MailServer]:
    """A real mail server, which this process's settings name."""
    with mail_server() as found:
        settings.EMAIL_BACKEND = "deliveries.mailing.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", found.port, 5
        yield found


@pytest.fixture
def workspace(db: None) -> Workspace:
    factories.user(username="staff", email=STAFF, is_staff=True)
    return factories.workspace(contact_emails=[CONTACT])


@pytest.fixture
def notice(subscribe: Subscribe) -> Notice:
    """Of a subscription that just went offline; nobody was told yet."""
    subscription = subscribe("Case.Created", name="CRM", path="/hidden-path?token=hidden-query")
    assert health.go_offline(subscription.pk, health.GONE)
    return Notice.objects.get()


def try_now(notice: Notice) -> Notice:
    """One try, however long the next one is away; answers with the row as it is then."""
    Notice.objects.filter(pk=notice.pk).update(try_at=Now())
    notices.send_due()
    return Notice.objects.get(pk=notice.pk)


def test_a_notice_is_recorded_in_the_transaction_that_takes_a_subscription_offline(subscribe: Subscribe) -> None:
    subscription = subscribe("Case.Created")
    with transaction.atomic():
        assert health.go_offline(subscription.pk, health.GONE)
        assert Notice.objects.get().reason == health.GONE
        transaction.set_rollback(True)
    assert not Notice.objects.exists()


def test_nobody_is_told_of_what_people_turned_off_themselves(subscribe: Subscribe) -> None:
    subscription = subscribe("Case.Created")
    subscription.status = Subscription.Status.OFFLINE
    subscription.save()
    assert not Notice.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_receiver_that_is_gone_is_told_to_staff_and_contacts_by_a_worker(
    transactional_db: None, workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> None:
    factories.user(email="person@ours.example")
    factories.user(email="left@ours.example", is_staff=True, is_active=False)
    subscribe("Case.Created", name="CRM")
    receiver.answer = lambda post: Answer(410)
    with mail_server() as mails, fleet(EMAIL_URL=mails.url, EMAIL_FROM="Hooks <hooks@ours.example>") as processes:
        processes.worker(queues="chores")
        factories.case(workspace)
        deliver()
        first, second = mails.wait_for(2)
        assert mails.told == [CONTACT, STAFF]
        assert [first.message["To"], second.message["To"]] == [first.recipients[0], second.recipients[0]]
        assert first.message["Subject"] == "Webhook “CRM” went offline"
        assert first.message["From"] == "Hooks <hooks@ours.example>"
        wait_until(Notice.objects.filter(sent_at__isnull=False, tries=1).exists)
        assert "example" not in processes.logs()


def test_a_message_says_what_happened_and_what_to_do(
    notice: Notice, mails: MailServer, deliver: Deliver, settings: Any
) -> None:
    settings.PUBLIC_URL = "https://hooks.ours.example"
    factories.case(notice.subscription.workspace)
    deliver()
    try_now(notice)
    text = mails.mails[0].text
    key = notice.subscription_id
    assert "The webhook “CRM” of the workspace “Demo” went offline" in text
    assert "127.0.0.1" in text
    assert health.GONE in text
    assert "1 delivery so far" in text
    assert f"https://hooks.ours.example/admin/deliveries/subscription/{key}/change/" in text


def test_a_message_holds_neither_path_nor_query_nor_secret_nor_anybody_elses_address(
    notice: Notice, mails: MailServer
) -> None:
    try_now(notice)
    for mail in mails.mails:
        whole = mail.message.as_string() + mail.text
        assert "hidden" not in whole
        assert notice.subscription.secret not in whole
        assert ({CONTACT, STAFF} - {mail.recipients[0]}).pop() not in whole


def test_a_name_cannot_pass_for_a_header_or_for_a_part_of_the_message(notice: Notice, mails: MailServer) -> None:
    subscription = notice.subscription
    subscription.name = "CRM\r\nBcc: thief@example.com\n\nWhat to do:\x1b\u202enothing"
    subscription.save()
    try_now(notice)
    assert mails.mails[0].message["Bcc"] is None
    assert "“CRM Bcc: thief@example.com What to do: nothing”" in mails.mails[0].text


def test_an_address_is_written_to_once_however_often_it_is_listed(
    notice: Notice, mails: MailServer, workspace: Workspace
) -> None:
    workspace.contact_emails = [CONTACT, CONTACT.upper(), STAFF]
    workspace.save()
    try_now(notice)
    assert [address.lower() for address in mails.told] == [CONTACT, STAFF]


def test_a_mail_server_that_is_away_is_tried_again_later(notice: Notice, mails: MailServer, settings: Any) -> None:
    settings.EMAIL_PORT = 1
    began = time.monotonic()
    notice = try_now(notice)
    assert (notice.sent_at, notice.error) == (None, "ConnectionRefusedError")
    due_in = Notice.objects.annotate(rest=F("try_at") - Now()).values_list("rest", flat=True).get()
    assert 60 - (time.monotonic() - began) <= due_in.total_seconds() <= 60
    settings.EMAIL_PORT = mails.port
    notices.send_due()
    assert mails.told == []  # it is not due yet
    notice = try_now(notice)
    assert mails.told == [CONTACT, STAFF]
    assert (notice.sent_at is not None, notice.try_at, notice.error) == (True, None, "")


@pytest.mark.parametrize("command", ["", "MAIL"])
def test_a_mail_server_that_takes_for_ever_is_hung_up_on_and_tried_again(
    notice: Notice, mails: MailServer, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """Each byte in time, and never the last one."""
    monkeypatch.setattr(mailing, "LONGEST", 0.2)
    mails.drips[command] = threading.Event()
    assert try_now(notice).error == "SMTPServerDisconnected"
    assert mails.told == []
    del mails.drips[command]
    monkeypatch.undo()
    assert try_now(notice).sent_at is not None
    assert mails.told == [CONTACT, STAFF]


def test_a_task_that_took_long_takes_no_more_of_them(
    notice: Notice, mails: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notices, "BOUND", 0.0)
    notices.send_due()
    assert mails.told == []


def test_who_was_told_is_left_in_peace_while_another_is_tried_again(notice: Notice, mails: MailServer) -> None:
    mails.refused[STAFF] = "450 later"
    assert try_now(notice).error == "SMTPRecipientsRefused 450"
    del mails.refused[STAFF]
    assert try_now(notice).sent_at is not None
    assert mails.told == [CONTACT, STAFF]


def test_a_repeated_message_has_the_same_id(notice: Notice, mails: MailServer) -> None:
    try_now(notice)
    Notice.objects.update(told=[], sent_at=None)  # as if we had died before writing down that it was sent
    try_now(notice)
    assert mails.told == [CONTACT, CONTACT, STAFF, STAFF]
    assert len({mail.message["Message-ID"] for mail in mails.mails}) == 2


def test_a_notice_is_given_up_in_the_end_and_is_shown(
    notice: Notice, mails: MailServer, caplog: pytest.LogCaptureFixture, admin_client: Any
) -> None:
    mails.refused[CONTACT] = f"550 no such user: {CONTACT}"
    Notice.objects.update(tries=notices.MAX_TRIES - 1)
    with caplog.at_level(logging.DEBUG):
        notice = try_now(notice)
    assert (notice.sent_at, notice.try_at, notice.error) == (None, None, "SMTPRecipientsRefused 550")
    assert f"notice {notice.pk} is given up: SMTPRecipientsRefused 550" in caplog.text
    assert "customer" not in caplog.text
    page = admin_client.get("/admin/deliveries/notice/", {"outcome": "given_up"}).content.decode()
    assert "given up</span>" in page
    assert "SMTPRecipientsRefused 550" in page


def test_staff_can_send_again_what_was_given_up(notice: Notice, mails: MailServer, admin_client: Any) -> None:
    Notice.objects.update(try_at=None, tries=notices.MAX_TRIES, error="TimeoutError")
    admin_client.post("/admin/deliveries/notice/", {"action": "send_again", "_selected_action": [notice.pk]})
    notices.send_due()
    assert set(mails.told) >= {CONTACT, STAFF}


def test_a_notice_for_nobody_is_given_up_at_once(notice: Notice, workspace: Workspace, mails: MailServer) -> None:
    workspace.contact_emails = []
    workspace.save()
    factories.user().__class__.objects.all().delete()
    assert (try_now(notice).try_at, try_now(notice).error) == (None, "nobody to tell")


@pytest.mark.django_db(transaction=True)
def test_no_row_is_locked_and_nobody_else_sends_while_the_mail_server_is_slow(
    transactional_db: None, notice: Notice, mails: MailServer
) -> None:
    mails.hangs = threading.Event()
    thread = threading.Thread(target=_send_and_disconnect)
    thread.start()
    mails.wait_for(callers=1)
    with transaction.atomic():
        Notice.objects.select_for_update(nowait=True).get()
        Subscription.objects.select_for_update(nowait=True).get()
    Notice.objects.update(try_at=Now())
    assert notices.send_due() == 0
    assert mails.callers == 1
    mails.hangs.set()
    thread.join(60)
    assert mails.told == [CONTACT, STAFF]


def _send_and_disconnect() -> None:
    try:
        notices.send_due()
    finally:
        connections.close_all()


@pytest.mark.django_db(transaction=True)
def test_what_a_process_died_over_is_due_again_when_its_lease_ends(
    transactional_db: None, notice: Notice, mails: MailServer
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(notices.CLAIM, [notices.LEASE])
    notices.send_due()
    assert mails.told == []
    Notice.objects.update(try_at=F("try_at") - timedelta(seconds=notices.LEASE))  # as if it had ended
    assert notices.send_due() == 1
    assert mails.told == [CONTACT, STAFF]


def test_a_lost_task_is_found_by_its_row(
    subscribe: Subscribe, mails: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doorbell, "chore", _away)
    health.go_offline(subscribe("Case.Created").pk, health.GONE)
    notices.send_due_soon()  # does not raise
    notices.send_due()
    assert mails.told == [CONTACT, STAFF]


def _away(*arguments: str) -> None:
    raise ConnectionError


# The event Webhook.WentOffline


def test_the_workspaces_other_subscriptions_are_told(
    subscribe: Subscribe, deliver: Deliver, receiver: Receiver, workspace: Workspace
) -> None:
    gone = subscribe("Case.Created", "Webhook.WentOffline", path="/gone?token=hidden", name="CRM")
    subscribe("Webhook.WentOffline", path="/other")
    subscribe("Case.Deleted", path="/did-not-ask")
    subscribe("Webhook.WentOffline", path="/another-workspace", workspace=factories.workspace("Theirs"))
    receiver.answer = lambda post: Answer(410 if post.path.startswith("/gone") else 200)
    factories.case(workspace)
    deliver()
    deliver()
    first, second = receiver.posts
    assert (first.path, second.path) == ("/gone?token=hidden", "/other")
    gone.refresh_from_db()
    assert gone.offline_since
    assert second.content["event"] == "Webhook.WentOffline"
    assert second.context["workspace"] == {"id": str(workspace.pk), "name": "Demo"}
    assert second.context["sequence"] is None
    assert second.content["webhook"] == {
        "id": str(gone.pk),
        "name": "CRM",
        "host": "127.0.0.1",
        "status": "offline",
        "offline_reason": health.GONE,
        "offline_since": f"{gone.offline_since:%Y-%m-%dT%H:%M:%S}.{gone.offline_since.microsecond // 1000:03}Z",
        "events": ["Case.Created", "Webhook.WentOffline"],
    }


def test_a_subscription_is_never_told_of_itself_not_even_later(
    subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> None:
    subscription = subscribe("Webhook.WentOffline")
    health.go_offline(subscription.pk, health.GONE)
    deliver()
    assert Event.objects.get().state == Event.State.BUILT
    assert not Delivery.objects.exists()


def test_the_event_is_recorded_in_the_transaction_that_takes_a_subscription_offline(subscribe: Subscribe) -> None:
    subscription = subscribe("Case.Created")
    with transaction.atomic():
        health.go_offline(subscription.pk, health.GONE)
        assert Event.objects.get().name == "Webhook.WentOffline"
        transaction.set_rollback(True)
    assert not Event.objects.exists()


def test_what_is_recorded_of_a_subscription_holds_no_secret(subscribe: Subscribe) -> None:
    subscription = subscribe("Case.Created", path="/hidden?token=hidden", headers={"X-Api-Key": "hidden"})
    health.go_offline(subscription.pk, health.GONE)
    fields = str(Event.objects.get().fields)
    assert "hidden" not in fields
    assert "secret" not in fields


def test_a_mail_server_whose_name_cannot_be_is_a_failed_try_like_any_other(
    notice: Notice, mails: MailServer, settings: Any
) -> None:
    settings.EMAIL_HOST = "mail..example"
    assert try_now(notice).error == "UnicodeError"
    settings.EMAIL_HOST = "127.0.0.1"
    assert try_now(notice).sent_at


def test_an_address_over_which_the_mail_server_hangs_up_does_not_keep_the_others_from_being_told(
    notice: Notice, workspace: Workspace, mails: MailServer
) -> None:
    mails.refused[STAFF] = "421 too much"
    try_now(notice)
    assert mails.told == [CONTACT]

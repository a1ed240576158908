"""The admin of expiries, and what other pages say of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from deliveries.models import Delivery, Expiry, Subscription
from tests.deliveries import aged
from tests.deliveries.conftest import Subscribe
from workspaces.identifiers import new_id

from .conftest import page, read, signed_in


@pytest.fixture
def subscription(subscribe: Subscribe) -> Subscription:
    return subscribe("Case.Created", name="Core banking")


def expiry(of: Subscription, **fields: Any) -> Expiry:
    now = timezone.now()
    owner = {"id": new_id(), "day": now.date(), "workspace_id": of.workspace_id, "subscription": of}
    told = {"state": Expiry.State.HELD, "reason": "offline", "number": 1200}
    return Expiry.objects.create(**owner | told | {"oldest": now, "newest": now, "expired_at": now} | fields)


def expiries(client: Client, **query: str) -> str:
    return read(client.get(page("expiry", "changelist"), query))


def test_the_list_tells_how_many_of_whom_and_why(admin: Client, subscription: Subscription) -> None:
    expiry(subscription, oldest=aged.LONG_AGO, newest=aged.LONG_AGO + timedelta(days=1))
    text = expiries(admin)
    for told in ("Core banking", "1,200", "held", "the subscription is offline", "2020-02-28<br>to 2020-02-29"):
        assert told in text


def test_it_is_filtered_by_state_reason_and_subscription(
    admin: Client, subscription: Subscription, subscribe: Subscribe
) -> None:
    expiry(subscription)
    expiry(subscription, state="failed", reason="gone")
    expiry(subscribe("Case.Updated"), state="failed", reason="retries_used_up")
    expiry(subscription, subscription=None, state="unbuildable", reason="")
    assert "4 expiries" in expiries(admin)
    assert "2 expiries" in expiries(admin, state="failed")
    assert "1 expiry" in expiries(admin, reason="gone")
    assert "2 expiries" in expiries(admin, subscription=str(subscription.pk))
    assert "2 expiries" in expiries(admin, q=str(subscription.pk))
    assert "4 expiries" in expiries(admin, q=str(subscription.workspace_id))


def test_what_a_deleted_subscription_never_got_is_still_told(admin: Client, subscription: Subscription) -> None:
    row = expiry(subscription)
    subscription.delete()
    assert "deleted" in expiries(admin)
    assert "1,200" in read(admin.get(page("expiry", pk=row.pk)))


def test_the_list_takes_the_same_number_of_queries_however_long(
    admin: Client, subscription: Subscription, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in (1, 5):
        for reason in range(number):
            expiry(subscription, reason=f"{number} {reason}")
        with django_assert_num_queries(9):
            expiries(admin)


def test_nobody_writes_it_and_only_the_permitted_look(subscription: Subscription) -> None:
    row = expiry(subscription)
    viewer = signed_in("view_expiry", "change_expiry")
    assert "1 expiry" in expiries(viewer)
    assert viewer.post(page("expiry", "delete", row.pk)).status_code == 403
    assert signed_in("view_event").get(page("expiry", "changelist")).status_code == 403


def test_a_subscriptions_page_leads_to_its_expiries_if_it_has_any(admin: Client, subscription: Subscription) -> None:
    address = f"{page('expiry', 'changelist')}?subscription={subscription.pk}"
    assert address not in read(admin.get(page("subscription", pk=subscription.pk)))
    expiry(subscription)
    expiry(subscription, state="failed", reason="gone", number=34)
    text = read(admin.get(page("subscription", pk=subscription.pk)))
    assert address in text
    assert "1,234 expired" in text


def test_a_dead_letter_says_when_it_expires(admin: Client, subscription: Subscription) -> None:
    aged.delivery(subscription, state=Delivery.State.FAILED, reason="gone")
    expires = aged.LONG_AGO + timedelta(days=settings.RETENTION_DAYS)
    assert f"expires {expires:%Y-%m-%d}" in read(admin.get(page("deadletter", "changelist")))

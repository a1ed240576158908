"""Moving to a new encryption key, and noticing a lost one."""

from __future__ import annotations

from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core import checks
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings

from deliveries import keys, services
from deliveries.models import Subscription

from .conftest import Subscribe

NEW = Fernet.generate_key().decode()


def stored() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret, previous_secret, headers FROM deliveries_subscription")
        return [value for row in cursor.fetchall() for value in row if value]


def rotate() -> str:
    out = StringIO()
    call_command("rotate_encryption", stdout=out)
    return out.getvalue()


def complaints() -> list[checks.CheckMessage]:
    return checks.run_checks(tags=[checks.Tags.database], databases=["default"])


def test_after_the_rotation_the_new_key_alone_opens_everything(
    subscribe: Subscribe, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "BATCH", 2)
    rows = [subscribe("Case.Created", headers={"X-Api-Key": "hush"}) for _ in range(5)]
    services.rotate_secret(rows[0])
    before = {row.pk: (row.secret, row.previous_secret, row.headers) for row in Subscription.objects.all()}
    settings.ENCRYPTION_KEYS = (NEW, *settings.ENCRYPTION_KEYS)
    assert "deliveries.Subscription: 5 of 5" in rotate()
    settings.ENCRYPTION_KEYS = (NEW,)
    after = {row.pk: (row.secret, row.previous_secret, row.headers) for row in Subscription.objects.all()}
    assert after == before
    assert len(stored()) == 11
    assert all(Fernet(NEW).decrypt(value.encode()) for value in stored())


def test_a_rotation_is_no_change_of_the_subscription(subscribe: Subscribe) -> None:
    row = subscribe("Case.Created")
    rotate()
    assert Subscription.objects.get().updated_at == row.updated_at


def test_a_value_of_a_lost_key_stops_the_rotation_with_a_sentence(subscribe: Subscribe, settings: Settings) -> None:
    subscribe("Case.Created")
    settings.ENCRYPTION_KEYS = (NEW,)
    with pytest.raises(CommandError, match="Put the key it was written with back"):
        rotate()


def test_the_system_check_notices_a_lost_key(subscribe: Subscribe, settings: Settings) -> None:
    subscribe("Case.Created")
    assert complaints() == []
    settings.ENCRYPTION_KEYS = (NEW,)
    assert [message.id for message in complaints()] == ["deliveries.E001"]


def test_no_secret_is_stored_in_clear(subscribe: Subscribe) -> None:
    row = subscribe("Case.Created", headers={"X-Api-Key": "hush"})
    assert not any(row.secret in value or "hush" in value for value in stored())

"""Where secrets are, and where they are not."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet, InvalidToken
from django.core.exceptions import FieldError, ValidationError
from django.core.management import call_command
from django.core.serializers.base import DeserializationError
from django.db import connection
from django.test import override_settings

from cases.models import Case
from deliveries import services
from deliveries.models import Subscription
from workspaces.models import ApiKey, Workspace

from .conftest import Deliver, Subscribe
from .receiver import Answer, Receiver

CANARY = "whsec_" + "Y2FuYXJ5" * 4


def dump() -> str:
    """Every column of every table, as text."""
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        rows: list[Any] = []
        for table in tables:
            cursor.execute(f"SELECT t::text FROM {connection.ops.quote_name(table)} t")
            rows += cursor.fetchall()
    return "\n".join(row[0] for row in rows)


def test_a_dump_of_the_database_holds_no_secret(
    workspace: Workspace, subscribe: Subscribe, deliver: Deliver, receiver: Receiver
) -> None:
    _, key = ApiKey.objects.issue(workspace, "tests")
    subscribe("Case.Created", secret=CANARY, headers={"Authorization": "Bearer canary-header"})
    receiver.answer = lambda post: Answer(headers={"Set-Cookie": "session=canary-cookie"})
    Case.objects.create(workspace=workspace, name="Dotfile")
    deliver()
    assert receiver.posts[0].headers["authorization"] == "Bearer canary-header"
    found = dump()
    assert "Dotfile" in found
    for secret in (CANARY, CANARY.removeprefix("whsec_"), "canary-header", "canary-cookie", key, key.split(".")[1]):
        assert secret not in found


def test_keys_rotate_and_a_lost_key_is_an_error(subscribe: Subscribe) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    with override_settings(ENCRYPTION_KEYS=(old,)):
        key = subscribe("Case.Created", secret=CANARY).pk
    with override_settings(ENCRYPTION_KEYS=(new, old)):
        row = Subscription.objects.get(pk=key)
        assert row.secret == CANARY
        row.save()
    with override_settings(ENCRYPTION_KEYS=(new,)):
        assert Subscription.objects.get(pk=key).secret == CANARY
    with override_settings(ENCRYPTION_KEYS=(old,)), pytest.raises(InvalidToken):
        Subscription.objects.get(pk=key)


def test_an_encrypted_column_cannot_be_searched(db: None) -> None:
    with pytest.raises(FieldError, match="cannot be searched"):
        Subscription.objects.filter(secret=CANARY).exists()


def fixture(path: Path) -> str:
    """What dumpdata writes of all subscriptions, also into `path`."""
    out = StringIO()
    call_command("dumpdata", "deliveries.subscription", stdout=out)
    path.write_text(out.getvalue())
    return out.getvalue()


def test_a_fixture_holds_no_secret_and_can_be_loaded(subscribe: Subscribe, tmp_path: Path) -> None:
    row = subscribe("Case.Created", secret=CANARY, headers={"Authorization": "canary-header"})
    old = services.rotate_secret(row, "a phrase that is long enough").previous_secret
    text = fixture(tmp_path / "dump.json")
    assert row.url in text
    assert not any(secret in text for secret in (CANARY, "canary-header", "a phrase that is"))
    Subscription.objects.all().delete()
    call_command("loaddata", tmp_path / "dump.json", verbosity=0)
    found = Subscription.objects.get()
    assert (found.secret, found.previous_secret) == ("a phrase that is long enough", old)
    assert found.headers == {"Authorization": "canary-header"}


def test_a_fixture_of_a_lost_key_is_refused(subscribe: Subscribe, tmp_path: Path) -> None:
    subscribe("Case.Created")
    fixture(tmp_path / "dump.json")
    with (
        override_settings(ENCRYPTION_KEYS=(Fernet.generate_key().decode(),)),
        pytest.raises(DeserializationError, match="none of ENCRYPTION_KEYS opens"),
    ):
        call_command("loaddata", tmp_path / "dump.json", verbosity=0)


def test_a_secret_that_looks_like_an_encrypted_one_is_refused_in_forms(subscribe: Subscribe) -> None:
    row = subscribe("Case.Created", secret="encrypted:but not really")
    with pytest.raises(ValidationError, match="none of ENCRYPTION_KEYS opens"):
        row.full_clean()

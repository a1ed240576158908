"""Issuing and rotating keys."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from tests import factories
from workspaces import keys
from workspaces.keys import Scope
from workspaces.models import ApiKey

from .crowd import meanwhile

pytestmark = pytest.mark.django_db


@pytest.fixture
def old() -> ApiKey:
    limits = ["10.0.0.0/8"]
    return ApiKey.objects.issue(factories.workspace(), "server", scopes=[Scope.READ], allowed_networks=limits)[0]


def again(key: ApiKey) -> ApiKey:
    return ApiKey.objects.get(pk=key.pk)


def test_a_key_may_do_everything_from_everywhere_unless_told_otherwise() -> None:
    key, _ = ApiKey.objects.issue(factories.workspace(), "server")
    assert (again(key).scopes, again(key).allowed_networks) == (["read", "write", "webhooks"], [])


def test_a_key_that_older_code_issues_during_a_deploy_may_do_everything(old: ApiKey) -> None:
    known = "workspace_id, name, hash, created_at"
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO workspaces_apikey (id, identifier, {known}) "
            f"SELECT gen_random_uuid(), 'older', {known} FROM workspaces_apikey"
        )
    key = ApiKey.objects.get(identifier="older")
    assert (key.scopes, key.allowed_networks) == (["read", "write", "webhooks"], [])


def test_scopes_are_kept_once_each_in_their_order() -> None:
    key, _ = ApiKey.objects.issue(factories.workspace(), "server", scopes=["webhooks", "read", "webhooks"])
    assert again(key).scopes == ["read", "webhooks"]


@pytest.mark.parametrize("scopes", [[], ["admin"], ["read", "Write"]])
def test_other_scopes_or_none_are_refused_with_a_sentence(scopes: list[str]) -> None:
    with pytest.raises(ValidationError, match="read, write, webhooks"):
        ApiKey.objects.issue(factories.workspace(), "server", scopes=scopes)


@pytest.mark.parametrize("name", ["", "a" * 181])
def test_a_name_is_needed_and_has_an_end(name: str) -> None:
    with pytest.raises(ValidationError):
        ApiKey.objects.issue(factories.workspace(), name)


def test_a_key_that_expired_before_it_was_made_is_refused() -> None:
    with pytest.raises(ValidationError, match="has passed"):
        ApiKey.objects.issue(factories.workspace(), "server", expires_at=timezone.now())


def test_a_workspace_has_so_many_live_keys_and_no_more(settings: Settings, old: ApiKey) -> None:
    settings.KEYS_PER_WORKSPACE = 2
    other, _ = ApiKey.objects.issue(old.workspace, "second")
    with pytest.raises(ValidationError, match=r"Maximum items reached \(2 keys\)"):
        ApiKey.objects.issue(old.workspace, "third")
    ApiKey.objects.issue(factories.workspace(), "of another workspace")
    other.revoke()
    ApiKey.objects.issue(old.workspace, "third")


def test_a_key_is_rotated_at_the_limit_too_and_then_counts_once(settings: Settings, old: ApiKey) -> None:
    settings.KEYS_PER_WORKSPACE = 2
    ApiKey.objects.rotate(old)
    ApiKey.objects.issue(old.workspace, "second")
    with pytest.raises(ValidationError, match="Maximum items reached"):
        ApiKey.objects.issue(old.workspace, "third")


def test_a_rotated_key_has_the_name_the_scopes_and_the_list_of_the_old_one(old: ApiKey) -> None:
    new, text = ApiKey.objects.rotate(old)
    found = ApiKey.objects.find(text)
    assert found == new
    assert (new.name, new.scopes, new.allowed_networks) == (old.name, old.scopes, old.allowed_networks)
    assert (new.workspace, new.replaces, new.expires_at) == (old.workspace, old, None)


def test_the_old_key_is_good_for_the_grace(settings: Settings, old: ApiKey) -> None:
    before = timezone.now()
    ApiKey.objects.rotate(old, timedelta(hours=1))
    end = again(old).expires_at
    assert end is not None
    assert before + timedelta(hours=1) <= end <= timezone.now() + timedelta(hours=1)


def test_without_a_grace_it_is_that_of_the_settings(settings: Settings, old: ApiKey) -> None:
    settings.KEY_GRACE = 0
    ApiKey.objects.rotate(old)
    assert not again(old).is_live()


def test_a_rotation_prolongs_no_old_key_and_gives_the_new_one_as_long_as_it_had(old: ApiKey) -> None:
    end = timezone.now() + timedelta(minutes=1)
    ApiKey.objects.filter(pk=old.pk).update(expires_at=end, created_at=end - timedelta(days=30))
    before = timezone.now()
    new, _ = ApiKey.objects.rotate(old)
    assert again(old).expires_at == end
    assert new.expires_at is not None
    # Rotated and then written, between these two moments.
    assert before <= new.expires_at - timedelta(days=30) <= new.created_at <= timezone.now()


def test_a_key_that_lasts_as_long_as_time_can_be_told_is_rotated(old: ApiKey) -> None:
    end = datetime(9999, 12, 31, tzinfo=UTC)
    ApiKey.objects.filter(pk=old.pk).update(expires_at=end, created_at=timezone.now() - timedelta(days=30))
    new, _ = ApiKey.objects.rotate(old)
    assert new.expires_at is not None
    assert new.expires_at >= end


def test_a_key_in_the_middle_of_a_rotation_is_not_rotated_again(old: ApiKey) -> None:
    new, _ = ApiKey.objects.rotate(old)
    with pytest.raises(ValidationError, match=f"is being replaced by .*{new.identifier}"):
        ApiKey.objects.rotate(old)
    with pytest.raises(ValidationError, match=f"replaces .*{old.identifier}.*revoke that one first"):
        ApiKey.objects.rotate(new)


def test_when_one_of_both_is_gone_the_other_is_rotated(old: ApiKey) -> None:
    new, _ = ApiKey.objects.rotate(old)
    new.revoke()
    newer, _ = ApiKey.objects.rotate(old)
    assert newer.expires_at is None
    old.revoke()
    assert ApiKey.objects.rotate(newer)[0].replaces == newer


def test_a_revoked_key_is_not_rotated(old: ApiKey) -> None:
    old.revoke()
    with pytest.raises(ValidationError, match="is not live"):
        ApiKey.objects.rotate(old)


@pytest.mark.django_db(transaction=True)
def test_of_two_rotations_at_once_the_second_is_refused(old: ApiKey) -> None:
    with pytest.raises(ValidationError, match="is being replaced"):
        meanwhile(lambda: ApiKey.objects.rotate(old), lambda: ApiKey.objects.rotate(old))
    assert ApiKey.objects.live().count() == 2


@pytest.mark.django_db(transaction=True)
def test_of_two_new_keys_at_once_one_has_the_last_place(settings: Settings, old: ApiKey) -> None:
    settings.KEYS_PER_WORKSPACE = 2
    with pytest.raises(ValidationError, match="Maximum items reached"):
        meanwhile(
            lambda: ApiKey.objects.issue(old.workspace, "first"), lambda: ApiKey.objects.issue(old.workspace, "second")
        )
    assert ApiKey.objects.live().count() == 2


def test_an_unknown_key_is_compared_as_a_known_one_is(old: ApiKey, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[str] = []

    def fits(stored: str, text: str) -> bool:
        compared.append(stored)
        return False

    monkeypatch.setattr(keys, "fits", fits)
    ApiKey.objects.find(f"dotkey.secret.{old.identifier}")
    ApiKey.objects.find("dotkey.secret.0123456789ab")
    assert compared == [old.hash, keys.NOBODYS]


def test_a_key_does_not_show_itself(old: ApiKey) -> None:
    shown = f"{old!r} {old} {ApiKey.objects.live()!r}"
    assert old.identifier in shown
    assert old.hash not in shown

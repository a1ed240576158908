"""Keys in the admin."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from tests import factories
from workspaces.keys import Scope
from workspaces.models import ApiKey, Workspace

from .crowd import meanwhile
from .staff import viewer

pytestmark = pytest.mark.django_db


LIST, ADD = "/admin/workspaces/apikey/", "/admin/workspaces/apikey/add/"
TEXT = r"dotkey\.[\w-]+\.[0-9a-f]+"


def filled(workspace: Workspace, **fields: Any) -> dict[str, Any]:
    """What a browser would post of the form."""
    empty = {"expires_at_0": "", "expires_at_1": "", "allowed_networks": ""}
    return empty | {"workspace": str(workspace.pk), "name": "server", "scopes": list(Scope.values)} | fields


def chosen(action: str, *of: ApiKey) -> dict[str, Any]:
    return {"action": action, "_selected_action": [str(key.pk) for key in of]}


def ping(key: str) -> int:
    return int(APIClient().get("/v1/ping", headers={"X-DOTFILE-API-KEY": key}).status_code)


def test_a_key_is_shown_once_after_it_was_made(admin_client: Client) -> None:
    workspace = factories.workspace()
    answer = admin_client.post(ADD, filled(workspace))
    found = re.search(TEXT, answer.content.decode())
    assert found
    assert "no-store" in answer["Cache-Control"]
    assert found[0] not in str(admin_client.cookies)
    assert ping(found[0]) == 200
    key = ApiKey.objects.get()
    page = admin_client.get(f"/admin/workspaces/apikey/{key.pk}/change/").content.decode()
    assert found[0] not in page
    assert key.hash not in page


def test_a_revoked_key_is_refused_from_then_on(admin_client: Client) -> None:
    key, text = ApiKey.objects.issue(factories.workspace(), "server")
    admin_client.post(LIST, chosen("revoke", key))
    assert ping(text) == 401
    assert LogEntry.objects.get().get_change_message() == "Revoked."


def test_a_key_is_issued_with_scopes_and_an_allow_list(admin_client: Client) -> None:
    networks = "203.0.113.0/24\r\n2001:db8::1"
    admin_client.post(ADD, filled(factories.workspace(), scopes=["webhooks", "read"], allowed_networks=networks))
    key = ApiKey.objects.get()
    assert (key.scopes, key.allowed_networks) == (["read", "webhooks"], ["203.0.113.0/24", "2001:db8::1/128"])
    page = admin_client.get(f"{LIST}{key.pk}/change/").content.decode()
    assert page.count("checked") == 2
    assert "203.0.113.0/24\n2001:db8::1/128</textarea>" in page


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"allowed_networks": "10.0.0.1/8"}, "write 10.0.0.0/8, or 10.0.0.1 for the one address"),
        ({"scopes": []}, "This field is required"),
        ({"scopes": ["all"]}, "all is not one of the available choices"),
        ({"expires_at_0": "2020-01-31", "expires_at_1": "00:00"}, "This time has passed"),
    ],
)
def test_what_is_wrong_with_a_key_is_a_sentence(admin_client: Client, fields: dict[str, Any], sentence: str) -> None:
    assert sentence in admin_client.post(ADD, filled(factories.workspace(), **fields)).content.decode()
    assert not ApiKey.objects.exists()


def test_one_key_too_many_is_a_sentence(admin_client: Client, settings: Settings) -> None:
    settings.KEYS_PER_WORKSPACE = 1
    key, _ = ApiKey.objects.issue(factories.workspace(), "server")
    assert "Maximum items reached" in admin_client.post(ADD, filled(key.workspace)).content.decode()


def test_a_rotated_key_is_shown_once_and_the_old_one_goes_on_for_a_while(admin_client: Client) -> None:
    old, text = ApiKey.objects.issue(factories.workspace(), "server")
    answer = admin_client.post(LIST, chosen("rotate", old))
    found = re.search(TEXT, answer.content.decode())
    assert found
    assert "no-store" in answer["Cache-Control"]
    assert (ping(text), ping(found[0])) == (200, 200)
    assert {entry.get_change_message() for entry in LogEntry.objects.all()} == {
        "Rotated.",
        f"Issued in place of {old}.",
    }
    again = admin_client.post(LIST, chosen("rotate", old), follow=True).content.decode()
    assert "is being replaced" in again
    assert not re.search(TEXT, again)


def test_two_keys_are_not_rotated_at_a_time(admin_client: Client) -> None:
    workspace = factories.workspace()
    both = [ApiKey.objects.issue(workspace, name)[0] for name in ("a", "b")]
    answer = admin_client.post(LIST, chosen("rotate", *both), follow=True)
    assert "Rotate one key at a time" in answer.content.decode()
    assert ApiKey.objects.count() == 2


def test_a_key_that_is_gone_is_not_rotated(admin_client: Client) -> None:
    key, _ = ApiKey.objects.issue(factories.workspace(), "server")
    form = chosen("rotate", key)
    key.delete()
    assert "no longer there" in admin_client.post(LIST, form, follow=True).content.decode()


def test_a_key_that_has_ended_is_not_brought_back(admin_client: Client) -> None:
    key, text = ApiKey.objects.issue(factories.workspace(), "server")
    ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now())
    page = f"/admin/workspaces/apikey/{key.pk}/change/"
    for later in ({}, {"expires_at_0": "2999-01-31", "expires_at_1": "00:00"}):
        answer = admin_client.post(page, filled(key.workspace, **later))
        assert "This key has ended: issue a new one instead." in answer.content.decode()
        assert ping(text) == 401


def test_a_key_that_has_ended_can_be_renamed(admin_client: Client) -> None:
    key, _ = ApiKey.objects.issue(factories.workspace(), "server")
    ApiKey.objects.filter(pk=key.pk).update(expires_at="2020-01-31T00:00:00Z")
    page, end = f"/admin/workspaces/apikey/{key.pk}/change/", {"expires_at_0": "2020-01-31", "expires_at_1": "00:00:00"}
    admin_client.post(page, filled(key.workspace, name="old server", **end))
    assert ApiKey.objects.get().name == "old server"


def end(moment: datetime) -> dict[str, str]:
    day, time = f"{moment:%Y-%m-%d %H:%M:%S}".split()
    return {"expires_at_0": day, "expires_at_1": time}


def rotated() -> tuple[ApiKey, str]:
    """A key in the middle of its rotation, and its page."""
    old, _ = ApiKey.objects.issue(factories.workspace(), "server")
    ApiKey.objects.rotate(old)
    old.refresh_from_db()
    return old, f"/admin/workspaces/apikey/{old.pk}/change/"


def test_the_end_of_a_key_that_is_being_replaced_is_not_put_off(admin_client: Client) -> None:
    old, page = rotated()
    assert old.expires_at
    for later in ({}, end(old.expires_at + timedelta(minutes=1))):
        answer = admin_client.post(page, filled(old.workspace, **later))
        assert f"This key is being replaced by {old.successors.get()}" in html.unescape(answer.content.decode())
        assert ApiKey.objects.get(pk=old.pk).expires_at == old.expires_at


def test_the_end_of_a_key_that_is_being_replaced_is_brought_forward(admin_client: Client) -> None:
    old, page = rotated()
    assert old.expires_at
    sooner = (old.expires_at - timedelta(minutes=1)).replace(microsecond=0)
    assert admin_client.post(page, filled(old.workspace, **end(sooner))).status_code == 302
    assert ApiKey.objects.get(pk=old.pk).expires_at == sooner


def test_a_key_whose_replacement_was_revoked_can_go_on(admin_client: Client) -> None:
    old, page = rotated()
    old.successors.get().revoke()
    assert admin_client.post(page, filled(old.workspace)).status_code == 302
    assert ApiKey.objects.get(pk=old.pk).expires_at is None


@pytest.mark.django_db(transaction=True)
def test_a_page_that_is_sent_during_a_rotation_does_not_undo_it(admin_client: Client, transactional_db: None) -> None:
    old, _ = ApiKey.objects.issue(factories.workspace(), "server")
    page = f"/admin/workspaces/apikey/{old.pk}/change/"
    answer = meanwhile(
        lambda: ApiKey.objects.rotate(old), lambda: admin_client.post(page, filled(old.workspace, name="Renamed"))
    )
    assert "is being replaced by" in answer.content.decode()
    assert ApiKey.objects.get(pk=old.pk).expires_at is not None


def test_a_revoked_key_can_be_renamed_and_stays_revoked(admin_client: Client) -> None:
    key, text = ApiKey.objects.issue(factories.workspace(), "server")
    key.revoke()
    admin_client.post(f"/admin/workspaces/apikey/{key.pk}/change/", filled(key.workspace, name="old server"))
    assert ApiKey.objects.get().name == "old server"
    assert ping(text) == 401


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("change", "status"), [(ApiKey.revoke, 302), (ApiKey.objects.rotate, 200)])
def test_a_key_that_is_saved_at_the_moment_it_ends_ends_all_the_same(
    admin_client: Client, change: Callable[[ApiKey], object], status: int
) -> None:
    """A revoked one may be renamed; that the other was to last for ever, as when its page was opened, is refused."""
    key, _ = ApiKey.objects.issue(factories.workspace(), "server")
    page, form = f"/admin/workspaces/apikey/{key.pk}/change/", filled(key.workspace, name="old server")
    answer = meanwhile(lambda: change(key), lambda: admin_client.post(page, form))
    saved = ApiKey.objects.get(pk=key.pk)
    assert answer.status_code == status
    assert saved.revoked_at or saved.expires_at


@pytest.mark.parametrize("key", ["x", "\0"])
@pytest.mark.parametrize(
    ("page", "name"),
    [
        (ADD, "workspace"),
        (LIST, "_selected_action"),
        ("/admin/deliveries/subscription/add/", "workspace"),
        ("/admin/cases/case/add/", "tags"),
        ("/admin/cases/individual/add/", "case"),
        ("/admin/checks/check/add/", "individual"),
    ],
)
def test_a_key_of_a_row_that_is_none_is_a_bad_request(admin_client: Client, page: str, name: str, key: str) -> None:
    admin_client.raise_request_exception = False
    assert admin_client.post(page, {name: key, "action": "delete_selected"}).status_code == 400


def test_the_list_says_how_each_key_is(admin_client: Client) -> None:
    now = timezone.now()
    workspace = factories.workspace()
    for name in ("live", "soon", "expired", "revoked"):
        ApiKey.objects.issue(workspace, name)
    ApiKey.objects.filter(name="soon").update(expires_at=now + timedelta(days=3, minutes=1))
    ApiKey.objects.filter(name="expired").update(expires_at=now)
    ApiKey.objects.filter(name="revoked").update(revoked_at=now)
    page = admin_client.get(LIST).content.decode()
    shown = re.findall(r'<td class="field-state">(.*?)</td>', page)
    assert sorted(shown) == ["expired", "expires in 3 days", "live", "revoked"]


def test_who_may_only_look_can_neither_revoke_nor_rotate() -> None:
    key, text = ApiKey.objects.issue(factories.workspace(), "server")
    for action in ("revoke", "rotate"):
        viewer(ApiKey).post(LIST, chosen(action, key))
    assert ping(text) == 200
    assert ApiKey.objects.get() == key


def test_the_admin_tells_its_name(admin_client: Client) -> None:
    page = admin_client.get("/admin/").content.decode()
    assert "Dotfile Hooks" in page
    assert "Django" not in page


@pytest.mark.parametrize("name", ["workspace", "apikey", "user"])
def test_lists_and_forms_open(admin_client: Client, name: str) -> None:
    factories.workspace()
    assert admin_client.get(f"/admin/workspaces/{name}/?q=a").status_code == 200
    assert admin_client.get(f"/admin/workspaces/{name}/add/").status_code == 200

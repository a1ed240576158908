"""Keys in the admin."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from rest_framework.test import APIClient

from tests import factories
from workspaces.models import ApiKey

from .staff import viewer

pytestmark = pytest.mark.django_db


def ping(key: str) -> int:
    return int(APIClient().get("/v1/ping", headers={"X-DOTFILE-API-KEY": key}).status_code)


def test_a_key_is_shown_once_after_it_was_made(admin_client: Client) -> None:
    workspace = factories.workspace()
    form = {"workspace": str(workspace.pk), "name": "server", "expires_at_0": "", "expires_at_1": ""}
    answer = admin_client.post("/admin/workspaces/apikey/add/", form)
    found = re.search(r"dotkey\.[\w-]+\.[0-9a-f]+", answer.content.decode())
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
    admin_client.post("/admin/workspaces/apikey/", {"action": "revoke", "_selected_action": [str(key.pk)]})
    assert ping(text) == 401


def test_who_may_only_look_cannot_revoke() -> None:
    key, text = ApiKey.objects.issue(factories.workspace(), "server")
    viewer(ApiKey).post("/admin/workspaces/apikey/", {"action": "revoke", "_selected_action": [str(key.pk)]})
    assert ping(text) == 200


def test_the_admin_tells_its_name(admin_client: Client) -> None:
    page = admin_client.get("/admin/").content.decode()
    assert "Dotfile Hooks" in page
    assert "Django" not in page


@pytest.mark.parametrize("name", ["workspace", "apikey", "user"])
def test_lists_and_forms_open(admin_client: Client, name: str) -> None:
    factories.workspace()
    assert admin_client.get(f"/admin/workspaces/{name}/?q=a").status_code == 200
    assert admin_client.get(f"/admin/workspaces/{name}/add/").status_code == 200

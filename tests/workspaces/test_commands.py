"""Workspaces and keys from the command line."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from tests import factories
from workspaces.models import Workspace

pytestmark = pytest.mark.django_db


def output(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def pings(key: str) -> str:
    response = APIClient().get("/v1/ping", headers={"X-DOTFILE-API-KEY": key})
    return str(response.json().get("workspace_name"))


def test_a_new_workspace_comes_with_a_key() -> None:
    made = json.loads(output("create_workspace", "Demo", "--json"))
    assert Workspace.objects.get(pk=made["workspace_id"]).name == "Demo"
    assert pings(made["api_key"]) == "Demo"


def test_people_get_the_same_to_read() -> None:
    assert pings(output("create_workspace", "Demo").split()[-1]) == "Demo"


def test_another_key_is_issued() -> None:
    workspace = factories.workspace("Demo")
    assert pings(output("issue_api_key", str(workspace.pk), "server").strip()) == "Demo"


@pytest.mark.parametrize("workspace_id", ["nonsense", "019a0000-0000-7000-8000-000000000000"])
def test_an_unknown_workspace_is_a_sentence(workspace_id: str) -> None:
    with pytest.raises(CommandError, match="There is no workspace"):
        output("issue_api_key", workspace_id, "server")

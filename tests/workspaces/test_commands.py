"""Workspaces and keys from the command line."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from tests import factories
from workspaces.models import ApiKey, Workspace

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
@pytest.mark.parametrize("command", [("issue_api_key", "{}", "server"), ("list_api_keys", "{}")])
def test_an_unknown_workspace_is_a_sentence(command: tuple[str, ...], workspace_id: str) -> None:
    with pytest.raises(CommandError, match="There is no workspace"):
        output(*(word.format(workspace_id) for word in command))


def test_a_key_is_issued_with_scopes_an_end_and_an_allow_list() -> None:
    limits = ["--scope", "webhooks", "--scope", "read", "--expires", "2100-01-31", "--allow", "10.0.0.1"]
    text = output("issue_api_key", str(factories.workspace().pk), "server", *limits).strip()
    key = ApiKey.objects.get()
    assert ApiKey.objects.find(text) == key
    assert (key.scopes, key.allowed_networks) == (["read", "webhooks"], ["10.0.0.1/32"])
    assert key.expires_at == datetime(2100, 1, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        (("--scope", "admin"), "invalid choice: 'admin'"),
        (("--expires", "soon"), "'soon' is no moment such as 2030-01-31"),
        (("--expires", "2020-01-31"), "This time has passed"),
        (("--allow", "10.0.0.1/8"), "write 10.0.0.0/8"),
    ],
)
def test_what_is_wrong_with_a_new_key_is_a_sentence(option: tuple[str, str], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        output("issue_api_key", str(factories.workspace().pk), "server", *option)
    assert not ApiKey.objects.exists()


def test_a_rotated_key_is_printed_and_the_old_one_goes_on_for_the_grace() -> None:
    old, text = ApiKey.objects.issue(factories.workspace("Demo"), "server")
    new = output("rotate_api_key", old.identifier, "--grace", "3600").strip()
    assert [pings(new), pings(text)] == ["Demo", "Demo"]
    with pytest.raises(CommandError, match="is being replaced"):
        output("rotate_api_key", old.identifier)


def test_without_grace_the_old_key_ends_at_once() -> None:
    old, text = ApiKey.objects.issue(factories.workspace("Demo"), "server")
    assert pings(output("rotate_api_key", old.identifier, "--grace", "0").strip()) == "Demo"
    assert pings(text) == "None"


@pytest.mark.parametrize("grace", ["-1", "2678401"])
def test_a_grace_has_limits(grace: str) -> None:
    old, _ = ApiKey.objects.issue(factories.workspace(), "server")
    with pytest.raises(CommandError, match="from 0 to 2,678,400 seconds"):
        output("rotate_api_key", old.identifier, f"--grace={grace}")


def test_a_revoked_key_is_refused_and_revoking_it_again_is_no_mistake() -> None:
    key, text = ApiKey.objects.issue(factories.workspace("Demo"), "server")
    assert output("revoke_api_key", key.identifier) == f"{key} is revoked.\n"
    assert pings(text) == "None"
    assert output("revoke_api_key", key.identifier) == f"{key} was revoked before.\n"


@pytest.mark.parametrize("command", ["rotate_api_key", "revoke_api_key"])
def test_a_key_given_by_its_text_is_not_repeated(command: str) -> None:
    _, text = ApiKey.objects.issue(factories.workspace(), "server")
    with pytest.raises(CommandError, match="There is no such key") as caught:
        output(command, text)
    assert text.split(".")[1] not in str(caught.value)


def test_live_keys_are_listed_and_the_others_when_asked_for() -> None:
    workspace = factories.workspace()
    live, text = ApiKey.objects.issue(workspace, "server", scopes=["read"], allowed_networks=["10.0.0.0/8"])
    gone, _ = ApiKey.objects.issue(workspace, "old server")
    gone.revoke()
    ApiKey.objects.issue(factories.workspace(), "of another workspace")
    line = f"{live.identifier}\t{workspace.pk}\tread\tlive\tnever used\t10.0.0.0/8\tserver\n"
    assert output("list_api_keys", str(workspace.pk)) == line
    assert "of another workspace" in output("list_api_keys")
    every = output("list_api_keys", "--all")
    assert f"{gone.identifier}\t{workspace.pk}\tread,write,webhooks\trevoked\tnever used\teverywhere" in every
    assert text.split(".")[1] not in every
    assert live.hash not in every

"""Where a key is good from, and where a request comes from."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from pytest_django import Settings
from rest_framework.test import APIClient

from tests import factories
from workspaces import networks
from workspaces.api import origins
from workspaces.models import ApiKey


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("203.0.113.0/24", "203.0.113.0/24"),
        (" 203.0.113.9 ", "203.0.113.9/32"),
        ("203.0.113.0/255.255.255.0", "203.0.113.0/24"),
        ("2001:DB8:0::/32", "2001:db8::/32"),
        ("2001:db8::1", "2001:db8::1/128"),
        ("0.0.0.0/0", "0.0.0.0/0"),
    ],
)
def test_a_network_is_stored_in_one_form(text: str, stored: str) -> None:
    assert networks.network(text) == stored


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is no network"),
        ("example.com", "is no network"),
        ("203.0.113.0/33", "is no network"),
        ("203.0.113.256", "is no network"),
        ("fe80::1%eth0", "is no network"),
        ("203.0.113.9/24", "write 203.0.113.0/24, or 203.0.113.9 for the one address"),
        ("2001:db8::1/32", "write 2001:db8::/32, or 2001:db8::1 for the one address"),
        ("::ffff:203.0.113.9", "write the IPv4 network"),
        ("::ffff:0:0/96", "write the IPv4 network"),
    ],
)
def test_what_is_no_network_is_told_what_would_be(text: str, sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        networks.network(text)


def test_every_wrong_network_of_a_list_is_told() -> None:
    with pytest.raises(ValidationError) as caught:
        networks.allow_list(["a", "10.0.0.0/8", "b"])
    assert len(caught.value.messages) == 2


def test_a_list_has_each_network_once_and_an_end() -> None:
    assert networks.allow_list(["10.0.0.1", "10.0.0.1/32"]) == ["10.0.0.1/32"]
    with pytest.raises(ValidationError, match="At most 100 networks; these are 101"):
        networks.allow_list([f"10.0.0.{number}" for number in range(101)])


@pytest.mark.parametrize(
    ("at", "held"),
    [
        ("203.0.113.9", True),
        ("203.0.114.9", False),
        ("2001:db8:1::9", True),
        ("2001:db9::", False),
        ("::ffff:203.0.113.9", True),
        ("2001:db8::1%eth0", True),
        ("", False),
    ],
)
def test_which_addresses_a_list_has(at: str, held: bool) -> None:
    assert networks.holds(["203.0.113.0/24", "2001:db8::/32"], networks.address(at)) == held


@pytest.mark.parametrize(
    ("proxies", "told", "caller"),
    [
        (0, None, "10.0.0.1"),
        (0, "203.0.113.9", "10.0.0.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "192.0.2.1, 203.0.113.9", "203.0.113.9"),
        (1, "192.0.2.1,203.0.113.9:41000", "203.0.113.9"),
        (1, "[2001:db8::1]:41000", "2001:db8::1"),
        (1, "2001:db8::1", "2001:db8::1"),
        (1, "::ffff:203.0.113.9", "203.0.113.9"),
        (2, "192.0.2.1, 203.0.113.9, 198.51.100.1", "203.0.113.9"),
        (2, "203.0.113.9", None),
        (1, None, None),
        (1, "", None),
        (1, "unknown", None),
        (1, "203.0.113.9,", None),
    ],
)
def test_whose_request_it_is(settings: Settings, proxies: int, told: str | None, caller: str | None) -> None:
    settings.TRUSTED_PROXIES = proxies
    headers = {} if told is None else {"HTTP_X_FORWARDED_FOR": told}
    found = origins.caller({"REMOTE_ADDR": "10.0.0.1", **headers})
    assert (found and str(found)) == caller


def test_a_request_through_a_socket_is_nobodys(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = 0
    assert origins.caller({"REMOTE_ADDR": ""}) is None


@pytest.mark.parametrize(
    ("at", "whole"),
    [("203.0.113.9", "203.0.113.9"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"), ("", "unknown")],
)
def test_what_counts_as_one_origin(at: str, whole: str) -> None:
    assert origins.whole(networks.address(at)) == whole


def ping(text: str, at: str, **more: Any) -> tuple[int, str]:
    headers = {"X-DOTFILE-API-KEY": text, **more.pop("headers", {})}
    response = APIClient().get("/v1/ping", headers=headers, REMOTE_ADDR=at)
    return response.status_code, response.json().get("message", "")


@pytest.mark.django_db
def test_a_key_with_an_allow_list_is_403_elsewhere() -> None:
    key, text = ApiKey.objects.issue(factories.workspace(), "server", allowed_networks=["203.0.113.0/24"])
    assert ping(text, "203.0.113.9")[0] == 200
    ApiKey.objects.update(last_used_at=None)
    status, message = ping(text, "198.51.100.1")
    assert (status, "may not be used from 198.51.100.1" in message) == (403, True)
    assert ApiKey.objects.get(pk=key.pk).last_used_at is None


@pytest.mark.django_db
@pytest.mark.parametrize("proxies", [0, 1])
def test_a_spoofed_header_does_not_help(settings: Settings, proxies: int) -> None:
    settings.TRUSTED_PROXIES = proxies
    _, text = ApiKey.objects.issue(factories.workspace(), "server", allowed_networks=["203.0.113.9"])
    spoofed = "203.0.113.9, 198.51.100.1" if proxies else "203.0.113.9"
    assert ping(text, "198.51.100.1", headers={"X-Forwarded-For": spoofed})[0] == 403

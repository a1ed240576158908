"""Who may call the API, and what everybody else is told."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from tests import factories
from workspaces.models import ApiKey

pytestmark = pytest.mark.django_db


def ping(key: str | None) -> tuple[int, dict[str, object]]:
    headers = {} if key is None else {"X-DOTFILE-API-KEY": key}
    response = APIClient().get("/v1/ping", headers=headers)
    return response.status_code, response.json()


def test_a_key_speaks_for_its_workspace() -> None:
    _, text = ApiKey.objects.issue(factories.workspace("Demo"), "server")
    assert ping(text) == (200, {"workspace_name": "Demo"})


@pytest.mark.parametrize(
    "text", [None, "", "x", "dotkey..", "dotkey.a.b", "dotkey.secret.0123456789ab", "dotkey.é.0123456789ab"]
)
def test_a_missing_or_unknown_key_is_401_in_four_fields(text: str | None) -> None:
    status, answer = ping(text)
    assert (status, answer["status_code"], answer["code"]) == (401, 401, "UNAUTHORIZED")
    assert set(answer) == {"status_code", "timestamp", "code", "message"}


def test_the_right_identifier_with_a_wrong_secret_is_refused() -> None:
    key, text = ApiKey.objects.issue(factories.workspace(), "server")
    other = ApiKey.objects.issue(key.workspace, "other")[1]
    assert ping(f"{other.rpartition('.')[0]}.{key.identifier}")[0] == 401
    assert ping(text)[0] == 200


@pytest.mark.parametrize("headers", [{"User-Agent": "Dotfile-Hooks/1.0.0"}, {"webhook-id": "1"}, {"Webhook-Id": ""}])
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
def test_a_webhook_is_refused_whatever_key_it_has(headers: dict[str, str], method: str) -> None:
    _, text = ApiKey.objects.issue(factories.workspace(), "server")
    response = APIClient().generic(method, "/v1/ping", headers={"X-DOTFILE-API-KEY": text, **headers})
    assert (response.status_code, response.json()["code"]) == (403, "FORBIDDEN")
    assert "takes no webhooks" in response.json()["message"]


@pytest.mark.parametrize("field", ["expires_at", "revoked_at"])
def test_an_expired_or_revoked_key_is_refused(field: str) -> None:
    key, text = ApiKey.objects.issue(factories.workspace(), "server")
    ApiKey.objects.filter(pk=key.pk).update(**{field: timezone.now() - timedelta(seconds=1)})
    assert ping(text)[0] == 401


def test_only_a_hash_of_the_key_is_kept() -> None:
    key, text = ApiKey.objects.issue(factories.workspace(), "server")
    stored = " ".join(str(value) for value in ApiKey.objects.filter(pk=key.pk).values_list()[0])
    assert text not in stored
    assert text.split(".")[1] not in stored


def test_the_last_use_is_written_at_most_once_a_minute() -> None:
    key, text = ApiKey.objects.issue(factories.workspace(), "server")
    ping(text)
    first = ApiKey.objects.get(pk=key.pk).last_used_at
    ping(text)
    assert first is not None
    assert ApiKey.objects.get(pk=key.pk).last_used_at == first
    ApiKey.objects.filter(pk=key.pk).update(last_used_at=first - timedelta(seconds=61))
    ping(text)
    again = ApiKey.objects.get(pk=key.pk).last_used_at
    assert again is not None
    assert again >= first


def test_an_unknown_address_is_404_in_the_same_shape() -> None:
    response = APIClient().get("/v1/nonsense")
    assert (response.status_code, response.json()["code"]) == (404, "NOT_FOUND")

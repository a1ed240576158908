"""Bodies in chunks, as clients send what they do not know the length of."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
import requests
from pytest_django.live_server_helper import LiveServer
from rest_framework.test import APIClient

from cases.models import Case
from tests import factories
from workspaces.api import chunks
from workspaces.models import ApiKey

pytestmark = pytest.mark.django_db

NAMED = b'{"name": "Acme"}'
FORM = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\nContent-Type: application/pdf\r\n\r\n'


class Broken(BytesIO):
    """What a server gives in place of chunks that are none."""

    def read(self, size: int | None = -1, /) -> bytes:
        raise RuntimeError("Invalid chunk size")


@pytest.fixture
def client() -> APIClient:
    return factories.api_client(factories.workspace())


def send(client: APIClient, body: BytesIO, path: str = "cases", kind: str = "application/json", **more: Any) -> Any:
    """As a server hands over a body that came in chunks: without a length, and ended by it."""
    server = {"wsgi.input": body, "wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    return client.generic(more.pop("method", "POST"), f"/v1/{path}", "", kind, **{**server, **more})


def test_a_body_in_chunks_is_read(client: APIClient) -> None:
    made = send(client, BytesIO(NAMED))
    assert (made.status_code, made.json()["name"]) == (201, "Acme")
    renamed = send(client, BytesIO(b'{"name": "Other"}'), f"cases/{made.json()['id']}", method="PATCH")
    assert (renamed.status_code, renamed.json()["name"]) == (200, "Other")


def test_a_file_in_chunks_is_read(client: APIClient) -> None:
    body = FORM + b"%PDF-1.4\r\n--x--\r\n"
    assert send(client, BytesIO(body), "files/upload", "multipart/form-data; boundary=x").status_code == 201


def test_two_bodies_in_chunks_are_two_requests(client: APIClient) -> None:
    found = [send(client, BytesIO(body), headers={"Idempotency-Key": "a"}) for body in (NAMED, NAMED, b'{"name": "B"}')]
    assert [answer.status_code for answer in found] == [201, 201, 422]
    assert Case.objects.count() == 1


def test_a_body_in_chunks_has_its_limit(client: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "LONGEST", len(NAMED))
    assert [send(client, BytesIO(body)).status_code for body in (NAMED, NAMED + b" ")] == [201, 413]


def test_chunks_that_are_none_are_400(client: APIClient) -> None:
    answer = send(client, Broken())
    assert (answer.status_code, answer.json()["message"]) == (400, "The chunks of the body cannot be read.")


def test_without_a_good_key_nothing_is_read() -> None:
    assert send(APIClient(), Broken()).status_code == 401


def test_a_server_that_reads_no_chunks_asks_for_a_length(live_server: LiveServer) -> None:
    key = ApiKey.objects.issue(factories.workspace(), "tests")[1]
    headers = {"X-DOTFILE-API-KEY": key, "Content-Type": "application/json"}
    answer = requests.post(f"{live_server.url}/v1/cases", data=iter([NAMED]), headers=headers, timeout=20)
    assert (answer.status_code, answer.json()["code"]) == (411, "LENGTH_REQUIRED")
    assert not Case.objects.exists()

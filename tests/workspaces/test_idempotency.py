"""Idempotency-Key: a POST that is sent again does nothing again, and is answered as the first time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.db import OperationalError, connection
from django.urls import get_resolver
from django.utils import timezone
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient, APIRequestFactory

from cases.models import Case
from deliveries import upkeep
from deliveries.models import Event, Subscription
from tests import factories
from workspaces.api.views import WorkspaceViewSet
from workspaces.kept import KeptAnswer
from workspaces.models import ApiKey, Workspace

from .crowd import closing, meanwhile
from .routes import views_that_take

KEY = "8e03978e-40d5-43dd-bc93-6894a57f9324"
GATE = 4713


@pytest.fixture
def workspace(db: None) -> Workspace:
    return factories.workspace()


@pytest.fixture
def client(workspace: Workspace) -> APIClient:
    return factories.api_client(workspace)


def post(client: APIClient, body: Any = None, *, path: str = "cases", key: str = KEY) -> Any:
    return client.post(f"/v1/{path}", {"name": "Acme"} if body is None else body, headers={"Idempotency-Key": key})


# --- Again ----------------------------------------------------------------------------------------------------------


def test_the_same_request_again_gets_the_same_answer_and_does_nothing(client: APIClient) -> None:
    first, second = post(client), post(client)
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.content == first.content
    assert second["Content-Type"] == first["Content-Type"]
    assert (first.headers.get("Idempotent-Replayed"), second.headers.get("Idempotent-Replayed")) == (None, "true")
    assert (Case.objects.count(), Event.objects.count()) == (1, 1)


def test_the_same_json_written_in_another_way_is_the_same_request(client: APIClient) -> None:
    bodies = '{"name": "Acme", "metadata": {"a": "1", "b": "2"}}', '{"metadata":{"b":"2","a":"1"},"name":"Acme"}'
    headers = {"Idempotency-Key": KEY}
    found = [client.post("/v1/cases", body, content_type="application/json", headers=headers) for body in bodies]
    assert [answer.status_code for answer in found] == [201, 201]
    assert Case.objects.count() == 1


def test_a_post_without_a_body_is_answered_again(client: APIClient, workspace: Workspace) -> None:
    row = Subscription.objects.create(workspace=workspace, url="https://a.b/", events=["Case.Created"])
    body = {"since": (timezone.now() - timedelta(hours=1)).isoformat()}
    job = post(client, body, path=f"webhooks/{row.pk}/recover", key="first").json()
    path = f"webhooks/{row.pk}/recoveries/{job['id']}/cancel"
    first, second = (client.post(f"/v1/{path}", headers={"Idempotency-Key": KEY}) for _ in range(2))
    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert second["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize("change", [{"body": {"name": "Other"}}, {"path": "cases?x=1"}, {"path": "webhooks"}])
def test_another_request_under_the_same_key_is_422_with_a_sentence(client: APIClient, change: dict[str, Any]) -> None:
    post(client)
    response = post(client, **change)
    assert (response.status_code, response.json()["code"]) == (422, "UNPROCESSABLE_ENTITY")
    assert "another address or another body" in response.json()["message"]
    assert (Case.objects.count(), Subscription.objects.count()) == (1, 0)


def test_another_workspace_may_use_the_same_key(client: APIClient) -> None:
    stranger = factories.api_client(factories.workspace("Other"))
    assert post(client).json()["id"] != post(stranger).json()["id"]


def test_a_workspaces_other_api_key_gets_the_same_answer(client: APIClient, workspace: Workspace) -> None:
    assert post(client).content == post(factories.api_client(workspace)).content


@pytest.mark.parametrize("key", ["", "a b", "é", "x" * 256, "\x7f"])
def test_a_key_that_is_none_is_400(client: APIClient, key: str) -> None:
    response = post(client, key=key)
    assert (response.status_code, "visible ASCII" in response.json()["message"]) == (400, True)
    assert not Case.objects.exists()


def test_the_longest_key_is_taken(client: APIClient) -> None:
    assert [post(client, key="~" * 255).status_code for _ in range(2)] == [201, 201]
    assert Case.objects.count() == 1


def test_errors_are_not_kept(client: APIClient) -> None:
    assert post(client, {}).status_code == 400
    assert APIClient().post("/v1/cases", headers={"Idempotency-Key": KEY}).status_code == 401
    response = post(client)
    assert (response.status_code, "Idempotent-Replayed" in response.headers) == (201, False)


def test_other_methods_do_not_look_at_the_key(client: APIClient) -> None:
    path = f"/v1/cases/{post(client).json()['id']}"
    for name in ("One", "Two"):
        assert client.patch(path, {"name": name}, headers={"Idempotency-Key": KEY}).json()["name"] == name


# --- What is kept ---------------------------------------------------------------------------------------------------


def test_an_answer_is_kept_encrypted_and_the_key_hashed(client: APIClient) -> None:
    webhook = {"url": "https://example.com/", "events": ["Case.Created"], "secret": "hush-hush-hush-hush"}
    assert [post(client, webhook, path="webhooks").json()["secret"] for _ in range(2)] == [webhook["secret"]] * 2
    with connection.cursor() as cursor:
        cursor.execute("SELECT k::text || encode(k.key, 'escape') FROM workspaces_keptanswer k")
        (stored,) = cursor.fetchone()
    assert not [word for word in ("hush", "example.com", KEY) if word in stored]


def test_no_cache_keeps_a_secret_that_is_told_again(client: APIClient, workspace: Workspace) -> None:
    row = Subscription.objects.create(workspace=workspace, url="https://a.b/", events=["Case.Created"])
    first, second = (post(client, {}, path=f"webhooks/{row.pk}/rotate-secret") for _ in range(2))
    assert (second["Idempotent-Replayed"], second.json()["secret"]) == ("true", first.json()["secret"])
    assert [answer.headers.get("Cache-Control") for answer in (first, second)] == ["no-store", "no-store"]


def test_an_answer_is_forgotten_after_its_time(client: APIClient, settings: Any) -> None:
    old = post(client).json()
    settings.IDEMPOTENCY_SECONDS = 0
    new = post(client, {"name": "Other"}).json()
    settings.IDEMPOTENCY_SECONDS = 86_400
    assert new["id"] != old["id"]
    assert post(client, {"name": "Other"}).json() == new


@pytest.mark.parametrize("again", [{}, {"body": {"name": "Other"}}], ids=["same", "other"])
def test_what_was_answered_under_a_lost_encryption_key_is_409_and_not_done_again(
    client: APIClient, settings: Any, caplog: pytest.LogCaptureFixture, again: dict[str, Any]
) -> None:
    post(client)
    settings.ENCRYPTION_KEYS = (Fernet.generate_key().decode(),)
    response = post(client, **again)
    assert (response.status_code, "Retry-After" in response.headers) == (409, False)
    assert "was done already" in response.json()["message"]
    assert Case.objects.count() == 1
    assert [record.levelname for record in caplog.records if record.name == "workspaces.api.idempotency"] == ["ERROR"]


def test_an_old_answer_under_a_lost_encryption_key_is_in_nobodys_way(client: APIClient, settings: Any) -> None:
    post(client)
    settings.ENCRYPTION_KEYS = (Fernet.generate_key().decode(),)
    settings.IDEMPOTENCY_SECONDS = 0
    assert [post(client).status_code, sum(KeptAnswer.objects.all().remove_old())] == [201, 1]


def test_upkeep_removes_old_answers_only(client: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        post(client, key=str(number))
    monkeypatch.setattr("workspaces.kept.CHUNK", 2)
    later = timezone.now() + timedelta(hours=23, minutes=59)
    assert not [line for line in upkeep.run(later) if "answers" in line]
    later += timedelta(minutes=2)
    assert "would remove 3 answers kept for Idempotency-Keys" in list(upkeep.plan(later))
    assert "removed 3 answers kept for Idempotency-Keys" in list(upkeep.run(later))
    assert not KeptAnswer.objects.exists()


# --- At the same moment, and after a crash --------------------------------------------------------------------------


class Slow(WorkspaceViewSet[Case]):
    """Makes a case, then waits at the gate of its test."""

    model = Case
    workspace_lookup = "workspace"
    parser_classes = (*WorkspaceViewSet.parser_classes, MultiPartParser)
    calls_outside = ("test",)

    def create(self, request: Request) -> Response:
        Case.objects.create(workspace=self.workspace, name="slow")
        wait_at_the_gate()
        if any(not file.read() for file in request.FILES.values()):
            raise ValidationError("This file was read before.")
        if dict(request.data).get("wrong"):
            raise ValidationError("wrong")
        return Response({"made": True}, status=201)

    test = upload = create


def wait_at_the_gate() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '60s'")  # who should never have come here ends, and the test with it
        cursor.execute("SELECT pg_advisory_lock(%s)", [GATE])
        cursor.execute("SELECT pg_advisory_unlock(%s)", [GATE])


def close_the_gate() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [GATE])


class Caller:
    def __init__(self, workspace: Workspace) -> None:
        self.key = ApiKey.objects.issue(workspace, "tests")[1]

    def __call__(self, action: str = "create", body: Any = None, **options: Any) -> Any:
        headers = {"X-DOTFILE-API-KEY": self.key, "Idempotency-Key": KEY}
        view: Callable[..., Any] = Slow.as_view({"post": action})
        return view(APIRequestFactory().post("/", {} if body is None else body, headers=headers, **options))


@pytest.fixture
def caller(transactional_db: None) -> Caller:
    return Caller(factories.workspace())


@pytest.mark.parametrize("action", ["create", "test"])
def test_while_the_first_is_running_the_second_is_409(caller: Caller, action: str) -> None:
    found: list[Any] = []
    first = meanwhile(close_the_gate, lambda: caller(action), lambda: found.append(closed(lambda: caller(action))))
    (second,) = found
    assert (first.status_code, second.status_code, second["Retry-After"]) == (201, 409, "1")
    assert "still being answered" in second.data["message"]
    third = caller(action)
    assert (third.status_code, third["Idempotent-Replayed"]) == (201, "true")
    assert Case.objects.count() == 1


def closed(call: Callable[[], Any]) -> Any:
    """By a connection of its own: to its own locks a connection is always admitted."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(closing, call).result(60)


def test_of_many_at_once_exactly_one_does_it(transactional_db: None) -> None:
    clients = [factories.api_client(workspace) for workspace in [factories.workspace()] for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda client: closing(lambda: post(client)), clients))
    assert {answer.status_code for answer in found} <= {201, 409}
    assert len([a for a in found if a.status_code == 201 and "Idempotent-Replayed" not in a.headers]) == 1
    assert (Case.objects.count(), KeptAnswer.objects.count()) == (1, 1)


def test_a_process_that_dies_in_between_leaves_neither_the_change_nor_the_answer(caller: Caller) -> None:
    with pytest.raises(OperationalError):
        meanwhile(close_the_gate, caller, end_who_waits)
    assert (Case.objects.count(), KeptAnswer.objects.count()) == (0, 0)
    assert caller().status_code == 201
    assert Case.objects.count() == 1


def end_who_waits() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")


def test_what_an_error_undid_is_done_by_the_next_request(caller: Caller) -> None:
    assert caller(body={"wrong": True}).status_code == 400
    assert Case.objects.count() == 0
    assert caller(body={"wrong": False}).status_code == 201


def test_no_transaction_is_held_around_a_call_to_somebody_elses_server(caller: Caller) -> None:
    """What the action has written can be seen by others while it waits."""
    seen: list[int] = []
    meanwhile(close_the_gate, lambda: caller("test"), lambda: seen.append(Case.objects.count()))
    assert seen == [1]


def test_a_form_with_the_same_file_is_the_same_request_whatever_its_boundary(caller: Caller) -> None:
    def send(content: bytes, boundary: str, name: str = "a") -> Any:
        body = f'--{boundary}\r\nContent-Disposition: form-data; name="f"; filename="{name}"\r\n\r\n'.encode()
        body += content + f"\r\n--{boundary}--\r\n".encode()
        headers = {"X-DOTFILE-API-KEY": caller.key, "Idempotency-Key": KEY}
        kind = f"multipart/form-data; boundary={boundary}"
        view: Callable[..., Any] = Slow.as_view({"post": "upload"})
        return view(APIRequestFactory().post("/", body, content_type=kind, headers=headers))

    found = [send(b"a", "x"), send(b"a", "y"), send(b"b", "x"), send(b"a", "x", "b")]
    assert [answer.status_code for answer in found] == [201, 201, 422, 422]
    assert Case.objects.count() == 1


# --- Everywhere -----------------------------------------------------------------------------------------------------


def test_every_address_that_takes_a_post_knows_the_header() -> None:
    views = views_that_take("post", get_resolver().url_patterns)
    assert views
    assert [view for view in views if not issubclass(view, WorkspaceViewSet)] == []

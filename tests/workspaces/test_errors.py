"""A client's mistake is a 4xx with a sentence, never a 500."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import DisallowedHost
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import DataError
from django.test import RequestFactory
from rest_framework.exceptions import ValidationError
from rest_framework.test import APIClient

from cases import services
from tests import factories
from workspaces.api import errors

pytestmark = pytest.mark.django_db

NAMED = b'{"name": %s}'


@pytest.fixture
def client() -> APIClient:
    return factories.api_client(factories.workspace())


def post(client: APIClient, raw: bytes, content_type: str = "application/json") -> tuple[int, dict[str, Any]]:
    response = client.post("/v1/cases", raw, content_type=content_type)
    return response.status_code, response.json()


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"{", 400),
        (b'{"name": NaN}', 400),
        (b'{"name": "a"} x', 400),
        (b"[]", 400),
        (b'"text"', 400),
        (b"null", 400),
        (b"1", 400),
        (b"\xff\xfe", 400),
        (b'{"name": "\xc3\x28"}', 400),
        (NAMED % b'"\\ud800"', 400),
        (NAMED % b'"a\\u0000b"', 400),
        (NAMED % b'"a", "metadata": {"a\\u0000": "b"}', 400),
        (NAMED % b'"a", "custom_properties": {"a": ["\\u0000"]}', 400),
        (NAMED % (b"1" * 500), 400),
        (NAMED % b'"a", "custom_properties": {"a": 1e999}', 400),
        (NAMED % b'"a", "custom_properties": {"a": 1e20}', 400),
        (NAMED % b'"a", "individuals": [{"custom_properties": {"a": -1e300}}]', 400),
        (NAMED % b'"a", "custom_properties": {"a": 9223372036854775808}', 400),
        (b"[" * 100_000, 400),
        (NAMED % (b'{"a":' * 40 + b"1" + b"}" * 40), 400),
        (NAMED % (b'"' + b"a" * 3_000_000 + b'"'), 413),
        (b"", 400),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(client: APIClient, raw: bytes, status: int) -> None:
    found, answer = post(client, raw)
    assert found == answer["status_code"] == status
    assert set(answer) - {"errors"} == {"status_code", "timestamp", "code", "message"}


def test_the_largest_number_is_kept_exactly(client: APIClient) -> None:
    status, answer = post(client, NAMED % b'"a", "custom_properties": {"a": 9223372036854775807}')
    assert (status, answer["custom_properties"]) == (201, {"a": 2**63 - 1})


def test_of_a_list_that_is_too_long_no_item_is_looked_at(client: APIClient) -> None:
    status, answer = post(client, NAMED % (b'"a", "individuals": [' + b"{}," * 1000 + b"{}]"))
    assert (status, [(error["field"], error["code"]) for error in answer["errors"]]) == (
        400,
        [("individuals", "max_length")],
    )


@pytest.mark.parametrize("path", ["cases", "cases/x", "webhooks", "checks/aml", "ping"])
def test_options_are_refused_as_other_methods_are(client: APIClient, path: str) -> None:
    response = client.options(f"/v1/{path}")
    assert (response.status_code, response.json()["code"]) == (405, "METHOD_NOT_ALLOWED")


def test_a_mistake_of_ours_is_told_in_the_same_shape(client: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise KeyError("secret")

    monkeypatch.setattr(services, "create_case", fail)
    client.raise_request_exception = False
    status, answer = post(client, NAMED % b'"a"')
    assert (status, set(answer)) == (500, {"status_code", "timestamp", "code", "message"})
    assert "secret" not in str(answer)


def test_people_get_a_page_where_programs_get_json(rf: RequestFactory) -> None:
    assert errors.server_error(rf.get("/admin/"))["Content-Type"].startswith("text/html")
    assert errors.bad_request(rf.get("/admin/"), DisallowedHost())["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("method", ["get", "post", "patch", "delete", "put"])
def test_an_address_that_is_none_is_404_for_every_method(method: str) -> None:
    client = APIClient(enforce_csrf_checks=True)  # as it is outside of tests
    response = getattr(client, method)("/v1/cases/a/b/c")
    assert (response.status_code, response.json()["code"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("path", "host"), [("/v1/ping", "example.org"), ("/v1/ping", "[::1"), ("/v1/ping", "\xff"), ("/v1", "example.org")]
)
def test_a_host_that_we_are_not_is_told_in_the_same_shape(
    client: APIClient, path: str, host: str, caplog: pytest.LogCaptureFixture
) -> None:
    response = client.get(path, HTTP_HOST=host)
    answer = response.json()
    assert (response.status_code, answer["code"]) == (400, "BAD_REQUEST")
    assert set(answer) == {"status_code", "timestamp", "code", "message"}
    assert host not in answer["message"]
    assert [(record.levelname, record.exc_info) for record in caplog.records] == [("WARNING", None)]


def test_no_log_has_the_address_of_what_is_not_there(client: APIClient, caplog: pytest.LogCaptureFixture) -> None:
    assert client.get("/v1/cases/ada@example.com").status_code == 404
    assert client.post("/v1/cases/ada@example.com/reviews", {}).status_code in (400, 404)
    assert "ada" not in caplog.text


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_only_json_is_read(client: APIClient, content_type: str) -> None:
    status, answer = post(client, b"name=a", content_type)
    assert (status, answer["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
def test_an_address_that_is_none_is_told_in_the_same_shape(method: str) -> None:
    client = APIClient(enforce_csrf_checks=True)  # as for a client outside a browser
    for path in ("/v1/routines/a/trigger", "/v1/", "/v1"):
        response = getattr(client, method)(path)
        assert (response.status_code, response.json()["code"]) == (404, "NOT_FOUND")


def test_a_wrong_method_is_told_in_the_same_shape(client: APIClient) -> None:
    outside_a_browser = APIClient(enforce_csrf_checks=True)
    for response in (client.put("/v1/cases", {}), outside_a_browser.post("/v1/openapi.json", {})):
        assert (response.status_code, response.json()["code"]) == (405, "METHOD_NOT_ALLOWED")
        assert "GET" in response["Allow"]


def test_every_wrong_field_is_named(client: APIClient) -> None:
    status, answer = post(client, b'{"name": 1, "individuals": [{"first_name": "A", "address": {"country": "FRA"}}]}')
    fields = {error["field"] for error in answer["errors"]}
    assert status == 400
    assert fields == {"name", "individuals.0.last_name", "individuals.0.address.country"}
    assert all(set(error) == {"field", "code", "message"} for error in answer["errors"])


@pytest.mark.parametrize(
    ("error", "message", "field"),
    [
        (ValidationError({"name": ["Too long."]}), errors.WHOLE, "name"),
        (DjangoValidationError("Already approved."), "Already approved.", None),
        (DjangoValidationError({"name": "Too long."}), errors.WHOLE, "name"),
        (errors.NotUnderstood("Not a UUID."), "Not a UUID.", None),
    ],
)
def test_refusals_of_services_and_of_serializers_look_the_same(error: Exception, message: str, field: str) -> None:
    response = errors.handle(error, {})
    assert response is not None
    assert (response.status_code, response.data["message"]) == (400, message)
    assert response.data["errors"][0]["field"] == field


def test_what_the_database_refuses_is_told_without_the_value() -> None:
    response = errors.handle(DataError("value 4242 out of range"), {})
    assert response is not None
    assert response.status_code == 400
    assert "4242" not in str(response.data)


def test_our_own_mistakes_stay_server_errors() -> None:
    assert errors.handle(KeyError("x"), {}) is None

"""The API's description: up to date, whole, valid, true, and shown without asking anybody."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.core.management import CommandError, call_command
from django.http import HttpResponse
from django.test import Client
from django.urls import get_resolver
from jsonschema import Draft202012Validator
from rest_framework.response import Response

from cases.api import tags
from deliveries.events import catalogue
from dotfile_hooks.openapi import document, guides
from tests import described, factories
from workspaces.api import errors

Json = dict[str, Any]

DOCUMENT = described.document()
OPERATIONS = [
    (path, method, operation)
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
]
IDS = [operation["operationId"] for _, _, operation in OPERATIONS]


def openapi(*arguments: str) -> str:
    out = StringIO()
    call_command("openapi", *arguments, stdout=out)
    return out.getvalue()


def test_the_description_is_of_this_code() -> None:
    """If this fails, run `manage.py openapi`."""
    assert openapi("--check") == "It is up to date.\n"


def test_a_stale_description_is_named_and_written_anew(settings: Any, tmp_path: Path) -> None:
    settings.BASE_DIR = tmp_path
    with pytest.raises(CommandError, match="Stale"):
        openapi("--check")
    assert openapi() == f"Written: {document.PATH}\n"
    assert json.loads((tmp_path / document.PATH).read_text()) == DOCUMENT


def test_every_address_and_method_of_the_router_is_described() -> None:
    known = {(re.sub(r"{\w+}", "{}", path), method) for path, method, _ in OPERATIONS}
    assert known == set(_routes(get_resolver().url_patterns))


def _routes(patterns: Any, prefix: str = "/") -> Iterator[tuple[str, str]]:
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            yield from _routes(pattern.url_patterns, path) if path == "/v1/" else ()
        elif path.startswith("/v1/") and hasattr(pattern.callback, "cls"):
            for method in {*(getattr(pattern.callback, "actions", None) or ["get"])} - {"head"}:
                yield re.sub(r"<\w+>", "{}", path), method


def test_no_two_operations_have_one_name() -> None:
    assert len(set(IDS)) == len(IDS) > 80


def test_every_reference_leads_somewhere() -> None:
    for found in re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(DOCUMENT)):
        place: Any = DOCUMENT
        for part in found.split("/"):
            place = place[part]
        assert isinstance(place, dict), found


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS, ids=IDS)
def test_each_operation_has_an_example_of_what_it_answers_that_fits(path: str, method: str, operation: Json) -> None:
    code = min(operation["responses"])
    content = operation["responses"][code].get("content", {}).get("application/json")
    if content is None:
        assert code == "204" or path == "/v1/files/{id}"
        return
    assert not list(_validator(content["schema"]).iter_errors(content["example"]))


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS, ids=IDS)
def test_each_body_has_an_example_that_fits(path: str, method: str, operation: Json) -> None:
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        if media == "application/json":
            assert not list(_validator(content["schema"]).iter_errors(content["example"]))


def _validator(schema: Json) -> Draft202012Validator:
    whole = {**schema, "components": {"schemas": DOCUMENT["components"]["schemas"]}}
    return Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)


def test_whoever_makes_a_webhook_reads_there_what_will_be_sent() -> None:
    callbacks = DOCUMENT["paths"]["/v1/webhooks"]["post"]["callbacks"]
    assert set(callbacks) == set(DOCUMENT["webhooks"])
    arising = {name for name in catalogue.NAMES if catalogue.sent_as(name)[0].family.arises}
    assert set(callbacks) == arising
    assert callbacks["Case.Created"] == {"{$request.body#/url}": {"$ref": "#/webhooks/Case.Created"}}


def test_what_dotfile_lacks_is_marked_as_ours() -> None:
    ours = {path for path, _, operation in OPERATIONS if "it is ours" in operation["description"]}
    assert "/v1/webhooks/{id}/test" in ours
    assert "/v1/webhook-logs/{id}" in ours
    assert not ours & {"/v1/cases", "/v1/webhooks", "/v1/webhook-logs", "/v1/checks/aml"}


def test_the_description_needs_no_key_and_is_kept(client: Client) -> None:
    first = client.get("/v1/openapi.json")
    assert json.loads(b"".join(first.streaming_content)) == DOCUMENT  # type: ignore[attr-defined]
    again = client.get("/v1/openapi.json", headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert "public" in first["Cache-Control"]


def test_the_page_asks_no_other_host(client: Client) -> None:
    response = client.get("/docs/")
    page = response.content.decode()
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', page)
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "connect-src 'self'" in policy
    assert "http" not in policy


def test_all_that_the_page_loads_is_here(client: Client) -> None:
    page = client.get("/docs/").content.decode()
    loaded = re.findall(r'(?:src|href)="/static/([^"]+)"', page)
    assert len(loaded) == 4
    assert all(finders.find(name) for name in loaded)


@pytest.mark.django_db
def test_an_answer_that_is_not_described_fails_the_test_that_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    tag = factories.tag(factories.workspace(), "High risk")
    monkeypatch.setattr(tags, "shown", lambda row: {"id": str(row.pk), "label": row.label, "color": "red"})
    with pytest.raises(described.Undescribed, match="get /v1/tags/.*: 200 .*color"):
        factories.api_client(tag.workspace).get(f"/v1/tags/{tag.pk}")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("answer", "stray"),
    [
        (Response({"id": 1}, 204), "204 the type application/json is not described"),
        (Response(status=204, headers={"Retry-After": "1"}), "204 the header Retry-After is not described"),
        (HttpResponse("gone", status=404, content_type="text/plain"), "404 the type text/plain is not described"),
        (Response({}, 202), "a 202 is not described"),
    ],
    ids=["body", "header", "type", "status"],
)
def test_whatever_else_an_answer_has_must_be_described(
    monkeypatch: pytest.MonkeyPatch, answer: HttpResponse, stray: str
) -> None:
    monkeypatch.setattr(tags.TagViewSet, "destroy", lambda *_, **__: answer)
    with pytest.raises(described.Undescribed, match=stray):
        factories.api_client(factories.workspace()).delete("/v1/tags/1")


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/v1/tags", "/v1/nothing"])
def test_even_what_is_not_there_answers_with_an_error_as_described(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    client = factories.api_client(factories.workspace())
    assert client.put(path).status_code in (404, 405)
    monkeypatch.setattr(errors, "body", lambda *_: {"detail": "No."})
    with pytest.raises(described.Undescribed, match="'detail' was unexpected"):
        client.put(path)


@pytest.mark.parametrize("name", guides.GUIDES)
def test_each_guide_is_a_page_that_leads_to_pages_only(client: Client, name: str) -> None:
    page = client.get(f"/docs/{name}")
    assert page.status_code == 200
    assert "Content-Security-Policy" in page
    for target, part in re.findall(r'href="(/docs/[^"#]*)?(?:#([^"]*))?"', page.content.decode()):
        other = client.get(target or f"/docs/{name}")
        assert other.status_code == 200
        assert not part or f'id="{part}"' in other.content.decode(), (target, part)


def test_a_guide_that_is_none_is_not_found(client: Client) -> None:
    assert client.get("/docs/operating").status_code == 404
    assert client.get("/docs/../README").status_code == 404


def test_code_in_a_guide_is_shown_as_it_is_written(client: Client) -> None:
    assert "whsec_" in client.get("/docs/receivers/signatures").content.decode()


@pytest.mark.parametrize("name", ["WebhookLog", "TestResult"])
def test_clients_in_typescript_can_read_a_payload(name: str) -> None:
    """openapi-typescript takes an object that says nothing of its members for one that has none."""
    schemas = DOCUMENT["components"]["schemas"]
    assert schemas[name]["properties"]["payload"]["additionalProperties"] == {}

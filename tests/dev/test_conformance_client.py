"""What a client of a document finds wrong with a server: the server here answers what each test tells it to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from rich.console import Console

from dotfile_hooks.dev.conformance import document
from dotfile_hooks.dev.conformance.api import table
from dotfile_hooks.dev.conformance.api.client import Client, Stuck
from dotfile_hooks.dev.conformance.api.record import Row
from dotfile_hooks.dev.conformance.contract import Contract

JSON = dict[str, Any]
TEXT = {"type": "string"}
TAG = {"type": "object", "required": ["id"], "properties": {"id": TEXT}}
LABEL = {"properties": {"label": {"type": "string", "enum": ["high", "low"]}}, "required": ["label"]}
GONE = {"status_code": 404, "timestamp": "2023-01-31T13:30:00.000Z", "code": "NOT_FOUND", "message": "No tag."}


def content(schema: JSON) -> JSON:
    return {"content": {"application/json": {"schema": schema}}}


PATHS: JSON = {
    "/v1/tags": {
        "get": {
            "parameters": [{"name": "page", "in": "query", "schema": {"type": "number", "default": 1}}],
            "responses": {"200": content({"type": "object", "required": ["data"]})},
        },
        "post": {"requestBody": content(LABEL), "responses": {"201": content(TAG)}},
    },
    "/v1/tags/{key}": {"delete": {"responses": {"204": {}, "404": {}}}},
    "/v1/users": {"get": {"responses": {"200": content({"properties": {"data": {"items": {}}}})}}},
    "/v1/routines": {"get": {"responses": {"200": {}}}},
}


class Server(ThreadingHTTPServer):
    """Answers every request with the same, and keeps what was asked."""

    status, body = 200, b'{"data": []}'
    refused = ""
    """A query that is answered with 400."""


class Handler(BaseHTTPRequestHandler):
    server: Server

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        is_refused = self.server.refused and self.path.endswith(self.server.refused)
        body = b"{}" if is_refused else self.server.body
        self.send_response(400 if is_refused else self.server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_DELETE = answer

    def log_message(self, *arguments: Any) -> None:
        pass


@contextmanager
def serving() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture
def client(server: Server, tmp_path: Path) -> Iterator[Client]:
    event = {"post": {"requestBody": content({"type": "object"})}}
    whole = {"openapi": "3.0.0", "paths": PATHS | {"/v1/hooks": {"get": {"callbacks": {"Case.Created": {"x": event}}}}}}
    (tmp_path / "openapi.json").write_text(json.dumps(whole))
    contract = Contract(document.read(tmp_path / "openapi.json"))
    made = Client(f"http://127.0.0.1:{server.server_address[1]}", "key", contract)
    yield made
    made.close()


def row(client: Client, name: str) -> Row:
    return client.rows[name]


def post(client: Client, server: Server, body: Any, status: int = 201, answer: bytes = b'{"id": "1"}') -> Row:
    server.status, server.body = status, answer
    client.post("/v1/tags", body=body)
    return row(client, "POST /v1/tags")


def test_what_is_as_the_document_says_is_no_problem(client: Client, server: Server) -> None:
    assert not post(client, server, {"label": "high"}).problems


def test_a_status_that_is_not_described_is_found(client: Client, server: Server) -> None:
    assert "the status: is 200, which is not described" in post(client, server, {"label": "high"}, 200).problems


def test_an_answer_of_another_schema_is_found(client: Client, server: Server) -> None:
    assert [*post(client, server, {"label": "high"}, answer=b"{}").problems] == ["id: is missing"]


def test_what_the_document_would_not_let_a_client_send_is_found(client: Client, server: Server) -> None:
    [problem] = post(client, server, {"label": "middling"}).problems
    assert problem.startswith("what the story sends is not valid: label: 'middling' is not one of")


def test_a_body_with_204_is_found(client: Client, server: Server) -> None:
    server.status = 200
    client.delete("/v1/tags/{id}", "1")
    assert "answers with a body where none is described" in row(client, "DELETE /v1/tags/{}").problems


def test_a_story_cannot_go_on_after_an_error(client: Client, server: Server) -> None:
    with pytest.raises(Stuck, match="POST /v1/tags answers 400"):
        post(client, server, {"label": "high"}, 400)
    assert any(problem.startswith("answers 400") for problem in row(client, "POST /v1/tags").problems)


def test_a_story_cannot_go_on_without_an_answer(client: Client, server: Server) -> None:
    client.base = "http://127.0.0.1:1"
    with pytest.raises(Stuck, match="GET /v1/tags was not answered: ConnectionError"):
        client.get("/v1/tags")


def test_all_that_may_be_asked_is_asked_once(client: Client) -> None:
    client.get("/v1/tags")
    client.get("/v1/tags")
    assert row(client, "GET /v1/tags").statuses == {200: 3}


def test_a_question_that_is_refused_is_found(client: Client, server: Server) -> None:
    server.refused = "page=1.0"
    client.get("/v1/tags")
    assert [*row(client, "GET /v1/tags").problems] == ["?page=1.0 answers 400: {}"]


@pytest.mark.parametrize(
    ("status", "body", "problem"),
    [
        (404, GONE, None),
        (404, GONE | {"status_code": 400}, "the error's status_code is not its status"),
        (404, {**GONE, "message": None}, "the error's message is not there, or no str"),
        (404, None, "the error's body is not an object"),
        (200, GONE | {"status_code": 200}, "and not 404"),
    ],
)
def test_an_error_must_be_the_one_that_was_meant(
    client: Client, server: Server, status: int, body: Any, problem: str | None
) -> None:
    server.status, server.body = status, json.dumps(body).encode()
    client.refused(404, "delete", "/v1/tags/{id}", "1")
    found = row(client, "DELETE /v1/tags/{}").problems
    assert not found if problem is None else any(one.endswith(problem) for one in found)


def test_an_error_that_the_document_does_not_know_is_found(client: Client, server: Server) -> None:
    server.status, server.body = 400, json.dumps(GONE | {"status_code": 400}).encode()
    client.refused(400, "delete", "/v1/tags/{id}", "1")
    assert "answers 400, which is not described" in row(client, "DELETE /v1/tags/{}").problems


def test_what_is_known_to_contradict_itself_is_a_note(client: Client, server: Server, tmp_path: Path) -> None:
    suspended = {"properties": {"suspended_at": TEXT}}
    users = {"get": {"responses": {"200": content({"properties": {"data": {"items": suspended}}})}}}
    path = tmp_path / "openapi.json"
    path.write_text(path.read_text().replace(json.dumps(PATHS["/v1/users"]), json.dumps(users)))
    again = Client(client.base, "key", Contract(document.read(path)))
    server.body = b'{"data": [{"suspended_at": null}]}'
    again.get("/v1/users")
    again.close()
    found = again.rows["GET /v1/users"]
    assert not found.problems
    assert "GET /v1/users: data[0].suspended_at: None is not of type 'string'" in [*found.notes][0]


def test_what_was_never_called_or_sent_is_found(client: Client, server: Server) -> None:
    post(client, server, {"label": "high"})
    for each in client.rows.values():
        each.finish(client.contract.root)
    assert [*row(client, "POST /v1/tags").problems] == ["was never sent `label=low`"]
    assert [*row(client, "DELETE /v1/tags/{}").problems] == ["was never called with success"]
    assert not row(client, "GET /v1/routines").problems  # which this API does not have


def test_the_words_of_a_field_are_the_documents(client: Client) -> None:
    assert client.words("POST /v1/tags", "label") == ["high", "low"]
    assert client.words("POST /v1/nothing", "label") == []


def test_a_call_that_the_document_does_not_describe_is_not_judged(client: Client, server: Server) -> None:
    server.body = b'{"id": 5}'
    assert client.get("/v1/nothing") == {"id": 5}


def shown(client: Client, stuck: list[str]) -> tuple[bool, str]:
    console = Console(width=150)
    with console.capture() as capture:
        is_well = table.shown(console, [*client.rows.values()], stuck)
    return is_well, capture.get()


def test_the_table_says_what_is_wrong_and_what_is_not_here(client: Client, server: Server) -> None:
    post(client, server, {"label": "high"}, answer=b"{}")
    is_well, text = shown(client, [])
    assert not is_well
    assert "1 of 4 operations do not do as the document says: POST /v1/tags." in text
    assert "id: is missing" in text
    assert [line for line in text.splitlines() if "GET /v1/routines" in line and "not here" in line]


def test_all_is_well_only_when_the_story_came_to_its_end(client: Client) -> None:
    client.get("/v1/tags")
    assert shown(client, [])[0]
    is_well, text = shown(client, ["The chapter about tags ended early: x"])
    assert not is_well
    assert "The chapter about tags ended early: x" in text

"""What `make fuzz` sends, and what it calls wrong."""

from __future__ import annotations

import itertools
import json
import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dotfile_hooks.dev.fuzz import addresses, hostile, logs, mending, plan, rows, thesis, wire
from tests import factories

GET = wire.Request(b"GET", b"/v1/cases")
KEY = "dotkey.secret.id"


def answer(status: int, content_type: str = "application/json", **body: Any) -> wire.Answer:
    told = {"status_code": status, "timestamp": "t", "code": "c", "message": "m", **body}
    return wire.Answer(status, content_type, json.dumps(told).encode())


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        (answer(404), 0),
        (answer(400, errors=[]), 0),
        (wire.Answer(200, "text/plain", b"ok"), 0),
        (answer(500), 1),
        (wire.Answer(0), 1),
        (wire.Answer(403, "text/html", b"<html>"), 1),
        (wire.Answer(404, "application/json", b"[]"), 1),
        (answer(404, status_code=400), 1),
        (answer(404, "text/html"), 1),
        (answer(400, message=KEY), 1),
    ],
)
def test_an_answer_that_is_no_error_of_ours_is_told(given: wire.Answer, wrong: int) -> None:
    assert len([*wire.faults(GET, given, KEY)]) == wrong


def test_what_is_no_http_may_be_refused_by_the_server_itself() -> None:
    broken = GET.told("broken", is_http=False)
    assert not [*wire.faults(broken, wire.Answer(400, "text/html", b"<html>"), KEY)]
    assert [*wire.faults(broken, answer(500), KEY)]


def test_the_same_seed_makes_the_same_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gzip.time", SimpleNamespace(time=itertools.count(1765533732).__next__))  # whenever it is

    def made(seed: int) -> list[bytes]:
        rng = random.Random(seed)
        return [hostile.made(rng, "post", "/v1/cases", KEY, [b'{"name": "a"}']).raw("host") for _ in range(200)]

    assert made(1) == made(1) != made(2)
    assert len(set(made(1))) > 150


def test_the_log_is_searched_for_errors_and_secrets(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(f"2026-01-01 WARNING django.request 1 Not Found: /v1/x\nINFO CARTER {KEY}\n")
    assert logs.faults(log, []) == []
    assert len(logs.faults(log, ["CARTER", KEY, "absent"])) == 2
    log.write_text(
        "Traceback (most recent call last):\n2026-01-01 ERROR deliveries 7 x\n2026-01-02 ERROR deliveries 8 x\n"
    )
    assert [fault.split(" times")[0] for fault in logs.faults(log, [])] == ["The log says 2", "The log says 1"]


def test_what_cannot_be_meant_is_mended() -> None:
    words = {"oneOf": [{"type": "string"}, {"enum": ["a"]}], "discriminator": {"propertyName": "name"}}
    made = mending.mended({"a": [words, {"pattern": "/^a$/"}], "properties": {"suspended_at": {"type": "string"}}})
    assert made["a"] == [{"anyOf": words["oneOf"]}, {"pattern": "^a$"}]
    assert made["properties"]["suspended_at"]["nullable"]


@pytest.mark.django_db
def test_only_what_is_ours_is_called_and_rows_are_named() -> None:
    case = factories.case(external_id="e-1")
    parameter = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    paths = {
        "/v1/cases/{id}": {"get": {"parameters": [parameter]}, "put": {}},
        "/v1/reports/{id}": {"get": {}},
    }
    made = plan.made({"openapi": "3.0.0", "paths": paths}, addresses.all_addresses(), rows.World(case.workspace, KEY))
    assert made.operations == {"GET /v1/cases/{}"}
    assert made.foreign == {"PUT /v1/cases/{}", "GET /v1/reports/{}"}
    [told] = made.document["paths"]["/v1/cases/{id}"]["get"]["parameters"]
    assert [each["value"] for each in told["examples"].values()] == [str(case.pk), "e-1"]


def test_answers_are_counted_by_operation(tmp_path: Path) -> None:
    cases = {"a": {"value": {"method": "get", "path": "/v1/cases/{id}"}}}
    recorder = {"cases": cases, "interactions": {"a": {"response": {"status_code": 404}}}}
    line = json.dumps({"ScenarioFinished": {"recorder": recorder}})
    (tmp_path / thesis.REPORT).write_text(f"{json.dumps({'EngineStarted': {}})}\n{line}\n{line}\n")
    assert thesis.tally(tmp_path) == {"GET /v1/cases/{}": {404: 2}}

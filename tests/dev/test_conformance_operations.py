"""What the conformance run reads of a document's operations: what to ask of them, and what could be sent to them."""

from __future__ import annotations

from typing import Any

import pytest

from dotfile_hooks.dev.conformance import operations
from dotfile_hooks.dev.conformance.api import coverage, questions, served
from dotfile_hooks.dev.conformance.operations import Operation, Parameter

JSON = dict[str, Any]
TEXT = {"type": "string"}


def content(schema: JSON) -> JSON:
    return {"content": {"application/json": {"schema": schema}}}


def operation(method: str, path: str, **told: Any) -> Operation:
    [found] = operations.read({"paths": {path: {method: told}}})
    return found


def test_an_operation_is_read_with_its_body_answers_and_query() -> None:
    root: JSON = {
        "paths": {
            "/v1/cases/{id}": {
                "parameters": [{"$ref": "#/components/parameters/limit"}, {"name": "id", "in": "path"}],
                "patch": {
                    "parameters": [{"name": "sort", "in": "query", "examples": {"a": {"value": "name.desc"}}}],
                    "requestBody": content(TEXT),
                    "responses": {"200": content({"type": "object"}), "404": {"description": "No case."}},
                },
            }
        },
        "components": {"parameters": {"limit": {"name": "limit", "in": "query", "schema": {"type": "number"}}}},
    }
    [found] = operations.read(root)
    assert (found.name, found.body) == ("PATCH /v1/cases/{id}", TEXT)
    assert found.answers == {"200": {"type": "object"}, "404": None}
    assert [(one.name, one.examples) for one in found.parameters] == [("limit", ()), ("sort", ("name.desc",))]


@pytest.mark.parametrize(("status", "key"), [(200, "200"), (201, "2XX"), (404, "default")])
def test_a_status_is_described_by_itself_its_hundred_or_the_default(status: int, key: str) -> None:
    found = operation("get", "/v1/ping", responses={"200": {}, "2XX": {}, "default": {}})
    assert found.answer(status) == key


def test_a_status_may_be_described_nowhere() -> None:
    assert operation("get", "/v1/ping", responses={"200": {}}).answer(404) is None


@pytest.mark.parametrize(
    ("method", "path", "is_here"),
    [
        ("get", "/v1/ping", True),
        ("post", "/v1/ping", False),
        ("patch", "/v1/cases/{caseId}", True),
        ("put", "/v1/cases/{id}", False),
        ("get", "/v1/checks/{id}", False),
        ("delete", "/v1/checks/{id}", True),
        ("patch", "/v1/checks/aml/{id}/hits/review", True),
        ("post", "/v1/routines/{slug}/trigger", False),
        ("get", "/pets", False),
    ],
)
def test_what_the_api_has_is_told_by_its_addresses(method: str, path: str, is_here: bool) -> None:
    assert served.is_served(operation(method, path)) is is_here


FILTER = "Filter items by the `x.{operator}` field. You can use the `eq`, `in` and `not_eq` operators, `eq` by default."


@pytest.mark.parametrize(
    ("parameter", "asked"),
    [
        (Parameter("flag", {"type": "boolean"}, ""), [{"flag": "true"}, {"flag": "false"}]),
        (
            Parameter("limit", {"type": "number", "default": 20, "minimum": 1, "maximum": 50}, ""),
            [{"limit": "1"}, {"limit": "50"}, {"limit": "20.0"}],
        ),
        (Parameter("sort", TEXT, "", ("a", "a,b.desc")), [{"sort": "a"}, {"sort": "a,b.desc"}]),
        (
            Parameter("status", {"type": "string", "enum": ["open", "shut"]}, FILTER),
            [
                {"status": "open"},
                {"status.eq": "open", "status.in": "open,shut", "status.not_eq": "shut"},
            ],
        ),
        (
            Parameter("type", {"type": "string", "enum": ["a", "b", "c"]}, "You can use the `eq` operators."),
            [{"type": "a"}, {"type.eq": "a"}, {"type.eq": "b"}, {"type.eq": "c"}],
        ),
        (Parameter("case_id", TEXT, ""), [{"case_id": served.SOMEBODY}]),
        (Parameter("external_id", TEXT, ""), [{"external_id": "High"}]),
    ],
)
def test_each_parameter_is_asked_with_each_of_its_words_and_operators(parameter: Parameter, asked: list[JSON]) -> None:
    one = Operation("get", "/v1/x", None, {}, (parameter,))
    assert list(questions.of(one)) == asked


def test_times_are_asked_as_dates_too() -> None:
    words = [query["created_at"] for query in questions.of(of_parameters(created_at={"format": "date-time"}))]
    assert {"2023-01-31", "2023-01-31T13:30:00.000Z"} <= {*words}


def test_all_parameters_are_asked_at_once_in_the_end() -> None:
    found = list(questions.of(of_parameters(a={"enum": ["x", "y"]}, b={"type": "boolean"})))
    assert found[-1] == {"a": "x", "b": "true"}


def of_parameters(**schemas: JSON) -> Operation:
    told = [{"name": name, "in": "query", "schema": schema} for name, schema in schemas.items()]
    return operation("get", "/v1/x", parameters=told)


ROOT: JSON = {"components": {"schemas": {"Sex": {"type": "string", "enum": ["f", "m"], "nullable": True}}}}
SEX = {"$ref": "#/components/schemas/Sex"}


@pytest.mark.parametrize(
    ("schema", "names"),
    [
        ({"properties": {"name": TEXT}}, ["name"]),
        ({"properties": {"sex": SEX}}, ["sex", "sex=f", "sex=m", "sex=null"]),
        ({"properties": {"people": {"items": {"properties": {"a": TEXT}}}}}, ["people", "people[].a"]),
        ({"properties": {"words": {"items": SEX}}}, ["words", "words[]=f", "words[]=m", "words[]=null"]),
        ({"properties": {"at": {"allOf": [{"properties": {"x": TEXT}}], "nullable": True}}}, ["at", "at.x", "at=null"]),
        ({"oneOf": [{"properties": {"a": TEXT}}, {"properties": {"b": TEXT}}]}, ["a", "b"]),
        ({"type": "object", "additionalProperties": TEXT}, []),
        ({"properties": {"any": True}}, ["any"]),
    ],
)
def test_all_that_may_be_sent_has_a_name(schema: JSON, names: list[str]) -> None:
    assert sorted(coverage.possible(ROOT, schema)) == names


def test_a_schema_within_itself_is_named_once() -> None:
    tree: JSON = {"properties": {"leaf": TEXT, "branches": {"items": {"$ref": "#/components/schemas/Tree"}}}}
    root = {"components": {"schemas": {"Tree": tree}}}
    assert sorted(coverage.possible(root, {"$ref": "#/components/schemas/Tree"})) == ["branches", "leaf"]


def test_what_was_sent_has_the_same_names() -> None:
    body = {"name": "Ada", "sex": None, "people": [{"a": 1}], "words": ["f"], "at": {"x": True}}
    assert {*coverage.said(body)} >= {"name", "sex=null", "people[].a", "words[]=f", "at", "at.x"}
    assert "sex=f" not in {*coverage.said(body)}

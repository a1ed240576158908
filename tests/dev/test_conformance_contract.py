"""What the conformance run holds bodies against: it must read documents as they mean it, and miss nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dotfile_hooks.dev.conformance import document
from dotfile_hooks.dev.conformance.contract import Contract
from dotfile_hooks.dev.conformance.document import Unusable

JSON = dict[str, Any]
TEXT, NUMBER = {"type": "string"}, {"type": "number"}
NESTED = {"type": "object", "required": ["id"], "properties": {"id": TEXT}}


def operation(schema: JSON) -> JSON:
    return {"post": {"requestBody": {"content": {"application/json": {"schema": schema}}}}}


def callbacks(*, version: str = "3.0.0", schemas: JSON | None = None, **events: JSON) -> JSON:
    """A document whose callbacks stand under some operation, dots for underscores in their names."""
    told = {name.replace("_", "."): {"{$request.body#/url}": operation(schema)} for name, schema in events.items()}
    paths = {"/v1/ping": {"get": {}}, "/v1/hooks": {"put": {"callbacks": told}}}
    return {"openapi": version, "paths": paths, "components": {"schemas": schemas or {}}}


def contract_of(folder: Path, content: Any) -> Contract:
    path = folder / "openapi.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return Contract(document.read(path))


def problems(folder: Path, schema: JSON, value: Any, **more: Any) -> list[str]:
    """What is wrong with {"it": value}, where `it` must be as the schema says."""
    body = {"type": "object", "required": ["it"], "properties": {"it": schema}}
    contract = contract_of(folder, callbacks(Case_Created=body, **more))
    return [str(problem) for problem in contract.problems("Case.Created", json.dumps({"it": value}).encode())]


def test_callbacks_are_found_under_any_operation(tmp_path: Path) -> None:
    found = contract_of(tmp_path, callbacks(Case_Created=NESTED, Note_Deleted=NESTED))
    assert found.names == {"Case.Created", "Note.Deleted"}


def test_webhooks_of_openapi_3_1_are_found_and_their_schemas_are_json_schema(tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"it": {"type": ["string", "null"], "const": None}}}
    found = contract_of(tmp_path, {"openapi": "3.1.0", "webhooks": {"Case.Created": operation(schema)}})
    assert found.names == {"Case.Created"}
    assert found.problems("Case.Created", b'{"it": null}') == []
    assert [problem.path for problem in found.problems("Case.Created", b'{"it": "x"}')] == ["it"]


def test_a_callback_may_be_a_reference(tmp_path: Path) -> None:
    content = callbacks()
    content["paths"]["/v1/hooks"]["put"]["callbacks"] = {"Case.Created": {"$ref": "#/components/callbacks/created"}}
    content["components"]["callbacks"] = {"created": {"{$request.body#/url}": operation(NESTED)}}
    found = contract_of(tmp_path, content)
    assert [str(problem) for problem in found.problems("Case.Created", b"{}")] == ["id: is missing"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "is not JSON"),
        ("[]", "is not an OpenAPI 3 document"),
        ({"swagger": "2.0"}, "is not an OpenAPI 3 document"),
        (callbacks(), "has neither callbacks nor webhooks"),
        ({**callbacks(Case_Created=NESTED), "webhooks": {"Case.Created": operation(TEXT)}}, "twice, and not alike"),
        ({"openapi": "3.1.0", "webhooks": {"Case.Created": {"$ref": "#/gone"}}}, "which it does not have"),
    ],
)
def test_a_document_that_cannot_be_used_is_refused_with_a_sentence(tmp_path: Path, content: Any, sentence: str) -> None:
    with pytest.raises(Unusable, match=sentence):
        contract_of(tmp_path, content)


def test_a_schema_that_refers_to_nothing_is_the_documents_mistake(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="which it does not have"):
        problems(tmp_path, {"$ref": "#/components/schemas/Gone"}, 1)


REFERENCE = {"$ref": "#/components/schemas/Nested"}
NOTHING: JSON = {"nullable": True}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (TEXT | NOTHING, None),
        ({"type": "string", "enum": ["male"], **NOTHING}, None),
        ({"allOf": [REFERENCE], **NOTHING}, None),
        ({"allOf": [REFERENCE], **NOTHING}, {"id": "1"}),
        ({"oneOf": [TEXT | NOTHING, NUMBER | NOTHING, NOTHING]}, None),
        ({"oneOf": [TEXT | NOTHING, NUMBER | NOTHING, NOTHING]}, "a"),
        ({"type": "string", "pattern": "/^[a-z]+$/"}, "abc"),
        ({"type": "number", "minimum": 0, "exclusiveMinimum": False}, 0),
        ({"type": "object", "additionalProperties": False, "properties": {"nullable": TEXT}}, {"nullable": "a"}),
        ({"type": "string", "format": "uuid"}, "019b8c9e-0000-7000-8000-000000000000"),
        ({"type": "string", "format": "date-time"}, "2023-01-31T13:30:00.000Z"),
        ({"type": "string", "format": "date"}, "2024-02-29"),
        ({"type": "string", "format": "email"}, "ada@example.com"),
        ({"type": "string", "format": "e.164"}, "+33123456789"),
        ({"type": "number", "format": "float"}, 33.33),
        ({"type": "number", "format": "integer"}, 3),
    ],
)
def test_what_the_document_allows_is_valid(tmp_path: Path, schema: JSON, value: Any) -> None:
    assert problems(tmp_path, schema, value, schemas={"Nested": NESTED}) == []


@pytest.mark.parametrize(
    ("schema", "value", "problem"),
    [
        (TEXT, None, "it: None is not of type 'string'"),
        (REFERENCE | NOTHING, None, "it: None is not of type 'object'"),  # neighbours of $ref do not count
        ({"allOf": [REFERENCE], **NOTHING}, {}, "it.id: is missing"),
        ({"type": "string", "enum": ["male"]}, "female", "it: 'female' is not one of ['male']"),
        ({"type": "array", "items": REFERENCE}, [{"id": "1"}, {"id": 2}], "it[1].id: 2 is not of type 'string'"),
        ({"type": "string", "pattern": "/^[a-z]+$/"}, "ABC", "it: 'ABC' does not match '^[a-z]+$'"),
        ({"type": "string", "maxLength": 2}, "FRA", "it: 'FRA' is too long"),
        ({"type": "number", "minimum": 0, "exclusiveMinimum": True}, 0, "it: 0 is less than or equal to the minimum"),
        ({"type": "object", "additionalProperties": False}, {"a": 1}, "it: Additional properties are not allowed"),
        ({"type": "object", "additionalProperties": TEXT}, {"a": 1}, "it.a: 1 is not of type 'string'"),
        ({"oneOf": [TEXT, NUMBER]}, True, "it: True is not of type 'string'"),
        ({"oneOf": [{"title": "open"}, REFERENCE]}, {"id": "1"}, "it: fits more than one alternative: Nested"),
        ({"type": "string", "format": "uuid"}, "019b8c9e", "it: '019b8c9e' is not a 'uuid'"),
        ({"type": "string", "format": "date-time"}, "2023-01-31 13:30", "it: '2023-01-31 13:30' is not a 'date-time'"),
        ({"type": "string", "format": "date-time"}, "2023-01-31T25:00:00Z", "is not a 'date-time'"),
        ({"type": "string", "format": "date"}, "2023-02-29", "it: '2023-02-29' is not a 'date'"),
        ({"type": "string", "format": "email"}, "ada@example", "it: 'ada@example' is not a 'email'"),
        ({"type": "string", "format": "alpha-2"}, "fr", "it: 'fr' is not a 'alpha-2'"),
        ({"type": "string", "format": "e.164"}, "0123456789", "is not a 'e.164'"),
        ({"type": "string", "format": "url"}, "example.com", "it: 'example.com' is not a 'url'"),
        ({"type": "number", "format": "integer"}, 1.5, "it: 1.5 is not a 'integer'"),
    ],
)
def test_what_the_document_forbids_is_told_with_its_path(
    tmp_path: Path, schema: JSON, value: Any, problem: str
) -> None:
    found = problems(tmp_path, schema, value, schemas={"Nested": NESTED})
    assert len(found) == 1
    assert problem in found[0]


def test_of_several_alternatives_the_one_that_was_meant_is_explained(tmp_path: Path) -> None:
    def kind(name: str, **fields: JSON) -> JSON:
        told = {"type": {"type": "string", "enum": [name]}, **fields}
        return {"type": "object", "required": [*told], "properties": told}

    many = dict.fromkeys("abc", NUMBER)
    schema = {"oneOf": [kind("aml", **many), kind("document", it=TEXT)]}
    assert problems(tmp_path, schema, {"type": "aml", "it": "x", "a": 1, "b": 2}) == ["it.c: is missing"]


def test_a_discriminator_says_which_alternative_was_meant(tmp_path: Path) -> None:
    def vendor(name: str, *fields: str) -> JSON:
        told: JSON = {"name": {"type": "string", "enum": [name]}}
        return {"type": "object", "required": [*fields], "properties": told}

    schema = {"oneOf": [vendor("ubble", "a", "b"), vendor("onfido")], "discriminator": {"propertyName": "name"}}
    assert problems(tmp_path, schema, {"name": "ubble"}) == ["it.a: is missing", "it.b: is missing"]


def test_alternatives_that_a_discriminator_does_not_tell_apart_are_the_documents_fault(tmp_path: Path) -> None:
    schema = {"oneOf": [NESTED, {"type": "object"}], "discriminator": {"propertyName": "id"}}
    found = contract_of(tmp_path, callbacks(Case_Created=schema)).problems("Case.Created", b'{"id": "1"}')
    assert [problem.is_documents for problem in found] == [True]


@pytest.mark.parametrize("body", [b"", b"{", b'{"it": NaN}', b"\xff"])
def test_what_is_not_json_is_told(tmp_path: Path, body: bytes) -> None:
    contract = contract_of(tmp_path, callbacks(Case_Created={}))
    assert [str(problem) for problem in contract.problems("Case.Created", body)] == ["the body: is not JSON"]


def test_formats_that_nobody_checks_are_named(tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"iban": {"type": "string", "format": "iban"}}}
    assert contract_of(tmp_path, callbacks(Case_Created=schema)).unchecked_formats == ["iban"]

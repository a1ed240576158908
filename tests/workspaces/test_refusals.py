"""A refusal tells the API which field is wrong and, in a word that programs can compare, why."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from cases.models import Individual
from tests import factories
from workspaces.refusals import refused

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("workspaces", "cases", "checks", "deliveries", "dotfile_hooks")


@pytest.fixture
def person(db: None) -> Individual:
    workspace = factories.workspace()
    factories.tag(workspace, "VIP")
    return factories.individual(factories.case(workspace, external_id="A1"))


@pytest.mark.parametrize(
    ("path", "body", "field", "code"),
    [
        ("tags", {"label": "vip"}, "label", "unique"),
        ("cases", {"name": "a", "external_id": "A1"}, "external_id", "unique"),
        ("notes", {"case_id": "{case}", "content": " "}, "content", "blank"),
        ("companies", {"case_id": "{case}", "name": "a", "type": "affiliated"}, "type", "no_main"),
        (
            "checks/document",
            {"individual_id": "{person}", "settings": {"document_type_key": "none"}},
            "settings.document_type_key",
            "unknown_document_type",
        ),
    ],
)
def test_the_api_tells_the_code_of_a_refusal(
    person: Individual, path: str, body: dict[str, Any], field: str, code: str
) -> None:
    ids = {"case": person.case_id, "person": person.pk}
    sent = {name: value.format(**ids) if isinstance(value, str) else value for name, value in body.items()}
    answer = factories.api_client(person.case.workspace).post(f"/v1/{path}", sent)
    assert answer.status_code == 400, answer.json()
    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [(field, code)]


def test_a_code_belongs_to_the_field_it_is_given_with() -> None:
    with pytest.raises(ValidationError) as caught:
        raise refused("label", "Taken.", "unique")
    assert caught.value.message_dict == {"label": ["Taken."]}
    assert [error.code for error in caught.value.error_dict["label"]] == ["unique"]


def test_no_code_is_given_where_django_drops_it() -> None:
    files = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    assert len(files) > 200
    assert [f"{path.relative_to(ROOT)}:{line}" for path in files for line in lost_codes(path.read_text())] == []


@pytest.mark.parametrize(
    ("call", "lines"),
    [
        ("ValidationError({'a': 'b'}, code='c')", [2]),
        ("ValidationError({'a': 'b'}, 'c')", [2]),
        ("ValidationError(['b'], code='c')", [2]),
        ("ValidationError({'a': 'b'} if d else 'b', code='c')", [2]),
        ("ValidationError('b', code='c')", []),
        ("ValidationError({'a': 'b'})", []),
        ("Other({'a': 'b'}, code='c')", []),
    ],
)
def test_the_search_for_lost_codes_finds_them(call: str, lines: list[int]) -> None:
    assert list(lost_codes(f"from django.core.exceptions import ValidationError\nraise {call}")) == lines


def lost_codes(source: str) -> Iterator[int]:
    """Lines where a code is given beside a dict or a list of sentences."""
    tree = ast.parse(source)
    names = {*_names(tree)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names and node.args:
            given = len(node.args) > 1 or any(keyword.arg == "code" for keyword in node.keywords)
            if given and any(isinstance(part, (ast.Dict, ast.List)) for part in ast.walk(node.args[0])):
                yield node.lineno


def _names(tree: ast.AST) -> Iterator[str]:
    """What a module calls Django's ValidationError: the one of REST framework keeps its code."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "django.core.exceptions":
            yield from (name.asname or name.name for name in node.names if name.name == "ValidationError")

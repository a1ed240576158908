"""What each shape leaves of a body, and which paths name nothing, as tables."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest
from django.urls import Resolver404, resolve

from checks.models import CheckType
from deliveries.engine.envelope import THIN, Shape
from deliveries.events import payloads, shapes
from deliveries.events.kinds import KINDS

WORKSPACE = {"id": "w", "name": "Demo"}
PERSON = {"id": "p", "first_name": "John", "last_name": "CARTER"}
USER = {"id": "u", "first_name": "Ada", "email": "ada@example.com"}
CHECK = {
    "id": "k",
    "individual_id": "p",
    "company_id": None,
    "type": "aml",
    "status": "rejected",
    "data": {
        "result": "rejected",
        "information": {"email": "john@example.com", "name": "John"},
        "review": {"comment": "his brother", "user": USER},
        "hits": [{"name": "John", "review": {"comment": "twin", "user": None}}],
    },
}
INDIVIDUAL = {
    "id": "p",
    "case_id": "c",
    "email": "john@example.com",
    "birth_date": "1990-07-03",
    "address": {"city": "Bayonne", "country": "FR"},
    "custom_properties": {"mail": {"email": "j@example.com"}},
    "checks": [{"id": "k", "status": "rejected"}],
}
CASE = {
    "id": "c",
    "status": "open",
    "name": "Carter",
    "external_id": "john@example.com",
    "metadata": {"email": "john@example.com"},
    "assignee": USER,
    "review": {"comment": "fine", "user": None},
    "individuals": [INDIVIDUAL, {**INDIVIDUAL, "id": "q"}],
    "companies": [],
}
IN_CASE = {"id": "c", "name": "Carter", "status": "open", "external_id": "john@example.com"}
CONTEXT = {"workspace": WORKSPACE, "case": IN_CASE, "individual": PERSON, "company": None, "sequence": 7}


def told(shape: Shape, kind: str, entity: dict[str, Any], context: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The body's context and entity."""
    parts = shapes.parts(shape, kind, context, entity, **more)
    found: dict[str, Any] = json.loads(f'{{"context":{{{parts.context}}},{parts.entity}}}')
    return found


def at(value: Any, path: str) -> Any:
    """What stands at `case.individuals.0.email`; "absent" where nothing does."""
    for step in path.split("."):
        if isinstance(value, list):
            value = value[int(step)]
        elif isinstance(value, dict):
            value = value.get(step, "absent")
    return value


def differences(whole: Any, left: Any, path: str = "") -> set[str]:
    """The paths of what was left out, and of all that is not as it was."""
    if isinstance(whole, dict) and isinstance(left, dict):
        inner = [differences(whole[key], left[key], f"{path}.{key}") for key in whole if key in left]
        return {f"{path}.{key}" for key in whole.keys() ^ left.keys()}.union(*inner)
    if isinstance(whole, list) and isinstance(left, list) and len(whole) == len(left):
        return differences(dict(enumerate(whole)), dict(enumerate(left)), path)
    return set() if whole == left else {path}


NAMES = "context.workspace.name context.case.name"
BODIES: dict[str, dict[str, Any]] = {"case": CASE, "individual": INDIVIDUAL, "check": CHECK}


@pytest.mark.parametrize(
    ("kind", "without", "absent"),
    [
        ("individual", "individual.birth_date", "individual.birth_date"),
        ("individual", "individual.address.city", "individual.address.city"),
        ("individual", "address.city", "individual.address.city"),
        ("individual", "individual.address individual.address.city", "individual.address"),
        ("individual", "individual.custom_properties.mail", "individual.custom_properties.mail"),
        ("individual", "case.name workspace.name", "context.case.name context.workspace.name"),
        ("individual", "company.name note.content", ""),
        ("individual", "check.status", "individual.checks.0.status"),
        ("case", "individual.email", "case.individuals.0.email case.individuals.1.email"),
        ("case", "case.individuals.email", "case.individuals.0.email case.individuals.1.email"),
        ("case", "case.individuals individual.email", "case.individuals"),
        ("case", "check.status", "case.individuals.0.checks.0.status case.individuals.1.checks.0.status"),
        ("case", "user.email", "case.assignee.email"),
        ("case", "review.comment", "case.review.comment"),
        ("case", "case.review.comment case.assignee.email", "case.review.comment case.assignee.email"),
        ("case", "case.metadata.email", "case.metadata.email"),
        ("check", "check.data.information", "check.data.information"),
        ("check", "check.data", "check.data"),
        ("check", "individual.first_name", "context.individual.first_name"),
        ("check", "user.first_name", "check.data.review.user.first_name"),
        ("check", "review.comment", "check.data.review.comment check.data.hits.0.review.comment"),
        ("check", "hit.name", "check.data.hits.0.name"),
        (
            "check",
            "*.name",
            f"{NAMES} check.data.information.name check.data.hits.0.name",
        ),
        ("check", "*.email", "check.data.information.email check.data.review.user.email"),
        ("check", "*.review.comment", "check.data.review.comment check.data.hits.0.review.comment"),
        ("check", "*.sequence *.id *.workspace", ""),
        ("check", "nonsense person.name *. .name check.", ""),
    ],
)
def test_what_is_left_out_is_absent_and_the_rest_is_as_it_was(kind: str, without: str, absent: str) -> None:
    whole = {"context": CONTEXT, kind: BODIES[kind]}
    found = told(Shape.of("full", without.split()), kind, BODIES[kind], CONTEXT)
    assert differences(whole, found) == {f".{path}" for path in absent.split()}


def test_a_field_of_all_objects_is_left_out_of_free_forms_too() -> None:
    found = told(Shape.of("full", ["*.email"]), "case", CASE, CONTEXT)
    assert "email" not in json.dumps(found).replace("john@example.com", "")
    assert at(found, "case.individuals.1.custom_properties.mail") == {}


@pytest.mark.parametrize("shape", [Shape(THIN), Shape.of("full", ["*.email", "individual.checks", "case.name"])])
def test_what_was_built_is_left_as_it_is_for_other_shapes(shape: Shape) -> None:
    context, entity = deepcopy(CONTEXT), deepcopy(CASE)
    told(shape, "case", entity, context)
    assert (context, entity) == (CONTEXT, CASE)


def test_equal_shapes_are_one_whatever_the_order() -> None:
    first, second = Shape.of("full", ["*.email", "case.name"]), Shape.of("full", ["case.name", "*.email", "*.email"])
    assert first == second
    assert len({first, second, Shape(), Shape.of(THIN, [])}) == 3


# Thin

BASE = "https://hooks.example.com"
THIN_CONTEXT = {
    "workspace": {"id": "w"},
    "case": {"id": "c", "status": "open"},
    "individual": {"id": "p"},
    "company": None,
    "sequence": 7,
}
TO_CASE = {"case": f"{BASE}/v1/cases/c"}
TO_PERSON = TO_CASE | {"individual": f"{BASE}/v1/individuals/p"}


@pytest.mark.parametrize(
    ("kind", "entity", "expected", "links"),
    [
        ("case", CASE, {"id": "c", "status": "open"}, {"self": f"{BASE}/v1/cases/c"}),
        ("individual", INDIVIDUAL, {"id": "p", "case_id": "c"}, TO_CASE | {"self": f"{BASE}/v1/individuals/p"}),
        (
            "check",
            CHECK,
            {"id": "k", "individual_id": "p", "company_id": None, "type": "aml", "status": "rejected"}
            | {"result": "rejected"},
            TO_PERSON | {"self": f"{BASE}/v1/checks/aml/k"},
        ),
        (
            "check",
            {"id": "k", "type": "fraud_database", "data": {}},
            {"id": "k", "type": "fraud_database", "result": None},
            TO_PERSON | {"self": f"{BASE}/v1/checks/fraud-database/k"},
        ),
        ("note", {"id": "n", "case_id": "c", "content": "x"}, {"id": "n", "case_id": "c"}, TO_CASE),
        ("noteComment", {"id": "o", "note_id": "n", "author": USER}, {"id": "o", "note_id": "n"}, TO_CASE),
        ("webhook", {"id": "h", "status": "offline", "host": "x"}, {"id": "h", "status": "offline"}, None),
        ("novelty", {"id": "x", "name": "new"}, {"id": "x"}, TO_CASE),
    ],
)
def test_a_thin_body_has_ids_statuses_and_links_only(
    kind: str, entity: dict[str, Any], expected: dict[str, Any], links: dict[str, str] | None
) -> None:
    about_person = kind in ("individual", "check")
    context = CONTEXT if about_person else {"workspace": WORKSPACE, **({"case": IN_CASE} if links else {})}
    found = told(Shape(THIN), kind, entity, context, base=BASE)
    assert found[kind] == expected | {"links": links or {"self": f"{BASE}/v1/webhooks/h"}}
    assert found["context"] == {name: THIN_CONTEXT[name] for name in context}


def test_what_is_gone_has_no_link_to_itself() -> None:
    found = told(Shape(THIN), "individual", INDIVIDUAL, CONTEXT, base=BASE, gone=True)
    assert found["individual"]["links"] == TO_CASE


def test_fields_can_be_left_out_of_a_thin_body_too() -> None:
    found = told(Shape.of(THIN, ["case.status"]), "case", CASE, {"case": IN_CASE})
    assert found["case"] == {"id": "c", "links": {"self": "/v1/cases/c"}}
    assert found["context"]["case"] == {"id": "c"}


def can_be_read(path: str) -> bool:
    try:
        return "get" in getattr(resolve(path).func, "actions", {})  # of a viewset
    except Resolver404:
        return False


@pytest.mark.parametrize("kind", CheckType.values)
def test_checks_are_linked_to_where_the_api_has_them(kind: str) -> None:
    found = told(Shape(THIN), "check", {"id": "k", "type": kind}, CONTEXT)
    assert can_be_read(found["check"]["links"]["self"])


@pytest.mark.parametrize("collection", shapes.COLLECTIONS.values())
def test_every_link_leads_somewhere(collection: str) -> None:
    assert can_be_read(f"/v1/{collection}/x")


# Kinds


def test_every_entity_has_a_kind() -> None:
    assert payloads.ENTITIES.keys() <= KINDS.keys()


def test_a_kind_holds_and_tells_what_it_has() -> None:
    for name, kind in KINDS.items():
        assert not kind.fields or {*kind.holds, *kind.thin} <= kind.fields | {"id"}, name
        assert set(kind.holds.values()) <= KINDS.keys(), name


# Complaints


@pytest.mark.parametrize(
    "path",
    [
        *("individual.birth_date", "individual.address.city", "case.individuals.email", "case.metadata.x.y", "*.email"),
        *("*.address.city", "check.data.information", "check.data.hits.name", "note.comments.author.email"),
        *("workspace.name", "webhook.host", "document.fields.mrz", "noteComment.content", "individual.case_id"),
    ],
)
def test_a_path_of_a_field_is_good(path: str) -> None:
    assert shapes.complaint([path]) is None


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("", "names no field"),
        ("email", "names no field"),
        ("*", "such as individual.birth_date"),
        ("individual.", "names no field"),
        (".email", "names no field"),
        ("individual..email", "names no field"),
        ("individual. email", "names no field"),
        ("individual.email\n", "names no field"),
        ("individual.\0", "names no field"),
        ("individual.\u200b", "names no field"),
        ("indivdual.email", "no kind of object named indivdual. Did you mean individual?"),
        ("context.event_id", "no kind of object named context."),
        ("individual.brith_date", "individual has no field named brith_date. Did you mean individual.birth_date?"),
        ("individual.address.ctiy", "address has no field named ctiy. Did you mean address.city?"),
        ("case.individuals.emial", "individual has no field named emial. Did you mean individual.email?"),
        ("note.comments.author.emial", "Did you mean user.email?"),
        ("case.id", "an id is always sent"),
        ("*.id", "an id is always sent"),
        ("workspace.id", "an id is always sent"),
        ("case.individuals.id", "an id is always sent"),
    ],
)
def test_a_path_that_names_nothing_is_refused_with_a_sentence(path: str, words: str) -> None:
    assert words in str(shapes.complaint(["*.email", path]))

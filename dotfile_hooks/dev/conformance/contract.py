"""Holds bodies against the schemas of a document, and says where and why one does not fit."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from . import dialect, formats, operations
from .document import JSON, Document, Unusable
from .operations import Operation

ROOT = "urn:openapi"
LONGEST = 160  # characters of a message; some quote a whole body
BRANCHING = {"oneOf", "anyOf"}
REFERENCE = re.compile(r"'\$ref': '[^']*/([^'/]+)'")


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong with a body."""

    path: str
    """Such as case.individuals[0].email; empty: the body as a whole."""
    message: str
    is_documents: bool = False
    """The document does not tell its alternatives apart: whatever the body says, it fits more than one."""

    def __str__(self) -> str:
        return f"{self.path or 'the body'}: {self.message}"


class Contract:
    """The validators of a document's events and operations."""

    def __init__(self, document: Document) -> None:
        same = dialect.translated if document.has_own_dialect else lambda schema: schema
        schemas = {name: same(schema) for name, schema in document.schemas.items()}
        events = {name: same(schema) for name, schema in document.events.items()}
        self.operations = {one.name: one for one in operations.read(document.root)}
        bodies = {name: same(one.body) for name, one in self.operations.items() if one.body is not None}
        answers = {
            name: {status: same(schema) for status, schema in one.answers.items() if schema is not None}
            for name, one in self.operations.items()
        }
        told: JSON = {"events": events, "bodies": bodies, "answers": answers, "components": {"schemas": schemas}}
        resource = DRAFT202012.create_resource(told)
        self._registry: Registry[Any] = Registry().with_resource(ROOT, resource)
        self._formats = formats.checker()
        self.root = document.root
        self.names = frozenset(events)
        self.unchecked_formats = sorted(formats.unknown([*told.values()]))

    def problems(self, name: str, body: bytes) -> list[Problem]:
        """All that is wrong with these bytes as the body of this event. Raises Unusable for a broken document."""
        return self._problems(body, "events", name)

    def answer_problems(self, operation: Operation, status: int, body: bytes) -> list[Problem]:
        """All that is wrong with these bytes as the answer of this operation. Raises Unusable."""
        key = operation.answer(status)
        if key is None:
            return [Problem("the status", f"is {status}, which is not described")]
        return [] if operation.answers[key] is None else self._problems(body, "answers", operation.name, key)

    def body_problems(self, operation: Operation, body: bytes) -> list[Problem]:
        """All that is wrong with these bytes as what a client sends to this operation. Raises Unusable."""
        return [] if operation.body is None else self._problems(body, "bodies", operation.name)

    def _problems(self, body: bytes, *place: str) -> list[Problem]:
        try:
            content = json.loads(body, parse_constant=_no_constant)
        except ValueError:
            return [Problem("", "is not JSON")]
        pointer = "".join(f"/{quote(step.replace('~', '~0').replace('/', '~1'))}" for step in place)
        validator = Draft202012Validator(
            {"$ref": f"{ROOT}#{pointer}"}, registry=self._registry, format_checker=self._formats
        )
        try:
            return sorted({problem for error in validator.iter_errors(content) for problem in explained(error)})
        except Unresolvable as error:
            raise Unusable(f"The document refers to {error.ref}, which it does not have.") from error
        except re.error as error:
            raise Unusable(f"The document has a pattern that cannot be used here: {error.pattern!r}.") from error


def _no_constant(name: str) -> None:
    raise ValueError(name)  # NaN and Infinity are Python's, not JSON's


def explained(error: ValidationError) -> Iterator[Problem]:
    """What is wrong, as deep as it can be told: of several alternatives, by the one that was meant.

    Where a discriminator names the alternative, the others need not refuse the body for it to be right.
    """
    path = _path(error.absolute_path)
    value: Any = error.instance
    wanted: Any = error.validator_value
    if error.validator in BRANCHING and error.context:
        for inner in _meant(error):
            yield from explained(inner)
    elif error.validator in BRANCHING:  # jsonschema says which, behind the whole value
        alternatives = error.message.rpartition(" is valid under each of ")[2]
        names = REFERENCE.findall(alternatives) or [alternatives]
        message = f"fits more than one alternative: {', '.join(sorted(names))}"
        yield Problem(path, message, "discriminator" in _schema(error))
    elif error.validator == "required":
        for name in (name for name in wanted if name not in value):
            yield Problem(f"{path}.{name}".lstrip("."), "is missing")
    else:
        yield Problem(path, error.message[-LONGEST:])


def _schema(error: ValidationError) -> Any:
    return error.schema


def _path(parts: Iterable[str | int]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts).lstrip(".")


def _meant(error: ValidationError) -> Sequence[ValidationError]:
    """The errors of the alternative that was meant: its kind fits (the discriminator, or `type`), or they are few."""
    kind = _schema(error).get("discriminator", {}).get("propertyName", "type")
    branches: dict[Any, list[ValidationError]] = defaultdict(list)
    for inner in error.context or ():
        branches[inner.schema_path[0]].append(inner)

    def rank(errors: list[ValidationError]) -> tuple[bool, bool, int]:
        # The kind may stand one level deeper: check.type tells the nine bodies of a check's event apart.
        other_kind = any(kind in [*each.relative_path][:2] and each.validator in ("enum", "const") for each in errors)
        only_null = any(each.validator == "type" and each.validator_value == "null" for each in errors)
        return other_kind, only_null, len(errors)

    return min(branches.values(), key=rank)

"""The API's operations that an OpenAPI document describes: what each takes and what it answers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .document import JSON, json_schema, operations, resolved

PLACE = re.compile(r"{[^{}]*}")


@dataclass(frozen=True)
class Parameter:
    """What may stand in the query string."""

    name: str
    schema: JSON = field(repr=False)
    description: str = field(repr=False)
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Operation:
    """A method at a path. Schemas are as written, in the dialect of the document."""

    method: str
    """In small letters."""
    path: str
    """Such as /v1/cases/{id}."""
    body: Any = field(repr=False)
    """The schema of its JSON body; None: it takes none."""
    answers: Mapping[str, Any] = field(repr=False)
    """By status, or 2XX, or default; a schema, or None where nothing is said of JSON."""
    parameters: tuple[Parameter, ...] = field(repr=False)

    @property
    def name(self) -> str:
        return f"{self.method.upper()} {self.path}"

    def answer(self, status: int) -> str | None:
        """The key of the answer that describes this status; None: it is not described."""
        keys = (str(status), f"{status // 100}XX", "default")
        return next((key for key in keys if key in self.answers), None)


def same_place(path: str) -> str:
    """Paths that differ only in how their parameters are named become the same."""
    return PLACE.sub("{}", path)


def read(root: JSON) -> Iterator[Operation]:
    """All that the document has under `paths`. Raises Unusable for a reference that leads nowhere."""
    for path, item in root.get("paths", {}).items():
        shared = resolved(root, item).get("parameters", [])
        for method, told in operations(root, item):
            answers = told.get("responses", {})
            yield Operation(
                method=method,
                path=path,
                body=json_schema(root, told.get("requestBody", {})),
                answers={status: json_schema(root, answer) for status, answer in answers.items()},
                parameters=tuple(_parameters(root, [*shared, *told.get("parameters", [])])),
            )


def _parameters(root: JSON, told: list[Any]) -> Iterator[Parameter]:
    for each in (resolved(root, one) for one in told):
        if each.get("in") == "query":
            examples = tuple(str(example.get("value")) for example in each.get("examples", {}).values())
            yield Parameter(each["name"], each.get("schema", {}), each.get("description", ""), examples)

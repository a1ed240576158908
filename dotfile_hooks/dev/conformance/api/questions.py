"""The questions that a document lets a client put to a list: each parameter with each of its operators and words."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dotfile_hooks.dev.conformance.operations import Operation, Parameter

from .served import SOMEBODY

Query = dict[str, str]

OPERATORS = re.compile(r"You can use the (.+?) operators?\b", re.DOTALL)
QUOTED = re.compile(r"`(\w+)`")
SEVERAL = ("in", "not_in")
MOMENTS = ("2023-01-31", "2023-01-31T13:30:00Z", "2023-01-31T13:30:00.000Z", "2023-01-31T13:30:00")


def of(operation: Operation) -> Iterator[Query]:
    """One at a time, then the first words of all of them at once."""
    first: Query = {}
    for parameter in operation.parameters:
        for query in _about(parameter):
            yield query
            first = query | first if parameter.name not in first else first
    if len(first) > 1:
        yield first


def _about(parameter: Parameter) -> Iterator[Query]:
    words = list(_words(parameter))
    for word in words:
        yield {parameter.name: word}
    for operator in operators(parameter):
        yield {f"{parameter.name}.{operator}": ",".join(words) if operator in SEVERAL else words[-1]}


def operators(parameter: Parameter) -> list[str]:
    """Those that its description lists; none for what is no filter."""
    found = OPERATORS.search(parameter.description)
    return QUOTED.findall(found[1]) if found else []


def _words(parameter: Parameter) -> Iterator[str]:
    schema, kind = parameter.schema, parameter.schema.get("type")
    if parameter.examples:
        yield from parameter.examples
    elif "enum" in schema:
        yield from map(str, schema["enum"])
    elif kind == "boolean":
        yield from ("true", "false")
    elif kind in ("number", "integer"):
        # Some clients know floats only where the document says number.
        yield from (str(value) for name in ("minimum", "maximum") if (value := schema.get(name)) is not None)
        yield from () if "default" not in schema else (f"{float(schema['default'])}",)
    elif "pattern" in schema or schema.get("format") in ("date", "date-time"):
        yield from MOMENTS
    elif parameter.name == "event":
        yield from ("Case.Created", "Case.StatusUpdated")
    else:
        yield SOMEBODY if parameter.name.endswith("_id") and parameter.name != "external_id" else "High"

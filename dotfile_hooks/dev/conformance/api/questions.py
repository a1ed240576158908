"""The questions that a document lets a client put to a list: each parameter with each of its operators and words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import cycle

from dotfile_hooks.dev.conformance.operations import Operation, Parameter

from .served import SOMEBODY

Query = dict[str, str]

OPERATORS = re.compile(r"You can use the (.+?) operators?\b", re.DOTALL)
QUOTED = re.compile(r"`(\w+)`")
SEVERAL = ("in", "not_in")
MOMENTS = ("2023-01-31", "2023-01-31T13:30:00Z", "2023-01-31T13:30:00.000Z", "2023-01-31T13:30:00")


def of(operation: Operation) -> Iterator[Query]:
    """One parameter at a time, then the first words of all of them at once."""
    first: Query = {}
    for parameter in operation.parameters:
        for query in _about(parameter):
            yield query
            first = query | first if parameter.name not in first else first
    if len(first) > 1:
        yield first


def _about(parameter: Parameter) -> Iterator[Query]:
    words, names = list(_words(parameter)), operators(parameter)
    if not names:
        yield from ({parameter.name: word} for word in words)
        return
    yield {parameter.name: words[0]}
    # Operators of one field narrow a list together: a question holds them all, and as many words as it can.
    for start in range(0, len(words), len(names)):
        some = cycle(words[start : start + len(names)])
        yield {f"{parameter.name}.{name}": ",".join(words) if name in SEVERAL else next(some) for name in names}


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

"""What documents of others say that cannot be meant, so that nobody could answer as they say.

Each change is of the document that answers are held against, never of the answers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

JSON = dict[str, Any]


def mended(node: Any) -> Any:
    """The document, with each of CHANGES made wherever it applies, and PLACES opened."""
    if isinstance(node, list):
        return [mended(each) for each in node]
    if not isinstance(node, dict):
        return node
    made = {name: mended(value) for name, value in node.items()}
    for change in CHANGES:
        change(made)
    return made


def overlapping(schema: JSON) -> None:
    """Alternatives that are not told apart: a text is also the name of a choice, and null is each of them."""
    if isinstance(schema.get("oneOf"), list):
        schema["anyOf"] = schema.pop("oneOf")


def unmapped(schema: JSON) -> None:
    """Discriminators without a mapping: their values are words such as `onfido`, and no names of schemas."""
    told = schema.get("discriminator")
    if isinstance(told, dict) and "mapping" not in told:
        del schema["discriminator"]


def slashed(schema: JSON) -> None:
    """Patterns between slashes, as JavaScript writes them: nothing matches those."""
    pattern = schema.get("pattern")
    if isinstance(pattern, str) and len(pattern) > 1 and pattern[0] == pattern[-1] == "/":
        schema["pattern"] = pattern[1:-1]


def never_null(schema: JSON) -> None:
    """The day on which somebody was suspended, without a way to say that nobody did."""
    if isinstance(when := schema.get("suspended_at"), dict) and "type" in when:
        when["nullable"] = True


CHANGES: tuple[Callable[[JSON], None], ...] = (overlapping, unmapped, slashed, never_null)

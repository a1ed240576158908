"""Schemas of OpenAPI 3.0, in JSON Schema.

The dialect differs in few words: `nullable`, `exclusiveMinimum` as a flag, patterns that some write between slashes,
and neighbours of `$ref` do not count. `nullable` is read as those who write it mean it: null is allowed, also beside an
`allOf` of something that is not null, and beside an `enum` without null. Among the alternatives of a `oneOf` null
counts once, however many of them are nullable; one that says `nullable` and nothing else is null, not anything.
"""

from __future__ import annotations

from typing import Any

JSON = dict[str, Any]

KEPT = {
    *("type", "enum", "format", "required", "discriminator", "multipleOf", "minimum", "maximum"),
    *("minLength", "maxLength", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties"),
}
COMBINED = {"allOf", "anyOf", "oneOf"}
NULL: JSON = {"type": "null"}
LIMITS = {"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"}


def translated(schema: Any) -> Any:
    """The same in JSON Schema 2020-12; annotations are left out."""
    if not isinstance(schema, dict):
        return schema  # additionalProperties may be true or false
    if "$ref" in schema:
        return {"$ref": schema["$ref"]}
    made = {key: value for word, given in schema.items() for key, value in _word(word, given).items()}
    for flag, limit in LIMITS.items():
        if schema.get(flag) is True and limit in made:
            made[flag] = made.pop(limit)
    nullable = _is_nullable(schema) or any(map(_is_nullable, schema.get("oneOf", ())))
    return _with_null(made) if nullable else made


def _is_nullable(schema: Any) -> bool:
    return isinstance(schema, dict) and schema.get("nullable") is True and "$ref" not in schema


def _word(word: str, given: Any) -> JSON:
    if word in KEPT:
        return {word: given}
    if word == "oneOf":
        return {word: [told for each in given if (told := _alternative(each)) is not None] or [NULL]}
    if word in COMBINED:
        return {word: [translated(each) for each in given]}
    if word == "properties":
        return {word: {name: translated(each) for name, each in given.items()}}
    if word in ("items", "additionalProperties", "not"):
        return {word: translated(given)}
    return {word: _bare(given)} if word == "pattern" else {}


def _alternative(schema: Any) -> Any:
    """One of a oneOf, without its null; None: it is nothing else."""
    if not _is_nullable(schema):
        return translated(schema)
    return translated({**schema, "nullable": False}) or None


def _bare(pattern: str) -> str:
    """/^a$/ as ^a$."""
    return pattern[1:-1] if len(pattern) > 1 and pattern[0] == pattern[-1] == "/" else pattern


def _with_null(schema: JSON) -> JSON:
    if "type" not in schema or schema.keys() & {*COMBINED, "not"}:
        return {"anyOf": [NULL, schema]}
    made = schema | {"type": [schema["type"], "null"]}
    return made | {"enum": [*schema["enum"], None]} if "enum" in schema else made

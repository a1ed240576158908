"""What is sent: the operations of a document that we have, with the names of rows in place of examples."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workspaces.api import idempotency
from workspaces.api.authentication import HEADER

from .addresses import METHODS, Address, nameless, names
from .rows import World

JSON = dict[str, Any]
OFTEN = 0.8
"""How often a parameter names a row that is there; else it is whatever the document allows."""
DOOMED = 4
"""Of so many rows one is there to be deleted."""
EXAMPLES = 4
"""Rows of a parameter that are tried one by one."""
ROWS_ONLY = [
    line
    for phase in ("examples", "coverage", "fuzzing")
    for line in (f"[phases.{phase}.extra-data-sources]", "responses = false")
]
"""Else an id that was read somewhere is deleted somewhere else, and after some seconds nothing is left to find."""
REFERRED = {
    "case_id": "/v1/cases/{}",
    "individual_id": "/v1/individuals/{}",
    "company_id": "/v1/companies/{}",
    "template_id": "/v1/templates/{}",
    "webhook_id": "/v1/webhooks/{}",
}
"""Members of bodies and queries that name rows, by the address of those."""
UPLOADS = ("upload_ref", "front_upload_ref", "back_upload_ref")
"""Members of bodies that name uploaded files."""


@dataclass(frozen=True)
class Plan:
    """A document and a configuration for Schemathesis, and what was left out."""

    document: JSON = field(repr=False)
    configuration: str = field(repr=False)
    operations: frozenset[str]
    """GET /v1/cases/{}"""
    foreign: frozenset[str]
    """Of the document, not ours."""

    def write(self, folder: Path) -> None:
        (folder / "openapi.json").write_text(json.dumps(self.document))
        (folder / "schemathesis.toml").write_text(self.configuration)


def made(document: JSON, addresses: Mapping[str, Address], world: World) -> Plan:
    """The plan for this document; other operations, callbacks and servers are left out."""
    paths: JSON = {}
    pools = _referred(addresses, world)
    operations: list[str] = []
    for path, method, operation in _operations(document):
        address = addresses.get(nameless(path))
        if address is None or method not in address.methods:
            continue
        values = _values(address, path, method, world)
        item = {name: part for name, part in document["paths"][path].items() if name not in METHODS}
        paths.setdefault(path, item)[method] = _with_rows(operation, values)
        pools |= {f"{method} {path} {name}": rows for name, rows in values.items()}
        operations += _bound(path, method, values)
    kept = {name: part for name, part in document.items() if name not in ("servers", "webhooks")} | {"paths": paths}
    _give_examples(kept, {name: rows[0] for name, rows in pools.items() if name in {*REFERRED, *UPLOADS} and rows})
    configuration = "\n".join([*ROWS_ONLY, *_security(document, world.key), *_bindings(pools), *operations, ""])
    ours, every = _named(kept), _named(document)
    return Plan(kept, configuration, ours, every - ours)


def _operations(document: JSON) -> Iterator[tuple[str, str, JSON]]:
    for path, item in document["paths"].items():
        yield from ((path, method, item[method]) for method in METHODS if method in item)


def _named(document: JSON) -> frozenset[str]:
    return frozenset(f"{method.upper()} {nameless(path)}" for path, method, _ in _operations(document))


def _referred(addresses: Mapping[str, Address], world: World) -> dict[str, list[str]]:
    found = {name: addresses[template].values("pk", world.workspace) for name, template in REFERRED.items()}
    return {name: _kept(values) for name, values in found.items()} | dict.fromkeys(UPLOADS, world.uploads)


def _values(address: Address, path: str, method: str, world: World) -> dict[str, list[str]]:
    """By the document's names for the parameters. What one operation deletes, no other asks for."""
    deletes = method == "delete" and address.takes_a_row_away
    share = _kept if not deletes else _last if address.template == REFERRED["case_id"] else _first
    found = zip(names(path), address.parameters, strict=True)
    values = {name: share(address.values(own, world.workspace)) for name, own in found}
    return {name: rows for name, rows in values.items() if rows}


def _first(values: list[str]) -> list[str]:
    return values[: len(values) // DOOMED] or values


def _last(values: list[str]) -> list[str]:
    """Of cases: what belongs to them goes with them, and nobody else asks for it."""
    return values[-(len(values) // DOOMED) :]


def _kept(values: list[str]) -> list[str]:
    doomed = len(values) // DOOMED
    return values[doomed : len(values) - doomed]


def _with_rows(operation: JSON, values: Mapping[str, list[str]]) -> JSON:
    """The examples of path parameters are rows: with a document's own ones nothing is ever found."""
    kept = {name: part for name, part in operation.items() if name != "callbacks"}
    given = [each for each in operation.get("parameters", []) if not _is_once(each)]
    return {**kept, "parameters": [_parameter(each, values) for each in given]}


def _is_once(parameter: JSON) -> bool:
    """One value would be sent with all requests, and all but the first be refused."""
    return idempotency.HEADER in (parameter.get("name"), parameter.get("$ref", "").rpartition("/")[2])


def _parameter(given: JSON, values: Mapping[str, list[str]]) -> JSON:
    rows = values.get(given.get("name", "")) if given.get("in") == "path" else None
    if not rows:
        return given
    kept = {name: part for name, part in given.items() if name != "example"}
    return {**kept, "examples": {f"row {number}": {"value": value} for number, value in enumerate(rows[:EXAMPLES])}}


def _give_examples(node: Any, rows: Mapping[str, str]) -> None:
    """What members of bodies are when it is another one's turn to be odd."""
    for each in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        _give_examples(each, rows)
    members = node.get("properties") if isinstance(node, dict) else None
    for name, member in members.items() if isinstance(members, dict) else ():
        if name in rows and isinstance(member, dict):
            member["example"] = rows[name]


# TOML, as far as it is needed: its strings and lists are written as in JSON.
def _security(document: JSON, key: str) -> list[str]:
    """The key, for what the document calls it."""
    schemes: JSON = document.get("components", {}).get("securitySchemes", {})
    found = [name for name, scheme in schemes.items() if scheme.get("name", "").lower() == HEADER.lower()]
    return ["[auth.openapi]", *(f"{json.dumps(name)} = {{api_key = {json.dumps(key)}}}" for name in found)]


def _bindings(pools: Mapping[str, list[str]]) -> list[str]:
    """Which rows bodies and queries may name, and the rows."""
    places = [
        f"{json.dumps(f'{place}.{name}')} = {_pool(name)}"
        for name in (*REFERRED, *UPLOADS)
        for place in ("body", "query")
    ]
    rows = [f"{json.dumps(name)} = {{values = {json.dumps(values)}}}" for name, values in pools.items()]
    return ["[parameters]", *places, "[dictionaries]", *rows]


def _bound(path: str, method: str, values: Mapping[str, list[str]]) -> list[str]:
    """Which rows an operation's path may name."""
    if not values:
        return []
    which = f"include-name = {json.dumps(f'{method.upper()} {path}')}"
    lines = [f"{json.dumps(f'path.{name}')} = {_pool(f'{method} {path} {name}')}" for name in values]
    return ["[[operations]]", which, "[operations.parameters]", *lines]


def _pool(name: str) -> str:
    return f"{{dictionary = {json.dumps(name)}, probability = {OFTEN}}}"

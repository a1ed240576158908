"""What of an event a subscription is told: all of it, all but some fields, or only what happened to whom. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, NamedTuple

from deliveries.engine.envelope import THIN, Parts, Shape, members

from .kinds import KINDS, Kind

JSON = dict[str, Any]
Path = tuple[str, ...]
Tree = dict[str, Any]
"""By field: None, it is left out; or what is left out below it."""

EVERYWHERE = "*"
CHECK_ADDRESSES = {"company_monitoring": "company-monitoring", "fraud_database": "fraud-database"}
"""By type of check, what it is called in GET /v1/checks/{type}/{id}, where that is not the type itself."""
COLLECTIONS = {"case": "cases", "individual": "individuals", "company": "companies", "webhook": "webhooks"}
"""Where the API has the objects of a kind."""
PARENTS = ("case", "individual", "company")


# --- Paths ------------------------------------------------------------------------------------------------------------


def complaint(paths: Iterable[str]) -> str | None:
    """A sentence about the first path that nothing can be left out by; None when all are good."""
    return next(filter(None, map(_complaint, paths)), None)


def _complaint(path: str) -> str | None:
    kind, *fields = path.split(".")
    if not fields or not all([kind, *fields]) or path.split() != [path] or not path.isprintable():
        return f"{path!r} names no field. Write a kind, a dot and a field, such as individual.birth_date or *.email."
    if kind not in KINDS and kind != EVERYWHERE:
        return f"There is no kind of object named {kind}.{_nearest(kind, KINDS)}"
    if fields[-1] == "id":
        return f"{path} cannot be left out: an id is always sent."
    return None if kind == EVERYWHERE else _unknown(kind, fields)


def _unknown(kind: str, fields: Sequence[str]) -> str | None:
    """What is misspelt would be sent after all. Below fields that are the client's own, any name may be one."""
    known, (field, *below) = KINDS[kind], fields
    if known.fields and field not in known.fields:
        return f"{kind} has no field named {field}.{_nearest(field, known.fields, f'{kind}.')}"
    return _unknown(known.holds[field], below) if below and field in known.holds else None


def _nearest(name: str, among: Iterable[str], prefix: str = "") -> str:
    near = get_close_matches(name, among, n=1, cutoff=0.5)
    return f" Did you mean {prefix}{near[0]}?" if near else ""


# --- Bodies -----------------------------------------------------------------------------------------------------------


def parts(shape: Shape, kind: str, context: JSON, entity: JSON, base: str = "", *, gone: bool = False) -> Parts:
    """What is told of an entity of this kind, as it is stored and sent.

    `context` and `entity` stay as they are: other shapes share them. Links begin with `base`; what is `gone` has none
    to itself.
    """
    if shape.payload == THIN:
        links = _links(kind, context, entity, base, gone)
        context = {name: _thin(name, value) if isinstance(value, dict) else value for name, value in context.items()}
        entity = {**_thin(kind, entity), "links": links}
    if shape.without:
        cuts = _cuts(shape.without)
        context = {name: cuts.made(name, value) for name, value in context.items()}
        entity = cuts.made(kind, entity)
    return Parts(members(context), members({kind: entity}))


def _thin(kind: str, whole: JSON) -> JSON:
    told = {name: whole[name] for name in KINDS.get(kind, Kind()).thin if name in whole}
    if kind == "check" and isinstance(data := whole.get("data"), dict):
        told["result"] = data.get("result")
    return told


def _links(kind: str, context: JSON, entity: JSON, base: str, gone: bool) -> JSON:
    """Where to GET the rest: the entity if the API has it, and those it belongs to."""
    own = COLLECTIONS.get(kind)
    if kind == "check":
        own = f"checks/{CHECK_ADDRESSES.get(entity['type'], entity['type'])}"
    found = {"self": f"{base}/v1/{own}/{entity['id']}"} if own and not gone else {}
    for parent in PARENTS:
        key = entity.get(f"{parent}_id") or (context.get(parent) or {}).get("id")
        if key and parent != kind:
            found[parent] = f"{base}/v1/{COLLECTIONS[parent]}/{key}"
    return found


class _Cuts(NamedTuple):
    """Paths, as trees by the kind of object that they begin at."""

    kinds: Mapping[str, Tree]
    everywhere: Tree

    def made(self, kind: str, value: Any) -> Any:
        """The value without them, as a copy where it differs."""
        if tree := self.kinds.get(kind):
            value = _without(value, tree)
        return _without_everywhere(value, self.everywhere) if self.everywhere else value


@lru_cache(maxsize=1024)
def _cuts(without: Path) -> _Cuts:
    """Never raises: a path that is none, or that would leave out an id, leaves out nothing."""
    paths: dict[str, list[Path]] = {}
    for kind, *path in (each.split(".") for each in without):
        if path and path[-1] != "id":
            paths.setdefault(kind, []).append(tuple(path))
    return _Cuts({kind: _tree(_below(kind, paths)) for kind in KINDS}, _tree(paths.get(EVERYWHERE, ())))


def _below(kind: str, paths: Mapping[str, Iterable[Path]]) -> Iterator[Path]:
    """Those of the kind, and those of the kinds that it holds, from where it holds them."""
    yield from paths.get(kind, ())
    for field, held in KINDS[kind].holds.items():
        for path in _below(held, paths):
            yield (field, *path)


def _tree(paths: Iterable[Path]) -> Tree:
    tree: Tree = {}
    for *above, last in paths:
        at: Tree | None = tree
        for field in above:
            at = None if at is None else at.setdefault(field, {})
        if at is not None:
            at[last] = None
    return tree


def _without(value: Any, tree: Tree) -> Any:
    if isinstance(value, list):
        return [_without(item, tree) for item in value]
    if not isinstance(value, dict):
        return value
    kept = value.copy()
    for field, below in tree.items():
        if field in kept:
            if below is None:
                del kept[field]
            else:
                kept[field] = _without(kept[field], below)
    return kept


def _without_everywhere(value: Any, tree: Tree) -> Any:
    """The same in every object there is, free-form ones among them."""
    if isinstance(value, list):
        return [_without_everywhere(item, tree) for item in value]
    if not isinstance(value, dict):
        return value
    kept = _without(value, tree)
    for field, item in kept.items():
        if isinstance(item, dict | list):
            kept[field] = _without_everywhere(item, tree)
    return kept

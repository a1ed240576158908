"""The catalogue of events (ours, not Dotfile's): which there are, when each arises, what it says. The same for all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from functools import cache
from http import HTTPStatus
from typing import Any

import orjson
from django.utils.cache import get_conditional_response, patch_cache_control, patch_vary_headers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from deliveries.events import catalogue, documents, schemas
from workspaces.api.described import described
from workspaces.api.pagination import DEFAULT_LIMIT, MAX_LIMIT, MAX_PAGE, Page
from workspaces.api.permissions import Area

Json = dict[str, Any]

KEPT = 3600
"""Seconds that a client may keep an answer. It changes with a release only, and then its ETag differs."""
REF = "#/$defs/"
PAGE: Json = {
    "page": {"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": 1},
    "limit": {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
}


class EventsView(APIView):
    """All of them, in pages; `$defs` has what the schemas of the page refer to."""

    scope_area = Area.WEBHOOKS

    @described(summary="List the events", gives="EventPage", ours=True, query=PAGE, may=(HTTPStatus.NOT_MODIFIED,))
    def get(self, request: Request) -> Response:
        page = Page.parse(request.query_params)
        _refuse_unknown(request, "page", "limit")
        chosen = list(listing().values())
        answer = page.envelope(chosen[page.rows], len(chosen))
        return _cacheable(request, {**answer, "$defs": definitions(row["schema"] for row in answer["data"])})


class EventView(APIView):
    """One, with a schema that stands for itself."""

    scope_area = Area.WEBHOOKS

    @described(summary="Read one event", gives="CatalogueEvent", ours=True, may=(HTTPStatus.NOT_MODIFIED,))
    def get(self, request: Request, name: str) -> Response:
        if name not in catalogue.NAMES:
            raise NotFound(catalogue.complaint([name]) or "A family is no event; name one of its events.")
        _refuse_unknown(request)
        row = listing()[name]
        return _cacheable(request, {**row, "schema": _whole(row["schema"])})


def _whole(schema: Json | None) -> Json | None:
    return schema and {"$schema": documents.DIALECT, **schema, "$defs": definitions([schema])}


def _cacheable(request: Request, answer: Json) -> Response:
    """Empty for who has it already. For the client to keep, not for what is between: others have no key."""
    known = get_conditional_response(request._request, etag=etag())
    is_known = known is not None and known.status_code == HTTPStatus.NOT_MODIFIED
    response = Response(status=HTTPStatus.NOT_MODIFIED) if is_known else Response(answer)
    response.headers["ETag"] = etag()
    patch_cache_control(response, private=True, max_age=KEPT)
    patch_vary_headers(response, ["X-DOTFILE-API-KEY"])
    return response


def _refuse_unknown(request: Request, *known: str) -> None:
    """Raises ValidationError: what is not understood is not passed over."""
    if unknown := sorted(set(request.query_params) - set(known)):
        sentence = f"Unknown parameter. Those here: {', '.join(known) or 'none'}."
        raise ValidationError({name: [sentence] for name in unknown})


@cache
def listing() -> Mapping[str, Json]:
    """By name, in the order of the catalogue. Read only."""
    return {row["name"]: row for row in documents.listing()}


@cache
def etag() -> str:
    content = orjson.dumps([list(listing().values()), schemas.DEFINITIONS])
    return f'W/"{hashlib.sha256(content).hexdigest()[:32]}"'


def definitions(found: Iterable[Json | None]) -> Json:
    """What these schemas refer to, directly or not."""
    needed: set[str] = set()
    waiting = [name for schema in found for name in _referred(schema)]
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += _referred(schemas.DEFINITIONS[name])
    return {name: schema for name, schema in schemas.DEFINITIONS.items() if name in needed}


def _referred(schema: Any) -> list[str]:
    if isinstance(schema, list):
        return [name for item in schema for name in _referred(item)]
    if not isinstance(schema, dict):
        return []
    own = [schema["$ref"].removeprefix(REF)] if isinstance(schema.get("$ref"), str) else []
    return own + [name for item in schema.values() for name in _referred(item)]

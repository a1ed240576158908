"""What many operations share: parameters, headers, and the ways in which a request may end."""

from __future__ import annotations

from collections.abc import Collection
from http import HTTPStatus
from typing import Any

from deliveries.events.schemas.words import COUNT, TEXT, ref
from workspaces.api import authentication, caching, idempotency
from workspaces.api.pagination import DEFAULT_LIMIT, MAX_PAGE

Json = dict[str, Any]

JSON = "application/json"
KEY = "ApiKey"
KNOWN = "If-None-Match"
SECURITY: Json = {
    KEY: {
        "type": "apiKey",
        "in": "header",
        "name": authentication.HEADER,
        "description": "Made in the admin, with scopes: `read`, `write`, `webhooks`. It decides the workspace.",
    }
}
ERRORS: dict[HTTPStatus, tuple[str, str]] = {
    HTTPStatus.BAD_REQUEST: ("Invalid", "Something in the request is wrong; `errors` names each field. Change it."),
    HTTPStatus.UNAUTHORIZED: ("Unauthorized", "The API key is missing, unknown, expired or revoked."),
    HTTPStatus.FORBIDDEN: ("Forbidden", "The API key may not do this, or not from this address."),
    HTTPStatus.NOT_FOUND: ("NotFound", "It does not exist in the key's workspace."),
    HTTPStatus.NOT_ACCEPTABLE: ("NotAcceptable", "`Accept` leaves out what is answered with."),
    HTTPStatus.CONFLICT: ("Conflict", "What is asked for cannot be done now; `message` says why."),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ("TooLarge", "The body is larger than is taken."),
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: ("UnsupportedType", "The body is of a type that is not taken."),
    HTTPStatus.UNPROCESSABLE_ENTITY: ("AnotherRequest", "This Idempotency-Key was used for another request."),
    HTTPStatus.TOO_MANY_REQUESTS: ("TooMany", "The key, or the address, was used too often. Wait as told."),
}
ALWAYS = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_ACCEPTABLE,
    HTTPStatus.TOO_MANY_REQUESTS,
)
WITH_A_BODY = (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
BEFORE_THE_KEY = {HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_ACCEPTABLE}
"""Whose it is, and how often it was used, is not known by then."""
CACHE = caching.HEADER
KEPT = ("ETag",)
CHALLENGE = "WWW-Authenticate"
LIMITS = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "RateLimit-Policy")
HEADERS: dict[str, Json] = {
    "RateLimit-Limit": {"description": "Requests that the key may send at once.", "schema": COUNT},
    "RateLimit-Remaining": {"description": "How many of them are left.", "schema": COUNT},
    "RateLimit-Reset": {"description": "Seconds until all are there again.", "schema": COUNT},
    "RateLimit-Policy": {"description": "Requests a minute, and at once: `800;w=60;burst=200`.", "schema": TEXT},
    "ETag": {"description": f"For `{KNOWN}`.", "schema": TEXT},
    CACHE: {
        "description": f"`{caching.FORBIDDEN}`, unless the answer is the same for all: then who may keep it, how long.",
        "required": True,
        "schema": TEXT,
    },
    CHALLENGE: {"description": "Names the header of the key.", "schema": TEXT},
    "Retry-After": {"description": "Seconds to wait.", "schema": COUNT},
    idempotency.REPLAYED: {
        "description": "`true` where this is the answer to an earlier request with the same key.",
        "schema": {"type": "string", "const": "true"},
    },
}
PARAMETERS: dict[str, Json] = {
    "page": {
        "name": "page",
        "in": "query",
        # No default: pages like Swagger UI's would send it beside a cursor.
        "description": "Counts from 1, which it is unless given. Deep pages are slow: use `cursor`.",
        "schema": {"type": "integer", "minimum": 1, "maximum": MAX_PAGE},
    },
    "cursor": {
        "name": "cursor",
        "in": "query",
        "description": (
            "`pagination.next_cursor` of the page before, with the same filters and `sort`; not together with `page`. "
            "Lists that are sorted by one time have them."
        ),
        "schema": TEXT,
    },
    idempotency.HEADER: {
        "name": idempotency.HEADER,
        "in": "header",
        # No example: pages like Swagger UI's would send it with every request.
        "description": "Chosen by you for each request, such as a UUID: if it is sent again, it does nothing again.",
        "schema": {"type": "string", "pattern": "^[\\x21-\\x7e]{1,255}$"},
    },
    KNOWN: {"name": KNOWN, "in": "header", "description": "The `ETag` of the answer that you have.", "schema": TEXT},
}


def components() -> Json:
    return {
        "securitySchemes": SECURITY,
        "headers": HEADERS,
        "parameters": PARAMETERS,
        "responses": {
            **{name: _error(code, told) for code, (name, told) in ERRORS.items()},
            _name(HTTPStatus.NOT_MODIFIED): {
                "description": "It is as it was when its `ETag` was given.",
                "headers": headers(CACHE, *LIMITS, *KEPT),
            },
        },
    }


def _name(code: HTTPStatus) -> str:
    return ERRORS[code][0] if code in ERRORS else code.phrase.replace(" ", "")


def limit(most: int) -> Json:
    """The parameter of a list whose pages have at most so many rows."""
    schema = {"type": "integer", "minimum": 1, "maximum": most, "default": DEFAULT_LIMIT}
    return {"name": "limit", "in": "query", "description": "Rows of a page.", "schema": schema}


def endings(codes: Collection[HTTPStatus]) -> dict[str, Json]:
    """The answers with these statuses."""
    return {str(int(code)): {"$ref": f"#/components/responses/{_name(code)}"} for code in sorted(codes)}


def headers(*names: str) -> dict[str, Json]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _error(code: HTTPStatus, told: str) -> Json:
    late = ("Retry-After",) if code in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.CONFLICT) else ()
    known = () if code in BEFORE_THE_KEY else LIMITS
    challenge = (CHALLENGE,) if code == HTTPStatus.UNAUTHORIZED else ()
    return {
        "description": told,
        "headers": headers(CACHE, *known, *late, *challenge),
        "content": {JSON: {"schema": ref("Error"), "example": _example(code, told)}},
    }


def _example(code: HTTPStatus, told: str) -> Json:
    found = {"status_code": int(code), "timestamp": "2026-02-03T09:15:42.128Z", "code": code.name, "message": told}
    if code != HTTPStatus.BAD_REQUEST:
        return found
    wrong = {"field": "individuals.0.birth_date", "code": "invalid", "message": "Use a date such as 2023-01-31."}
    return {**found, "message": "The request is not valid; see `errors` for what to change.", "errors": [wrong]}

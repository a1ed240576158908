"""A client that holds every answer of the API against the API's own description of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from rest_framework.test import APIClient

from dotfile_hooks import settings as project
from tests.deliveries.conforming import closed

Json = dict[str, Any]

JSON = "application/json"
ERROR: Json = {"content": {JSON: {"schema": {"$ref": "#/components/schemas/Error"}}}}
"""What any address under /v1/ answers to a method that it does not have; and where there is none."""


class Undescribed(AssertionError):
    """An answer that the description does not allow."""


class DescribedClient(APIClient):
    """Raises Undescribed."""

    def request(self, **request: Any) -> Any:
        response = super().request(**request)
        method, path = request["REQUEST_METHOD"].lower(), request["PATH_INFO"]
        on_purpose = response.status_code == HTTPStatus.INTERNAL_SERVER_ERROR and not self.raise_request_exception
        if path.startswith("/v1/") and not on_purpose and (strays := [*_strays(method, path, response)]):
            raise Undescribed(f"{method} {path}: {'; '.join(strays)}")
        return response


@cache
def document() -> Json:
    found: Json = json.loads((Path(project.BASE_DIR) / "docs/openapi.json").read_text(encoding="utf-8"))
    return found


def _strays(method: str, path: str, response: Any) -> Iterator[str]:
    code, operation = response.status_code, _operation(path, "get" if method == "head" else method)
    if operation is None:
        yield from _strays_of_body(ERROR, response) if code >= HTTPStatus.BAD_REQUEST else ()
    elif described := operation["responses"].get(str(code)):
        described = _resolved(described)
        yield from _strays_of_headers(described, response)
        yield from _strays_of_body(described, response) if method != "head" else ()
    else:
        yield f"a {code} is not described: {response.content[:200]!r}"


def _operation(path: str, method: str) -> Json | None:
    for pattern, operations in _paths():
        if pattern.fullmatch(path):
            found: Json | None = operations.get(method)
            return found
    return None


@cache
def _paths() -> list[tuple[re.Pattern[str], Json]]:
    """Those without variables first: `aml` is no identifier."""
    found = sorted(document()["paths"].items(), key=lambda item: item[0].count("{"))
    return [(re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))), operations) for path, operations in found]


def _resolved(response: Json) -> Json:
    if "$ref" not in response:
        return response
    found: Json = document()["components"]["responses"][response["$ref"].rpartition("/")[2]]
    return found


def _strays_of_headers(described: Json, response: Any) -> Iterator[str]:
    """Of the headers that are described anywhere."""
    for name, told in document()["components"]["headers"].items():
        is_described = name in described.get("headers", {})
        if name in response.headers and not is_described:
            yield f"{response.status_code} the header {name} is not described"
        if is_described and told.get("required") and name not in response.headers:
            yield f"{response.status_code} the header {name} is missing"


def _strays_of_body(described: Json, response: Any) -> Iterator[str]:
    code, content = response.status_code, described.get("content", {})
    media = response.headers.get("Content-Type", "").partition(";")[0]
    if not content and not media:  # of a body that may not be, Django's client leaves the type only
        return
    if media not in content:
        yield f"{code} the type {media} is not described"
    elif media == JSON:
        for error in _validator(json.dumps(content[JSON]["schema"])).iter_errors(json.loads(response.content)):
            deepest = best_match([error])
            yield f"{code} {'/'.join(map(str, deepest.absolute_path))}: {deepest.message[:300]}"


@cache
def _validator(schema: str) -> Draft202012Validator:
    whole = {**closed(json.loads(schema)), "components": {"schemas": _schemas()}}
    return Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)


@cache
def _schemas() -> Json:
    found: Json = closed(document()["components"]["schemas"])
    return found

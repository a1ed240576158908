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
# Any address may answer so: to a method that it does not have, to an `Accept` that it cannot satisfy.
ANYWHERE = {"405", "406"}


class Undescribed(AssertionError):
    """An answer that the description does not allow."""


class DescribedClient(APIClient):
    """Raises Undescribed."""

    def request(self, **request: Any) -> Any:
        response = super().request(**request)
        if operation := _operation(request["PATH_INFO"], request["REQUEST_METHOD"].lower()):
            on_purpose = response.status_code == HTTPStatus.INTERNAL_SERVER_ERROR and not self.raise_request_exception
            strays = [] if on_purpose else [*_strays(operation, response)]
            if strays:
                raise Undescribed(f"{operation['operationId']}: {'; '.join(strays)}")
        return response


@cache
def document() -> Json:
    found: Json = json.loads((Path(project.BASE_DIR) / "docs/openapi.json").read_text(encoding="utf-8"))
    return found


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


def _strays(operation: Json, response: Any) -> Iterator[str]:
    code = str(response.status_code)
    if code in ANYWHERE:
        return
    if code not in operation["responses"]:
        yield f"a {code} is not described: {response.content[:200]!r}"
        return
    if response.headers.get("Content-Type", "").startswith(JSON):
        for error in _validator(operation["operationId"], code).iter_errors(json.loads(response.content)):
            deepest = best_match([error])
            yield f"{code} {'/'.join(map(str, deepest.absolute_path))}: {deepest.message[:300]}"


@cache
def _validator(name: str, code: str) -> Draft202012Validator:
    operations = [operation for operations in document()["paths"].values() for operation in operations.values()]
    (operation,) = (operation for operation in operations if operation["operationId"] == name)
    schema = _resolved(operation["responses"][code])["content"][JSON]["schema"]
    whole = closed({**schema, "components": {"schemas": document()["components"]["schemas"]}})
    return Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)


def _resolved(response: Json) -> Json:
    if "$ref" not in response:
        return response
    found: Json = document()["components"]["responses"][response["$ref"].rpartition("/")[2]]
    return found

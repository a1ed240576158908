"""Every error of the API in one shape: {status_code, timestamp, code, message}, and `errors` when fields are wrong."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Any

from django.apps import apps
from django.core.exceptions import NON_FIELD_ERRORS, DisallowedHost
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import DatabaseError, DataError, IntegrityError
from django.db.models import BaseConstraint
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils import timezone
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt
from rest_framework.exceptions import APIException, ErrorDetail, ParseError, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler

from workspaces.timestamps import iso

from . import collisions

logger = logging.getLogger(__name__)

Json = dict[str, Any]
ROOT = "/v1/"
WHOLE = "The request is not valid; see `errors` for what to change."


class NotUnderstood(ValidationError):
    """400 with a sentence of its own: for what no single field is to blame."""

    def __init__(self, message: str) -> None:
        super().__init__({NON_FIELD_ERRORS: [message]})


class Conflict(APIException):
    status_code = HTTPStatus.CONFLICT
    default_detail = "Another request was changing or deleting the same at this moment. Send this one again."
    default_code = "conflict"


def body(status: int, message: str, errors: list[Json] | None = None) -> Json:
    answer: Json = {
        "status_code": int(status),
        "timestamp": iso(timezone.now()),
        "code": HTTPStatus(status).name,
        "message": message,
    }
    return {**answer, "errors": errors} if errors else answer


def handle(exc: Exception, context: Json) -> Response | None:
    """DRF's exception handler. None (a server error) only for what is not the client's mistake."""
    exc = _as_api_exception(exc)
    response = exception_handler(exc, context)
    if response is None or not isinstance(exc, APIException):
        return _handle_django(response)
    if isinstance(exc, ValidationError):
        response.data = invalid(exc)
    else:
        response.data = body(response.status_code, str(exc.detail))
    return response


def invalid(exc: ValidationError) -> Json:
    """The body of a 400. One general error is the message itself."""
    errors = list(flatten(exc.detail))
    general = len(errors) == 1 and errors[0]["field"] is None
    return body(HTTPStatus.BAD_REQUEST, errors[0]["message"] if general else WHOLE, errors)


def flatten(detail: Any, path: tuple[str, ...] = ()) -> Iterator[Json]:
    """`individuals.0.birth_date` for what DRF nests."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            yield from flatten(inner, path if name in (NON_FIELD_ERRORS, "non_field_errors") else (*path, str(name)))
    elif isinstance(detail, (list, tuple)):
        for index, inner in enumerate(detail):
            nested = not isinstance(inner, str)
            yield from flatten(inner, (*path, str(index)) if nested else path)
    else:
        code = detail.code if isinstance(detail, ErrorDetail) else "invalid"
        yield {"field": ".".join(path) or None, "code": code, "message": str(detail)}


def _as_api_exception(exc: Exception) -> Exception:
    if isinstance(exc, DjangoValidationError):
        return ValidationError(_details(exc))
    if isinstance(exc, IntegrityError) and (constraint := _violated(exc)):
        return ValidationError({_field(constraint): [str(constraint.get_violation_error_message())]})
    if isinstance(exc, DatabaseError) and collisions.happened(exc):
        return Conflict()
    if isinstance(exc, DataError):
        # Field validation should have caught it; the driver's text may quote the value, so it stays out of the log.
        logger.warning("a value was refused by the database: %s", type(exc.__cause__).__name__)
        return ParseError("A value is too large, too long or contains characters that cannot be stored.")
    return exc


def _details(exc: DjangoValidationError) -> Any:
    if hasattr(exc, "error_dict"):
        return {field: [_detail(error) for error in errors] for field, errors in exc.error_dict.items()}
    return {NON_FIELD_ERRORS: [_detail(error) for error in exc.error_list]}


def _detail(error: DjangoValidationError) -> ErrorDetail:
    return ErrorDetail(" ".join(error.messages), code=error.code or "invalid")


def _violated(exc: IntegrityError) -> BaseConstraint | None:
    """The declared constraint that two requests at once can still break after validation saw nothing wrong."""
    name = getattr(getattr(exc.__cause__, "diag", None), "constraint_name", None)
    constraints = (c for model in apps.get_models() for c in model._meta.constraints)
    return next((c for c in constraints if c.name == name), None)


def _field(constraint: BaseConstraint) -> str:
    """`external_id`, of a constraint on the workspace and its external_id; else none in particular."""
    fields: Sequence[str] = getattr(constraint, "fields", ())
    return fields[-1] if len(fields) > 1 else NON_FIELD_ERRORS


def _handle_django(response: Response | None) -> Response | None:
    """Http404 and PermissionDenied: DRF has chosen the status, the words are ours."""
    if response is not None:
        response.data = body(response.status_code, _django_message(response.status_code))
    return response


def _django_message(status: int) -> str:
    if status == HTTPStatus.NOT_FOUND:
        return "Nothing can be found at this address."
    return "This API key may not do that."


def is_of_the_api(request: HttpRequest) -> bool:
    """Also `/v1` itself."""
    return f"{request.path}/".startswith(ROOT)


@csrf_exempt  # else a POST here is refused for a cookie that programs do not have, by a page for people
def unknown_path(request: HttpRequest, *args: Any, **kwargs: Any) -> JsonResponse:
    """For addresses under /v1 that are no part of the API, whatever the method."""
    return JsonResponse(body(HTTPStatus.NOT_FOUND, "There is no such address in this API."), status=404)


def wrong_method(allowed: str) -> JsonResponse:
    """For views that are not DRF's; `allowed` is what they take, as in the header."""
    sentence = f"This address takes {allowed} only."
    return JsonResponse(body(HTTPStatus.METHOD_NOT_ALLOWED, sentence), status=405, headers={"Allow": allowed})


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """`handler400`, for what no view has seen: a Host that is not one of ours, above all."""
    if is_host := isinstance(exception, DisallowedHost):
        logger.warning("a request named a host that is none of ALLOWED_HOSTS")
    if not is_of_the_api(request):
        return defaults.bad_request(request, exception)
    sentence = "The Host header names no host of ours." if is_host else "The request cannot be understood."
    return JsonResponse(body(HTTPStatus.BAD_REQUEST, sentence), status=400)


def server_error(request: HttpRequest) -> HttpResponseBase:
    """`handler500`: programs that call the API read JSON even then; people get Django's page."""
    if not is_of_the_api(request):
        return defaults.server_error(request)
    sentence = "Something went wrong on our side; it has been logged. Send the request again later."
    return JsonResponse(body(HTTPStatus.INTERNAL_SERVER_ERROR, sentence), status=500)

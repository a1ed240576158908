"""Bodies in chunks, whose length nobody announced: Django would take each of them for an empty one."""

from __future__ import annotations

from http import HTTPStatus
from io import BytesIO

from django.http import HttpRequest
from rest_framework.exceptions import APIException, ParseError

from .parsers import BodyTooLarge

LONGEST = 32_000_000
"""Bytes that are read to learn the length: more than any parser takes, and each says itself what is too much for it."""


class LengthRequired(APIException):
    status_code = HTTPStatus.LENGTH_REQUIRED
    default_detail = "This body cannot be read in chunks. Send it with a Content-Length."
    default_code = "length_required"


def gather(request: HttpRequest) -> None:
    """Gives a body in chunks the length that it has.

    Raises BodyTooLarge, ParseError, and LengthRequired behind a server that does not tell where such a body ends.
    """
    if "Transfer-Encoding" not in request.headers:
        return
    if not request.META.get("wsgi.input_terminated"):
        raise LengthRequired
    try:
        body = request.META["wsgi.input"].read(LONGEST + 1)
    except Exception:  # each server has its own for what is no chunk
        raise ParseError("The chunks of the body cannot be read.") from None
    if len(body) > LONGEST:
        raise BodyTooLarge
    request._stream = BytesIO(body)
    request.META["CONTENT_LENGTH"] = str(len(body))

"""Nobody keeps an answer of the API that does not itself say who may: people's data and secrets are in them."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from .errors import is_of_the_api

HEADER = "Cache-Control"
FORBIDDEN = "no-store"


def forbidden(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware, the outermost: whatever the view, however it ended, and also where none was reached."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if is_of_the_api(request):
            response.headers.setdefault(HEADER, FORBIDDEN)
        return response

    return answer

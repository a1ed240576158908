"""What no browser sends from the admin's own pages, and Django's admin answers with 500."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain

from django.core.exceptions import ValidationError
from django.db import DataError
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.http.response import HttpResponseBase
from django.views.defaults import bad_request


class MistakesInTheAdmin:
    """Middleware: a key that is none is a bad request, and so is an address that the database cannot look up.

    Of a form's choice or an action's rows, Django asks the database for such a key before, or after, any form could
    refuse it; of what an address asks for, it refuses only what it cannot read itself. Other exceptions go their way.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *view: object) -> HttpResponse | None:
        given = chain(request.GET, *(values for _, values in request.GET.lists()))
        if _is_in_the_admin(request) and any("\0" in text for text in given):
            return _refused("The address has a NUL character: no text here has one.")
        return None

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not _is_in_the_admin(request):
            return None
        if isinstance(exception, DataError) and request.method == "GET":
            return _refused("The address asks for a value that the column it names cannot have.")
        return bad_request(request, exception) if _is_of_a_key(exception) else None


def _is_in_the_admin(request: HttpRequest) -> bool:
    view = request.resolver_match
    return view is not None and view.app_name == "admin"


def _refused(sentence: str) -> HttpResponse:
    return HttpResponseBadRequest(sentence, content_type="text/plain; charset=utf-8")


def _is_of_a_key(exception: Exception) -> bool:
    """As UUIDField raises it; what rules of ours raise are sentences without parameters."""
    return isinstance(exception, ValidationError) and getattr(exception, "params", None) is not None

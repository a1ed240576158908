"""What no browser posts of the admin's own pages, and Django's admin answers with 500."""

from __future__ import annotations

from collections.abc import Callable

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.defaults import bad_request


class MistakesInTheAdmin:
    """Middleware: a key that is none is a bad request.

    Of a form's choice or an action's rows, Django asks the database for such a key before, or after, any form could
    refuse it. Other exceptions go their way.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        view = request.resolver_match
        if view and view.app_name == "admin" and _is_of_a_key(exception):
            return bad_request(request, exception)
        return None


def _is_of_a_key(exception: Exception) -> bool:
    """As UUIDField raises it; what rules of ours raise are sentences without parameters."""
    return isinstance(exception, ValidationError) and getattr(exception, "params", None) is not None

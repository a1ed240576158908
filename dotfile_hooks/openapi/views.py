"""The API's description for programs, a page for people to read and try it, and guides."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path

from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.cache import patch_cache_control
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import condition, require_safe

from workspaces.api.errors import wrong_method

from . import document, guides

# All that the page needs comes from here; Swagger UI writes styles into its elements.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
KEPT = 300
"""Seconds that it may be kept. It changes with a release only."""


def _file() -> Path:
    return Path(settings.BASE_DIR) / document.PATH


def _etag(request: HttpRequest) -> str:
    about = _file().stat()
    return f'"{about.st_mtime_ns:x}-{about.st_size:x}"'


@csrf_exempt  # as every address of the API: programs have no cookie
@gzip_page
def description(request: HttpRequest) -> HttpResponseBase:
    """For anybody: it says nothing of anybody's."""
    if request.method not in ("GET", "HEAD"):
        return wrong_method("GET, HEAD")
    response: HttpResponseBase = _unless_known(request)
    if response.status_code in (HTTPStatus.OK, HTTPStatus.NOT_MODIFIED):
        patch_cache_control(response, public=True, max_age=KEPT)
    return response


@condition(etag_func=_etag)
def _unless_known(request: HttpRequest) -> FileResponse:
    return FileResponse(_file().open("rb"), content_type="application/json")


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Swagger UI. It asks no other host for anything, and the browser would not let it."""
    return _guarded(render(request, "openapi/page.html"))


@require_safe
def guide(request: HttpRequest, name: str) -> HttpResponse:
    """A page of docs/."""
    try:
        title, text = guides.guide(name)
    except KeyError:
        raise Http404 from None
    others = [(other, guides.guide(other)[0]) for other in guides.GUIDES if "/" not in other]
    return _guarded(render(request, "openapi/guide.html", {"title": title, "text": text, "guides": others}))


def _guarded(response: HttpResponse) -> HttpResponse:
    response["Content-Security-Policy"] = POLICY
    return response

"""The API's description for programs, and a page for people to read and try it."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_cache_control
from django.views.decorators.http import condition, require_safe

from . import document

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


@require_safe
@condition(etag_func=_etag)
def description(request: HttpRequest) -> FileResponse:
    """For anybody: it says nothing of anybody's."""
    response = FileResponse(_file().open("rb"), content_type="application/json")
    patch_cache_control(response, public=True, max_age=KEPT)
    return response


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Swagger UI. It asks no other host for anything, and the browser would not let it."""
    response = render(request, "openapi/page.html")
    response["Content-Security-Policy"] = POLICY
    return response

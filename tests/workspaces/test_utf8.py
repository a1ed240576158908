"""Charsets that clients name: what they send is UTF-8 all the same."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
from django.core.handlers.wsgi import WSGIRequest

from dotfile_hooks.wsgi import application
from workspaces import utf8

# One that is not for text, two in which Python reads half a pair of surrogates, one of other letters.
CHARSETS = ["rot13", '"UTF-7"', "unicode_escape", "latin-1", "utf-8", "nonsense"]
TEXT = "Zoë +2AA- \\ud800"
FORM = f'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n{TEXT}\r\n--x--\r\n'.encode()


def call(app: Any, **environ: Any) -> tuple[str, list[bytes]]:
    """The status that a server would send, and the body."""
    setup_testing_defaults(environ)
    found: list[str] = []
    answer = app(environ, lambda status, headers, exc_info=None: found.append(status))
    return found[0], list(answer)


def told(environ: Any, start_response: Any) -> Iterable[bytes]:
    """An application that says what Django read."""
    request = WSGIRequest(environ)
    start_response("200 OK", [])
    return [request.GET["a"].encode(), request.POST["a"].encode(), request.META["CONTENT_TYPE"].encode()]


@pytest.mark.parametrize("charset", CHARSETS)
@pytest.mark.parametrize(
    "kind", ["multipart/form-data; charset={}; boundary=x", "multipart/form-data; boundary=x;Charset = {}"]
)
def test_a_query_and_a_form_are_read_as_utf8(charset: str, kind: str) -> None:
    asked = {"QUERY_STRING": "a=Zo%C3%AB+%2B2AA-+%5Cud800", "CONTENT_TYPE": kind.format(charset)}
    body = {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": str(len(FORM)), "wsgi.input": BytesIO(FORM)}
    _, said = call(utf8.whatever_is_claimed(told), **asked, **body)
    assert said == [TEXT.encode(), TEXT.encode(), b"multipart/form-data; boundary=x"]


@pytest.mark.django_db(transaction=True)  # a server's first step is a look at the connection
def test_our_own_application_reads_so() -> None:
    status, _ = call(application, PATH_INFO="/v1/nothing", QUERY_STRING="a=%41", CONTENT_TYPE="text/plain; charset=hex")
    assert status == "404 Not Found"

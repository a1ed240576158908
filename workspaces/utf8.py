"""Text that comes in is UTF-8, whatever charset its sender names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

_CHARSET = re.compile(r";\s*charset\s*=[^;]*", re.IGNORECASE)


def whatever_is_claimed(application: WSGIApplication) -> WSGIApplication:
    """WSGI middleware: Django never hears of a charset.

    It would read the query and the form in that one, the query before any middleware of its own. Among Python's are
    some that are not for text, and some whose text nobody can store.
    """

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ["CONTENT_TYPE"] = _CHARSET.sub("", environ.get("CONTENT_TYPE", ""))
        return application(environ, start_response)

    return answer

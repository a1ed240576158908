"""gunicorn's worker: what is no HTTP is refused in the API's words, and no log quotes it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import orjson
from gunicorn.http import errors
from gunicorn.util import write_nonblock
from gunicorn.workers.gthread import ThreadWorker

STATUSES = {
    errors.LimitRequestLine: HTTPStatus.REQUEST_URI_TOO_LONG,
    errors.LimitRequestHeaders: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    errors.ExpectationFailed: HTTPStatus.EXPECTATION_FAILED,
    errors.UnsupportedTransferCoding: HTTPStatus.NOT_IMPLEMENTED,
}
"""400 for all others."""
OURS = (errors.InvalidResponseHeader, errors.InvalidResponseHeaderName)
"""Mistakes in what we answer: gunicorn logs them with all that it knows."""
HEAD = (
    "HTTP/1.1 {status:d} {status.phrase}\r\nConnection: close\r\nContent-Type: application/json\r\n"
    "Cache-Control: no-store\r\nContent-Length: {length}\r\n\r\n"
)


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn would answer with a page, and log the line it stumbled over: perhaps one with a key, or a person."""

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        from workspaces.api.errors import body  # needs Django, which is set up after this class was found

        if isinstance(exc, OURS) or not isinstance(exc, errors.ParseException):
            super().handle_error(req, client, addr, exc)
            return
        status = STATUSES.get(type(exc), HTTPStatus.BAD_REQUEST)
        self._tell(exc)
        content = orjson.dumps(body(status, "This is not HTTP as it is understood here."))
        try:
            write_nonblock(client, HEAD.format(status=status, length=len(content)).encode() + content)
        except OSError:
            self.log.debug("Who sent it is gone.")

    def _keepalive_after(self, conn: Any, keepalive: bool) -> bool:
        """Whether the connection goes on. A body that nobody read may be none: its request has its one answer."""
        try:
            return bool(super()._keepalive_after(conn, keepalive))
        except errors.ParseException as error:
            self._tell(error)
            return False

    def _tell(self, error: Exception) -> None:
        self.log.warning("What came was no request: %s", type(error).__name__)

"""Sends e-mails as Django does, but hangs up on a mail server that takes for ever.

Django's timeout is for each step: a server that says one byte at a time never meets it.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from smtplib import SMTP
from typing import Any

from django.core.mail.backends import smtp

LONGEST = 60.0
"""Seconds from connecting to hanging up."""
AGAIN = 1.0
"""Seconds between two tries to hang up: it may not have been connected yet."""


class EmailBackend(smtp.EmailBackend):
    """One that is cut off fails as one whose server hung up: with SMTPServerDisconnected, or another OSError."""

    _server: SMTP | None = None
    _closed: threading.Event | None = None

    @property
    def connection_class(self) -> type[SMTP]:
        """smtplib's, but that we know it while it still connects."""
        backend, base = self, super().connection_class

        class Connection(base):  # type: ignore[misc,valid-type]  # with TLS or without
            def connect(self, *arguments: Any, **options: Any) -> Any:
                backend._server = self
                return super().connect(*arguments, **options)

        return Connection

    def open(self) -> bool | None:
        if self._closed is None:
            self._closed = threading.Event()
            threading.Thread(target=self._hang_up_late, args=(self._closed,), daemon=True).start()
        try:
            return super().open()
        except BaseException:  # nobody closes what did not open
            self._hang_up()
            self._end()
            raise

    def close(self) -> None:
        """Says goodbye, for as long as is left."""
        try:
            super().close()
        finally:
            self._end()

    def _end(self) -> None:
        if self._closed:
            self._closed.set()
        self._server = self._closed = None

    def _hang_up_late(self, closed: threading.Event) -> None:
        pause = LONGEST
        while not closed.wait(pause) and not self._hang_up():
            pause = AGAIN

    def _hang_up(self) -> bool:
        """Whoever reads from it reads its end; False when it is not connected yet."""
        connection = self._server.sock if self._server else None
        if connection is None:
            return False
        with suppress(OSError):  # it is gone already
            # Not ssl's own: that is not for another thread than the one that reads.
            socket.socket.shutdown(connection, socket.SHUT_RDWR)
        return True

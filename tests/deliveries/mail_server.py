"""A mail server in a thread: keeps what it is sent, and refuses or hangs as a test tells it to."""

from __future__ import annotations

import email
import email.policy
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage


@dataclass(frozen=True)
class Mail:
    """One message as it came over the wire."""

    recipients: tuple[str, ...]
    """Of its envelope."""
    message: EmailMessage

    @property
    def text(self) -> str:
        return str(self.message.get_content())


class MailServer:
    """What arrived, in order."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.mails: list[Mail] = []
        self.refused: dict[str, str] = {}
        """What RCPT of these addresses is answered."""
        self.hangs: threading.Event | None = None
        """Greet nobody until this is set."""
        self.drips: dict[str, threading.Event] = {}
        """Goes on answering these commands (greeting: "") until the event is set, for 10 s at most."""
        self.callers = 0
        self._news = threading.Condition()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def told(self) -> list[str]:
        """All addresses, as often as they were written to."""
        return sorted(address for mail in self.mails for address in mail.recipients)

    def take(self, recipients: list[str], content: bytes) -> None:
        message = email.message_from_bytes(content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        with self._news:
            self.mails.append(Mail(tuple(recipients), message))
            self._news.notify_all()

    def called(self) -> None:
        with self._news:
            self.callers += 1
            self._news.notify_all()

    def wait_for(self, mails: int = 0, callers: int = 0, seconds: float = 30) -> list[Mail]:
        """The messages, once there are so many, and so many have called. Raises TimeoutError."""
        with self._news:
            if not self._news.wait_for(lambda: len(self.mails) >= mails and self.callers >= callers, seconds):
                raise TimeoutError(f"{len(self.mails)} messages from {self.callers} callers in {seconds:g} s.")
            return list(self.mails)


class _Handler(socketserver.StreamRequestHandler):
    owner: MailServer

    def handle(self) -> None:
        self.owner.called()
        if self.owner.hangs:
            self.owner.hangs.wait(30)
        self.drip("")
        self.say("220 test")
        recipients: list[str] = []
        while line := self.rfile.readline():
            command = line.decode().strip()
            self.drip(command.upper()[:4])
            if command.upper().startswith("RCPT TO:"):
                address = command[len("RCPT TO:<") :].partition(">")[0]
                refusal = self.owner.refused.get(address)
                recipients += [] if refusal else [address]
                self.say(refusal or "250 ok")
            elif command.upper() == "DATA":
                self.say("354 go on")
                self.owner.take(recipients, self.content())
                recipients = []
                self.say("250 ok")
            elif command.upper() == "QUIT":
                return self.say("221 bye")
            else:
                self.say("250 ok")
        return None

    def content(self) -> bytes:
        lines = iter(self.rfile.readline, b".\r\n")
        return b"".join(line.removeprefix(b".") if line.startswith(b"..") else line for line in lines)

    def drip(self, command: str) -> None:
        if command in self.owner.drips:
            for _ in range(500):
                self.say("250-wait")
                if self.owner.drips[command].wait(0.02):
                    break

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no error here."""


@contextmanager
def mail_server() -> Iterator[MailServer]:
    handler = type("Handler", (_Handler,), {})
    with _Server(("127.0.0.1", 0), handler) as server:
        found = MailServer(server.server_address[1])
        handler.owner = found  # type: ignore[attr-defined]  # of the class made above
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield found
        finally:
            server.shutdown()
            thread.join()

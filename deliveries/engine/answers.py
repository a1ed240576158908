"""What the end of a transfer means: a response of `requests`, or one of its exceptions."""

from __future__ import annotations

import errno
import re
from collections.abc import ItemsView, Iterable
from datetime import timedelta
from functools import cached_property
from typing import TypeVar

import pycurl
from requests import PreparedRequest, Response
from requests.cookies import RequestsCookieJar
from requests.exceptions import ConnectionError, RequestException  # noqa: A004  requests' own name
from requests.structures import CaseInsensitiveDict

from . import faults
from .egress import CLOSED_ADDRESS
from .exchange import OUT_OF_RESOURCES, Exchange
from .routes import Route

T = TypeVar("T")

_CONTROL = re.compile(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f]")
# What would steer a terminal or turn a line of text around; an end of line, in either form, is none of it.
_STEERING = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]|\r(?!\n)")
_STATUS_LINE = re.compile(rb"HTTP/[0-9](?:\.[0-9])? ([0-9]{3})(?: ([^\r\n]*))?\r?\n")
_TLS = frozenset(
    {pycurl.E_SSL_CONNECT_ERROR, pycurl.E_PEER_FAILED_VERIFICATION, pycurl.E_SSL_CIPHER, pycurl.E_USE_SSL_FAILED}
    | {pycurl.E_SSL_ISSUER_ERROR, pycurl.E_SSL_INVALIDCERTSTATUS, pycurl.E_SSL_CERTPROBLEM}
    | {pycurl.E_SSL_SHUTDOWN_FAILED, 98}  # 98: CURLE_SSL_CLIENTCERT
)
_CLOSED = frozenset({pycurl.E_GOT_NOTHING, pycurl.E_SEND_ERROR, pycurl.E_RECV_ERROR, pycurl.E_PARTIAL_FILE})
_BROKEN = "The answer breaks the rules of HTTP."
_TOO_LARGE = 100  # CURLE_TOO_LARGE: a header line beyond libcurl's own limit
_MALFORMED = frozenset(
    {pycurl.E_UNSUPPORTED_PROTOCOL, pycurl.E_FTP_WEIRD_SERVER_REPLY, pycurl.E_HTTP2, pycurl.E_BAD_CONTENT_ENCODING}
    | {pycurl.E_WRITE_ERROR, _TOO_LARGE, 92}  # 92: CURLE_HTTP2_STREAM
)
# Only these: whatever else a receiver may provoke is charged to it, or it could have us retry for ever.
_OURS = frozenset(
    {pycurl.E_FAILED_INIT, pycurl.E_OUT_OF_MEMORY, pycurl.E_SSL_CACERT_BADFILE, pycurl.E_NO_CONNECTION_AVAILABLE}
    | {pycurl.E_BAD_FUNCTION_ARGUMENT, pycurl.E_UNKNOWN_OPTION, pycurl.E_ABORTED_BY_CALLBACK}
    | {pycurl.E_COULDNT_RESOLVE_HOST}
)


def conclude(handle: pycurl.Curl, exchange: Exchange[T], code: int, now: float) -> Answer | RequestException:
    """What the end of a transfer means; `code` is libcurl's CURLE_*, 0 for none."""
    ended_by_us = code == pycurl.E_WRITE_ERROR and exchange.truncated
    if code and not ended_by_us:
        return _failure(handle, exchange, code)
    if not exchange.complete:
        return faults.cut_off(began_to_answer=True)
    status = _STATUS_LINE.fullmatch(exchange.lines[0]) if exchange.lines else None
    if status is None:
        return faults.MalformedAnswer("The answer's status line is not HTTP.")
    return _response(exchange, int(status[1]), status[2] or b"", now)


def _failure(handle: pycurl.Curl, exchange: Exchange[T], code: int) -> RequestException:
    if exchange.overflowed:  # we ended it; over HTTP/2 the code depends on how the answer was spread over our reads
        return faults.MalformedAnswer(_BROKEN)
    if code == pycurl.E_OPERATION_TIMEDOUT:
        if exchange.stalled:
            return faults.OwnFault("The worker was held up; the request will be repeated.")
        # A request on a connection that was already there has no CONNECT_TIME.
        ready = handle.getinfo(pycurl.REQUEST_SIZE) > 0
        return faults.timed_out(connected=ready or handle.getinfo(pycurl.CONNECT_TIME) > 0, ready=ready)
    if code == pycurl.E_COULDNT_CONNECT:
        return _no_connection(handle, exchange)
    if code in _TLS:
        result: int = handle.getinfo(pycurl.SSL_VERIFYRESULT)
        # libcurl compares names itself and tells OpenSSL nothing: 0 is no error, 1 an unspecified one.
        wrong_name = code == pycurl.E_PEER_FAILED_VERIFICATION and result in (0, 1)
        return faults.bad_certificate(faults.WRONG_NAME if wrong_name else result)
    if code in _CLOSED and "alert" in handle.errstr():  # TLS 1.3 asks for a client's certificate after its handshake
        return faults.bad_certificate(0)
    if code in _CLOSED:
        return faults.cut_off(began_to_answer=exchange.header_size > 0)
    if code in _MALFORMED:
        return faults.MalformedAnswer(_BROKEN)
    if code in _OURS:
        return faults.OwnFault(f"The request could not be made (libcurl's error {code}).")
    return faults.cut_off(began_to_answer=False)


def _no_connection(handle: pycurl.Curl, exchange: Exchange[T]) -> RequestException:
    if exchange.refused:
        return faults.EgressRefused(CLOSED_ADDRESS)
    if exchange.exhausted or is_ours(handle.getinfo(pycurl.OS_ERRNO), exchange.route):
        return faults.OwnFault("The worker has no free connection; the request will be repeated.")
    return ConnectionError(faults.NO_CONNECTION)


def is_ours(error: int, route: Route) -> bool:
    """Whether the system's error says that we have run out of something.

    EADDRNOTAVAIL does so for IPv4 (no local port is free). For IPv6 it is what a machine without an address of that
    kind says, of every receiver that has one: those would be repeated for ever.
    """
    addresses = route.answer.addresses if route.answer else ()
    if error == errno.EADDRNOTAVAIL and any(":" in address for address in addresses):
        return False
    return error in OUT_OF_RESOURCES


def text(body: bytes) -> str:
    """A body to be stored and shown: what is not UTF-8 is replaced, what would steer a terminal is drawn (`␛`)."""
    return _STEERING.sub(_drawn, body.decode("utf-8", "replace"))


def _drawn(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code == 0x7F:
        return "\u2421"
    return chr(0x2400 + code) if code < 0x20 else "\ufffd"


class Headers(CaseInsensitiveDict[str]):
    """An answer's headers, quick to make and to go through: there is one for each delivery."""

    def __init__(self, lines: Iterable[str]) -> None:
        """Of `Name: value` lines; others are passed over, repeated headers are joined."""
        self._store: dict[str, tuple[str, str]] = {}
        for line in lines:
            name, colon, value = line.partition(":")
            if colon:
                key, value = name.lower(), value.strip()
                self._store[key] = (name, f"{self._store[key][1]}, {value}" if key in self._store else value)

    def items(self) -> ItemsView[str, str]:
        """Names as they came, and values."""
        return dict(self._store.values()).items()


class Answer(Response):
    """A response that has been read."""

    headers: Headers

    def __init__(self, request: PreparedRequest, status: int, reason: str, headers: Headers, body: bytes) -> None:
        # Not as Response does it: its cookie jar costs as much as all the rest.
        self.request = request
        self.url = request.url or ""
        self.status_code = status
        self.reason = reason
        self.headers = headers
        self._content = body
        self._content_consumed = True
        self.truncated = False
        """There was more than was read."""
        self.elapsed = timedelta(0)
        self.history = []
        self.encoding = self.raw = self._next = None

    @cached_property
    def cookies(self) -> RequestsCookieJar:  # type: ignore[override]
        """None are kept."""
        return RequestsCookieJar()


def _response(exchange: Exchange[T], status: int, reason: bytes, now: float) -> Answer:
    """Its texts are Latin-1 without control characters: they would reach terminals and pages."""
    lines = _CONTROL.sub("", b"".join(exchange.lines[1:]).decode("latin-1")).split("\n")
    told = _CONTROL.sub("", reason.decode("latin-1"))
    answer = Answer(exchange.request, status, told, Headers(lines), b"".join(exchange.body))
    answer.elapsed = timedelta(seconds=now - exchange.began)
    answer.truncated = exchange.truncated
    return answer

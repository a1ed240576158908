"""How a libcurl handle is set up: once for all requests, and for each."""

from __future__ import annotations

import os
from typing import TypeVar

import pycurl
from requests import PreparedRequest
from requests.exceptions import InvalidHeader

from .exchange import Exchange

T = TypeVar("T")

# libcurl writes the keys of every TLS connection to the file that this names, and reads it when its first handle is
# made. OpenSSL's own settings aside, it is the one variable that no option overrules.
os.environ.pop("SSLKEYLOGFILE", None)

IDLE_SECONDS = 50
"""How long an unused connection may be used again: less than the 60 s after which common load balancers close it."""

CONNECTION_SECONDS = 300
"""How long a connection is used at all, so that a receiver that moved is followed while it is busy, too."""

FOR_EVER = 24 * 3600 * 1000
"""Milliseconds, where 0 would mean libcurl's own default."""

# What libcurl writes itself, from the body and the URL; a second, differing one would let two requests hide in one.
_FRAMING = frozenset(
    {"content-length", "transfer-encoding", "host", "connection", "expect", "te", "upgrade", "trailer"}
)
# Empty: libcurl's own are not sent. Expect would cost a round trip; the others are the request's to say.
_NOT_LIBCURLS = ["Expect:", "Accept:", "Content-Type:", "User-Agent:"]


def new_handle(bundle: str) -> pycurl.Curl:
    """A handle with all that is the same for every request; `bundle` is the file of trusted authorities.

    Nothing is taken from the environment: no proxy, no .netrc, no other bundle.
    """
    handle = pycurl.Curl()
    for option, value in (
        (pycurl.NOSIGNAL, 1),
        (pycurl.PROXY, ""),
        (pycurl.NETRC, pycurl.NETRC_IGNORED),
        (pycurl.FOLLOWLOCATION, 0),
        (pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS),
        (pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2TLS),
        (pycurl.HTTP09_ALLOWED, 0),
        (pycurl.HTTP_CONTENT_DECODING, 0),
        (pycurl.PATH_AS_IS, 1),
        (pycurl.SSL_VERIFYPEER, 1),
        (pycurl.SSL_VERIFYHOST, 2),
        (pycurl.SSLVERSION, pycurl.SSLVERSION_TLSv1_2),
        (pycurl.CAINFO, bundle),
        (pycurl.MAXAGE_CONN, IDLE_SECONDS),
        (pycurl.MAXLIFETIME_CONN, CONNECTION_SECONDS),
        (pycurl.RESOLVER_START_FUNCTION, _never_resolve),
    ):
        handle.setopt(option, value)
    handle.unsetopt(pycurl.CAPATH)
    return handle


def _never_resolve(*_: object) -> int:
    """libcurl asks no name server: one that is silent would hold its few threads, and starve all other names."""
    return 1


def prepare(handle: pycurl.Curl, exchange: Exchange[T], now: float) -> None:
    """Sets everything that differs between requests.

    Raises InvalidHeader, or pycurl.error.
    """
    request, limits = exchange.request, exchange.limits
    left = exchange.deadline - now
    exchange.dialled = now
    setopt = handle.setopt
    setopt(pycurl.URL, request.url)
    setopt(pycurl.POSTFIELDS, exchange.content)
    setopt(pycurl.HTTPHEADER, _header_lines(request))
    exchange.connect_to = exchange.route.connect_to
    setopt(pycurl.RESOLVE, [exchange.route.resolve])
    if exchange.connect_to:
        setopt(pycurl.CONNECT_TO, [exchange.connect_to])
    else:
        handle.unsetopt(pycurl.CONNECT_TO)  # an empty list would leave the detour of the handle's last request in place
    setopt(pycurl.TIMEOUT_MS, max(1, int(left * 1000)))
    setopt(pycurl.CONNECTTIMEOUT_MS, max(1, int(min(left, limits.connect_timeout) * 1000)))
    setopt(pycurl.OPENSOCKETFUNCTION, exchange.open_socket)
    setopt(pycurl.HEADERFUNCTION, exchange.take_header)
    setopt(pycurl.WRITEFUNCTION, exchange.take_body)


def set_method(handle: pycurl.Curl, request: PreparedRequest) -> None:
    """For what is no POST. Only for handles that are thrown away: pooled ones know POST and nothing else."""
    method = request.method or ""
    if not (method.isascii() and method.isalpha()):
        raise InvalidHeader("The request's method must be a word.")
    if method == "HEAD":
        handle.setopt(pycurl.NOBODY, 1)
    elif not request.body:
        handle.setopt(pycurl.HTTPGET, 1)
    handle.setopt(pycurl.CUSTOMREQUEST, method)


def _header_lines(request: PreparedRequest) -> list[str] | list[bytes]:
    pairs = [(name, value) for name, value in request.headers.items() if name.lower() not in _FRAMING]
    # A semicolon is libcurl's way to send an empty value; a colon alone would leave the header out.
    lines = _NOT_LIBCURLS + [f"{name}: {value}" if value else f"{name};" for name, value in pairs]
    text = "\n".join(lines)
    if "\r" in text or "\0" in text or text.count("\n") >= len(lines):
        raise InvalidHeader("A header must not contain line breaks.")
    if text.isascii():
        return lines
    try:
        return [line.encode("latin-1") for line in lines]
    except UnicodeEncodeError:
        raise InvalidHeader("A header may contain only characters of Latin-1.") from None

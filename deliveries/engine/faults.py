"""What can go wrong with a request, as exceptions of `requests` with a short stable code and a sentence for people."""

from __future__ import annotations

from requests.exceptions import (
    ChunkedEncodingError,
    ConnectionError,  # noqa: A004  the name that `requests` gave it
    ConnectTimeout,
    ContentDecodingError,
    InvalidHeader,
    InvalidSchema,
    InvalidURL,
    ReadTimeout,
    RequestException,
    SSLError,
    Timeout,
)

from .targets import Refused

NO_CONNECTION = "The receiver could not be reached; check that it is up and open to the Internet."
"""Refused and filtered ports read the same: a webhook is no port scanner."""

NO_ADDRESS = "The host name could not be resolved; check its spelling and its DNS records."

UNREACHABLE = "connection_failed"

SILENT = frozenset({UNREACHABLE, "connect_timeout", "dns_failed", "refused_address"})
"""Codes of what ended before there was a connection. How long it took would tell closed ports from filtered ones."""

WRONG_NAME = 62
"""OpenSSL's X509_V_ERR_HOSTNAME_MISMATCH."""

_SENTENCE_TIMEOUT = "The receiver did not answer in time; answer first and do the work afterwards."
_SENTENCE_CLOSED = "The receiver closed the connection before it had answered."


class DnsFailed(ConnectionError):
    """The host name has no address, or its name servers do not answer."""

    code = "dns_failed"


class EgressRefused(ConnectionError):
    """The URL leads where nothing may be sent."""

    code = "refused_address"


class HandshakeTimeout(ConnectTimeout):
    """The receiver took the connection, but the TLS handshake did not end in time."""

    code = "connect_timeout"


class AnswerCutOff(ChunkedEncodingError):
    """The connection ended inside the answer: its status cannot be relied on."""

    code = "answer_cut_off"


class MalformedAnswer(ContentDecodingError):
    """What came back is not HTTP, or breaks its rules."""

    code = "malformed_answer"


class OwnFault(RequestException):
    """Our side failed (no name server, no free file handle, a stalled process): never charged to the receiver."""

    code = "own_fault"


_CODES: tuple[tuple[type[RequestException], str], ...] = (
    (ConnectTimeout, UNREACHABLE),
    (Timeout, "timeout"),
    (SSLError, "tls_failed"),
    (ConnectionError, UNREACHABLE),
    (InvalidURL, "invalid_url"),
    (InvalidSchema, "invalid_url"),
    (InvalidHeader, "invalid_header"),
)


def classify(error: RequestException) -> str:
    """The code of an error, for logs, statistics and the API; `own_fault` for what nobody foresaw."""
    code: str | None = getattr(error, "code", None)
    return code or next((code for kind, code in _CODES if isinstance(error, kind)), OwnFault.code)


def outward(code: str) -> str:
    """The code of an error as a workspace may see it: without a connection, one and the same whatever the reason.

    Otherwise a name that our name servers know and the Internet's do not, or an address behind our firewall, could be
    told from what does not exist. Staff see the code itself.
    """
    return UNREACHABLE if code in SILENT else code


def outward_sentence(code: str, sentence: str) -> str:
    """The same of what people are told of an error with this code."""
    return NO_CONNECTION if code in SILENT else sentence


def from_refused(refused: Refused) -> RequestException:
    """A URL that the policy turned down, as an exception of `requests`."""
    kind = EgressRefused if refused.code in {"address", "name", "port"} else InvalidURL
    return kind(str(refused))


def timed_out(*, connected: bool, ready: bool) -> RequestException:
    """The time was over: before the TCP connection stood, before TLS stood, or before the answer was complete."""
    if not connected:
        return ConnectTimeout(NO_CONNECTION)
    if not ready:
        return HandshakeTimeout("The receiver did not finish the TLS handshake in time; check its TLS settings.")
    return ReadTimeout(_SENTENCE_TIMEOUT)


def cut_off(*, began_to_answer: bool) -> RequestException:
    """The connection ended too early, with or without a part of an answer."""
    return AnswerCutOff("The answer was cut off.") if began_to_answer else ConnectionError(_SENTENCE_CLOSED)


def bad_certificate(verify_result: int) -> SSLError:
    """TLS did not come about; `verify_result` is OpenSSL's X509_V_ERR_* (0: not about the certificate)."""
    reason = {
        10: "The receiver's certificate has expired; renew it.",
        18: "The receiver's certificate is self-signed; use one of a public certificate authority.",
        19: "The receiver's certificate chain is self-signed; use one of a public certificate authority.",
        20: "The receiver's certificate is of no known authority, or its chain is incomplete.",
        WRONG_NAME: "The receiver's certificate is not for this host name.",
    }
    return SSLError(reason.get(verify_result, "No secure connection came about; check the receiver's TLS settings."))

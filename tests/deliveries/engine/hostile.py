"""What hostile receivers do, as tables of scripts: what each must be called, and what must be kept of it."""

from __future__ import annotations

import gzip
import os
import socket
import time

from .http2 import Answer, frame, header, http2
from .receivers import Script, hangs, never_reads, reads_slowly, repeats, resets, says

HEAD = b"HTTP/1.1 200 OK\r\n"
EMPTY = b"Content-Length: 0\r\n\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
LINE = b"X-Filler: " + b"a" * 90 + b"\r\n"
EVIL = b"EVIL<script>alert(1)</script>\x1b[31m\x1b]0;title\x07"
"""Markup, a colour and a window's title; the word finds it again wherever it went."""
BOMB = gzip.compress(bytes(50_000_000))


def half_closes(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_WR)
    hangs(connection)


def closes_unread(connection: socket.socket) -> None:
    connection.recv(1)


FAILURES: dict[str, tuple[Script, str]] = {
    # the connection ends too early: nothing of it counts
    "nothing at all": (says(b""), "connection_failed"),
    "reset instead of an answer": (says(b"", resets), "connection_failed"),
    "closed before the request was read": (closes_unread, "connection_failed"),
    "half-closed without an answer": (says(b"", half_closes), "connection_failed"),
    "cut in the status line": (says(b"HTTP/1.1 200"), "connection_failed"),
    "cut in the headers": (says(HEAD + b"X-A: 1\r\n"), "answer_cut_off"),
    "cut in a header line": (says(HEAD + b"Content-Le"), "answer_cut_off"),
    "cut before the empty line is complete": (says(HEAD + b"Content-Length: 0\r\n\r"), "answer_cut_off"),
    "half-closed in the headers": (says(HEAD + b"X-A: 1\r\n", half_closes), "answer_cut_off"),
    "reset in the headers": (says(HEAD + b"X-A: 1\r\n", resets), "answer_cut_off"),
    "only an early hint": (says(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"), "answer_cut_off"),
    "cut in the headers after a 1xx": (says(b"HTTP/1.1 100 Continue\r\n\r\n" + HEAD), "answer_cut_off"),
    "cut in the body": (says(HEAD + b"Content-Length: 10\r\n\r\nab"), "answer_cut_off"),
    "reset in the body": (says(HEAD + b"Content-Length: 10\r\n\r\nab", resets), "answer_cut_off"),
    "cut in a chunk": (says(CHUNKED + b"5\r\nab"), "answer_cut_off"),
    "cut before the last chunk": (says(CHUNKED + b"2\r\nab\r\n"), "answer_cut_off"),
    # not HTTP, or not by its rules
    "HTTP/0.9": (says(b"hello " + EVIL + b"\n"), "malformed_answer"),
    "garbage": (says(b"\x16\x03\x01" + os.urandom(500)), "malformed_answer"),
    "the preface of HTTP/2": (says(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "malformed_answer"),
    "a status of four digits": (says(b"HTTP/1.1 2000 " + EVIL + b"\r\n" + EMPTY), "malformed_answer"),
    "a status of two digits": (says(b"HTTP/1.1 20 OK\r\n" + EMPTY), "malformed_answer"),
    "status 000": (says(b"HTTP/1.1 000 Zero\r\n" + EMPTY), "malformed_answer"),
    "a negative length": (says(HEAD + b"Content-Length: -5\r\n\r\nab"), "malformed_answer"),
    "a length with a sign": (says(HEAD + b"Content-Length: +2\r\n\r\nab"), "malformed_answer"),
    "two lengths": (says(HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"), "malformed_answer"),
    "a header without a colon": (says(HEAD + EVIL + b"\r\n" + EMPTY), "malformed_answer"),
    "a NUL in a header": (says(HEAD + b"X-A: a\0" + EVIL + b"\r\n" + EMPTY), "malformed_answer"),
    "a bare CR in a header": (says(HEAD + b"X-A: a\rX-B: b\r\n" + EMPTY), "malformed_answer"),
    "a chunk size that is no number": (says(CHUNKED + b"zz\r\nab\r\n"), "answer_cut_off"),
    "an endless chunk size": (repeats(CHUNKED, b"0" * 5000), "answer_cut_off"),
    "an encoding nobody asked for": (says(HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n"), "malformed_answer"),
    "a header line of 70 kB": (says(HEAD + b"X: " + b"a" * 70_000 + b"\r\n\r\n"), "malformed_answer"),
    "endless headers": (repeats(HEAD, LINE * 20), "malformed_answer"),
    "an endless status line": (repeats(b"HTTP/1.1 200 ", b"a" * 5000), "malformed_answer"),
    "an endless header line": (repeats(HEAD + b"X: ", b"a" * 5000), "malformed_answer"),
    "a thousand short headers": (
        says(HEAD + b"".join(b"%d:1\n" % number for number in range(1000)) + EMPTY),
        "malformed_answer",
    ),
    "a thousand times one header": (says(HEAD + b"A:1\n" * 1000 + EMPTY), "malformed_answer"),
    "a flood of 1xx": (repeats(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 50), "malformed_answer"),
    "endless trailers": (repeats(CHUNKED + b"0\r\n", LINE * 20), "malformed_answer"),
    # slow: the deadline is for everything
    "silence": (hangs, "timeout"),
    "a dripping status line": (repeats(b"HTTP/1.1 2", b"0", 0.1), "timeout"),
    "dripping headers": (repeats(HEAD, b"X-A: 1\r\n", 0.1), "timeout"),
    "a dripping header line": (repeats(HEAD + b"X-A: ", b"a", 0.1), "timeout"),
    "dripping 1xx": (repeats(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.1), "timeout"),
    "a dripping body": (repeats(HEAD + b"\r\n", b"a", 0.1), "timeout"),
    "dripping chunks": (repeats(CHUNKED, b"1\r\na\r\n", 0.1), "timeout"),
    "a dripping chunk size": (repeats(CHUNKED, b"0", 1.0), "timeout"),  # not more digits than a size may have
    "dripping trailers": (repeats(CHUNKED + b"0\r\n", b"X-A: 1\r\n", 0.1), "timeout"),
    "an endless chunk extension": (repeats(CHUNKED + b"5;", b"a" * 60_000), "timeout"),
    "a body shorter than it says": (says(HEAD + b"Content-Length: 10\r\n\r\nab", hangs), "timeout"),
    "a protocol nobody asked for": (
        says(b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\nEVIL", hangs),
        "timeout",
    ),
}
"""No answer: what it is called."""

ANSWERS: dict[str, tuple[Script, int, bytes]] = {
    "no length, ended by closing": (says(HEAD + b"\r\nuntil the end"), 200, b"until the end"),
    "an early hint first": (says(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + HEAD + b"\r\nok"), 200, b"ok"),
    "204 with a body": (says(b"HTTP/1.1 204 No Content\r\n\r\nbody", hangs), 204, b""),
    "304 with a body": (says(b"HTTP/1.1 304 Same\r\nContent-Length: 4\r\n\r\nbody", hangs), 304, b""),
    "a body longer than it says": (says(HEAD + b"Content-Length: 2\r\n\r\nokHTTP/1.1 500"), 200, b"ok"),
    "a length that no number holds": (says(HEAD + b"Content-Length: 99999999999999999999\r\n\r\nok"), 200, b"ok"),
    "a length and chunks": (says(CHUNKED[:-2] + b"Content-Length: 50\r\n\r\n2\r\nok\r\n0\r\n\r\n", hangs), 200, b"ok"),
    "trailers": (says(CHUNKED + b"2\r\nok\r\n0\r\nX-Status: 500\r\n\r\n"), 200, b"ok"),
    "bare line feeds": (says(b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok"), 200, b"ok"),
    "an endless body": (repeats(HEAD + b"\r\n", b"a" * 60_000), 200, b"a" * 4096),
    "endless chunks": (repeats(CHUNKED, b"1000\r\n" + b"a" * 4096 + b"\r\n"), 200, b"a" * 4096),
    "a gzip bomb": (says(HEAD + b"Content-Encoding: gzip\r\n\r\n" + BOMB), 200, BOMB[:4096]),
    "a bomb called br": (says(HEAD + b"Content-Encoding: br\r\n\r\n" + BOMB), 200, BOMB[:4096]),
    "a status nobody knows": (says(b"HTTP/1.1 999 Odd\r\n" + EMPTY), 999, b""),
    "a demand to log in": (says(b"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\n" + EMPTY), 401, b""),
    "417 for an Expect that was not sent": (says(b"HTTP/1.1 417 No\r\n" + EMPTY), 417, b""),
    # what is meant for whoever looks at it later
    "a binary body": (says(HEAD + b"\r\n" + bytes(range(256)) * 2), 200, bytes(range(256)) * 2),
    "markup and escapes": (
        says(b"HTTP/1.1 500 " + EVIL + b"\r\nX-A: " + EVIL + b"\r\nX-" + EVIL + b": b\r\n\r\n" + EVIL),
        500,
        EVIL,
    ),
    "a redirect to escapes": (says(b"HTTP/1.1 302 " + EVIL + b"\r\nLocation: /" + EVIL + b"\r\n" + EMPTY), 302, b""),
    "escapes of one byte": (
        says(b"HTTP/1.1 400 \x9b1m\r\nX-A: \x9b1m\x85\r\n\r\n\x9b1m\xc2\x9b1m"),
        400,
        b"\x9b1m\xc2\x9b1m",
    ),
    "text turned around": (says(HEAD + b"\r\n" + "\u202eevil\u2066".encode()), 200, "\u202eevil\u2066".encode()),
}
"""Complete, however odd: the status, and what is kept of the body."""

UPLOADS: dict[str, Script] = {"a receiver that reads nothing": never_reads, "one that reads slowly": reads_slowly}
"""A request's large body meets a window that is closed, or nearly."""


def _then_for_ever(first: bytes, piece: bytes, pause: float = 0.0) -> Answer:
    def answer(connection: socket.socket, stream: int) -> None:
        connection.sendall(first.replace(b"STRM", stream.to_bytes(4, "big")))
        while True:
            time.sleep(pause)
            connection.sendall(piece.replace(b"STRM", stream.to_bytes(4, "big")))

    return answer


def _once(answer: bytes) -> Answer:
    return lambda connection, stream: connection.sendall(answer.replace(b"STRM", stream.to_bytes(4, "big")))


def _insists(answer: bytes) -> Answer:
    """Says it again to whatever the other side says."""

    def script(connection: socket.socket, stream: int) -> None:
        connection.sendall(answer)
        while connection.recv(4096):
            connection.sendall(answer)

    return script


CORK: int = getattr(socket, "TCP_CORK", 4)  # of macOS: TCP_NOPUSH, which the module does not name


def _floods(piece: bytes) -> Answer:
    """Sends two thousand at a time, which must each be acknowledged, and reads no acknowledgement."""

    def answer(connection: socket.socket, stream: int) -> None:
        while True:
            connection.setsockopt(socket.IPPROTO_TCP, CORK, 1)  # all in one segment, or they come in parts
            connection.sendall(piece * 2_000)
            connection.setsockopt(socket.IPPROTO_TCP, CORK, 0)

    return answer


def _floods_and_reads(piece: bytes) -> Answer:
    """Sends a hundred, which must each be acknowledged by a frame as long, and the next when it has read as much."""

    def answer(connection: socket.socket, stream: int) -> None:
        while True:
            time.sleep(0.002)  # or a process that plays many receivers has no time for the others
            connection.sendall(piece * 100)
            unread = len(piece) * 100
            while unread:
                unread -= len(connection.recv(unread)) or unread

    return answer


_PING, _SETTINGS = frame(6, 0, 0, b"12345678"), frame(4, 0, 0)
_OK = b"\x88"  # :status: 200
# One header of 4 kB put into the table that both sides keep, and then named 12,000 times in a byte each: 48 MB.
_HPACK_BOMB = _OK + header(b"a", b"v" * 4000) + b"\xbe" * 12_000
_GARBAGE = b"\xff" * 9 + os.urandom(3000)  # the head of a frame that is longer than any may be
_CONTINUATION = frame(9, 0, b"STRM", header(b"a", b"b") * 100)

HTTP2: dict[str, tuple[Script, set[str]]] = {
    "a bomb in the headers": (http2(_once(frame(1, 5, b"STRM", _HPACK_BOMB))), {"malformed_answer"}),
    "endless continuations": (http2(_then_for_ever(frame(1, 0, b"STRM", _OK), _CONTINUATION)), {"malformed_answer"}),
    "endless continuations, one by one": (
        http2(_then_for_ever(frame(1, 0, b"STRM", _OK), _CONTINUATION, 0.02)),
        {"malformed_answer"},
    ),
    # nghttp2 calls it a flood once a thousand of our acknowledgements wait to be sent. As long as they can be, only the
    # deadline ends it.
    "a flood of pings, unread": (http2(_floods(_PING)), {"connection_failed"}),
    "a flood of settings, unread": (http2(_floods(_SETTINGS)), {"connection_failed"}),
    "a flood of pings, read": (http2(_floods_and_reads(_PING)), {"timeout"}),
    "a flood of settings, read": (http2(_floods_and_reads(_SETTINGS)), {"timeout"}),
    "a flood of empty frames": (
        http2(_then_for_ever(frame(1, 4, b"STRM", _OK), frame(0, 0, b"STRM") * 100)),
        {"answer_cut_off", "malformed_answer"},
    ),
    "a flood of 1xx": (http2(_then_for_ever(b"", frame(1, 4, b"STRM", b"\x08\x03100"))), {"malformed_answer"}),
    "an answer without a status": (http2(_once(frame(1, 5, b"STRM", header(b"a", b"b")))), {"malformed_answer"}),
    "a promise nobody asked for": (http2(_once(frame(5, 4, b"STRM", b"\0\0\0\2\x83"))), {"malformed_answer"}),
    # nghttp2 ends the session at the first frame, and libcurl sees that it did when it next reads something. A piece
    # that came alone is all that there is to read, and only the deadline ends it.
    "garbage": (http2(_once(_GARBAGE)), {"malformed_answer", "timeout"}),
    "garbage, and more of it": (http2(_insists(_GARBAGE)), {"malformed_answer"}),
    "a reset": (http2(_once(frame(3, 0, b"STRM", b"\0\0\0\2"))), {"malformed_answer"}),
    "every stream refused": (http2(_once(frame(3, 0, b"STRM", b"\0\0\0\7"))), {"connection_failed", "timeout"}),
    "a goodbye": (http2(_once(frame(7, 0, 0, bytes(8)))), {"connection_failed", "timeout"}),
    "silence": (http2(lambda connection, stream: None), {"timeout"}),
}
"""Over HTTP/2, no answer: what it may be called."""

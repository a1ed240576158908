"""TLS and the environment: certificates are always checked, and no variable changes anything."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO

import pytest
import requests
from requests.exceptions import SSLError  # noqa: A004  theirs

from deliveries.engine.transport import (
    Limits,
    Window,
    classify,
)

from .authority import Authority
from .conftest import LOOPBACK, Post, failures
from .name_server import NameServer
from .receivers import LONG, Receiver, Script, hangs, keeps_alive, says

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Receivers = Callable[..., Receiver]
Windows = Callable[..., Window[int]]
NameServers = Callable[..., NameServer]


def test_a_certificate_of_a_trusted_authority_is_accepted(
    post: Post, receiver: Receivers, authority: Authority
) -> None:
    hook = receiver(says(OK), tls=authority.context())
    assert post(hook.url, verify=authority.bundle).status_code == 200


@pytest.mark.parametrize(
    ("host", "days", "self_signed", "reason"),
    [("localhost", -1, False, "expired"), ("localhost", 1, True, "self-signed"), ("other.test", 1, False, "host name")],
)
def test_a_bad_certificate_is_refused_with_its_reason(
    host: str, days: int, self_signed: bool, reason: str, post: Post, receiver: Receivers, authority: Authority
) -> None:
    seen: list[bytes] = []
    hook = receiver(keeps_alive(OK, seen), tls=authority.context(host, days=days, self_signed=self_signed))
    with pytest.raises(SSLError, match=reason) as caught:
        post(hook.url, verify=authority.bundle)
    assert classify(caught.value) == "tls_failed"
    assert not seen


def test_an_unknown_authority_is_refused(post: Post, receiver: Receivers, authority: Authority) -> None:
    with pytest.raises(SSLError):
        post(receiver(says(OK), tls=authority.context()).url)


@pytest.mark.parametrize("version", [0x0301, 0x0302], ids=["TLS 1.0", "TLS 1.1"])
def test_old_versions_of_tls_are_refused(version: int, post: Post, receiver: Receivers, authority: Authority) -> None:
    context = authority.context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLS"):
        context.minimum_version = context.maximum_version = version  # type: ignore[assignment]  # an int will do
    with pytest.raises(SSLError):
        post(receiver(says(OK), tls=context).url, verify=authority.bundle)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_demand_for_a_certificate_of_ours_fails_as_tls(
    version: ssl.TLSVersion, post: Post, receiver: Receivers, authority: Authority
) -> None:
    context = authority.context()
    context.minimum_version = context.maximum_version = version
    context.verify_mode = ssl.CERT_REQUIRED

    def script(connection: socket.socket) -> None:
        with contextlib.suppress(ssl.SSLError):  # a copy: closing the connection itself could overtake the alert
            context.wrap_socket(connection.dup(), server_side=True)
        hangs(connection)

    with pytest.raises(SSLError):
        post(receiver(script).url.replace("http://127.0.0.1", "https://localhost"), verify=authority.bundle)


def test_a_wish_for_a_certificate_of_ours_is_not_met(post: Post, receiver: Receivers, authority: Authority) -> None:
    context = authority.context()
    context.verify_mode = ssl.CERT_OPTIONAL
    context.load_verify_locations(authority.bundle)
    assert post(receiver(says(OK), tls=context).url, verify=authority.bundle).status_code == 200


# Python's ssl cannot begin a renegotiation, so nothing can stand in for the program; .ci/run fails on any skip.
@pytest.mark.skipif(shutil.which("openssl") is None, reason="only OpenSSL's own server can ask to renegotiate")
def test_a_server_that_asks_to_renegotiate_ends_at_the_deadline(post: Post, authority: Authority) -> None:
    command = ["openssl", "s_server", "-accept", "0", "-tls1_2", "-cert", authority.pem(), "-naccept", "1"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as server:
        assert server.stdin
        assert server.stdout
        try:
            port = next(line for line in server.stdout if line.startswith(b"ACCEPT")).rpartition(b":")[2]
            asking = threading.Thread(target=_ask_to_renegotiate, args=(server.stdin, server.stdout))
            asking.start()
            began = time.monotonic()
            with pytest.raises(requests.RequestException) as caught:
                post(f"https://localhost:{int(port)}/", verify=authority.bundle, limits=Limits(3, 3))
            assert classify(caught.value) in {"timeout", "tls_failed", "connection_failed"}
            assert time.monotonic() - began < LONG
        finally:
            asking.join(LONG)
            server.kill()
            heard = server.stdout.read()
    assert b"SSL_do_handshake" in heard  # it did ask


def _ask_to_renegotiate(server: IO[bytes], told: IO[bytes]) -> None:
    next(line for line in told if line.startswith(b"POST /"))  # the request is there
    server.write(b"R\n")
    server.flush()


def sends_for_ever(piece: bytes, pause: float) -> Script:
    def script(connection: socket.socket) -> None:
        while True:
            connection.sendall(piece)
            time.sleep(pause)

    return script


PIECES = (b"\x16\x03\x03\x40\x00\x02", b"\x16\x03\x03\x00\x01", b"HTTP/1.1 400 Bad\r\n\r\n")
HANDSHAKES = {f"{piece!r} {pause}": sends_for_ever(piece, pause) for piece in PIECES for pause in (0.0, 0.02)}


def test_a_handshake_that_is_none_ends_at_the_connect_timeout(post: Post, receiver: Receivers) -> None:
    scripts = {"silence": hangs, **HANDSHAKES}
    urls = {name: receiver(script).url.replace("http:", "https:") for name, script in scripts.items()}
    began = time.monotonic()
    found = failures({name: partial(post, url, limits=Limits(3, 2 * LONG)) for name, url in urls.items()})
    assert time.monotonic() - began < LONG
    assert found.pop("silence") == "connect_timeout"
    assert set(found.values()) <= {"tls_failed", "connect_timeout"}


def test_certificate_checks_cannot_be_turned_off() -> None:
    with pytest.raises(ValueError, match="Certificates"):
        Window(LOOPBACK, size=1, verify=False)


def test_the_environment_changes_nothing(receiver: Receivers, authority: Authority, tmp_path: Path) -> None:
    """In a process of its own: libcurl reads some of these only once."""
    seen: list[bytes] = []
    plain, proxy = receiver(keeps_alive(OK, seen)), receiver(says(b"HTTP/1.1 200 Proxied\r\n\r\n"))
    secure = receiver(says(OK), tls=authority.context())
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine localhost login user password secret\nmachine 127.0.0.1 login user password secret\n")
    variables = dict.fromkeys(["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
    environment = dict.fromkeys(variables, proxy.url) | {
        "NO_PROXY": "example.test",
        "no_proxy": "example.test",
        "NETRC": str(netrc),
        "HOME": str(tmp_path),
        "SSL_CERT_FILE": authority.bundle,
        "REQUESTS_CA_BUNDLE": authority.bundle,
        "CURL_CA_BUNDLE": authority.bundle,
        "SSLKEYLOGFILE": str(tmp_path / "keys"),
    }
    program = (
        "import sys, requests\n"
        "from tests.deliveries.engine.conftest import LIMITS, LOOPBACK\n"
        "from deliveries.engine.transport import CurlAdapter, classify\n"
        "for url, verify in (sys.argv[1], True), (sys.argv[2], True), (sys.argv[2], sys.argv[3]):\n"
        "    session = requests.Session()\n"
        "    session.mount('http://', CurlAdapter(LOOPBACK, LIMITS))\n"
        "    session.mount('https://', CurlAdapter(LOOPBACK, LIMITS, verify=verify))\n"
        "    request = requests.Request('POST', url, data=b'{}').prepare()\n"
        "    try: print(session.send(request, verify=False).reason)\n"
        "    except requests.RequestException as error: print(classify(error))\n"
    )
    command = [sys.executable, "-c", program, plain.url, secure.url, authority.bundle]
    done = subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.split() == ["OK", "tls_failed", "OK"]
    assert proxy.connections == 0
    assert b"authorization" not in seen[0].lower()
    assert not (tmp_path / "keys").exists()

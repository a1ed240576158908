"""Dotfile's own header: the page's code for it takes what a worker sent, and nothing else."""

from __future__ import annotations

import hmac
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from deliveries.engine import signing

from .conftest import Ask, Received
from .languages import ALWAYS, Language
from .pages import SIGNATURES, blocks

pytestmark = pytest.mark.django_db
those_that_do = pytest.mark.parametrize(
    "language", [each for each in ALWAYS if each.dotfile], indirect=True, ids=str, scope="session"
)


@those_that_do
def test_what_a_worker_sent_verifies(language: Language, ask: Ask, received: dict[str, Received]) -> None:
    function, rotated = language.dotfile, received["rotated"]
    sent = [received[kind].question(function=function) for kind in ("full", "thin", "phrase", "again", "rotated")]
    assert ask([*sent, rotated.question(rotated.previous, function)]) == ["true"] * 6


@those_that_do
def test_anything_else_is_refused(language: Language, ask: Ask, received: dict[str, Received]) -> None:
    question = received["full"].question(function=language.dotfile)
    headers = question.headers
    others = [
        replace(question, body=question.body + b" "),
        replace(question, secret=signing.generate_secret()),
        replace(question, headers={}),
        replace(question, headers={**headers, "dotfile-signature": ""}),
        replace(question, headers={**headers, "dotfile-signature": "é"}),
        replace(question, headers={**headers, "dotfile-signature": headers["dotfile-signature"].upper()}),
        # What anybody can sign who guesses that a receiver has no secret.
        replace(question, secret="", headers={"dotfile-signature": hmac.digest(b"", question.body, "sha256").hex()}),
    ]
    assert ask(others) == ["false"] * len(others)


def test_the_openssl_line_computes_it(received: dict[str, Received], tmp_path: Path) -> None:
    # The program is what is documented, so nothing can stand in for it; .ci/run fails if this is skipped.
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed here, so its line was not run.")
    (line,) = blocks(SIGNATURES, "bash")
    post = received["full"].post
    (tmp_path / "body.json").write_bytes(post.body)
    environment = {"SECRET": received["full"].secret, "PATH": "/usr/local/bin:/usr/bin:/bin"}
    done = subprocess.run(["sh", "-c", line], cwd=tmp_path, env=environment, capture_output=True, check=True)
    assert done.stdout.decode().split()[-1] == post.headers["dotfile-signature"]

"""What the documents promise and show must be true."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from deliveries.engine import signing

ROOT = Path(__file__).resolve().parents[1]
RECEIVERS = (ROOT / "docs" / "receivers.md").read_text()
SECRET = "whsec_" + "c2VjcmV0" * 4
BODY = '{"case":{"name":"Pyrénées"}}'.encode()


def snippet(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", RECEIVERS, re.DOTALL)
    assert found, f"docs/receivers.md has no {language} snippet."
    return found[1]


def headers() -> dict[str, str]:
    return signing.sign("019b-id", int(time.time()), BODY, [SECRET])


def test_the_python_snippet_verifies_a_delivery_and_refuses_a_forged_one() -> None:
    names: dict[str, Callable[[str, dict[str, str], bytes], bool]] = {}
    exec(compile(snippet("python"), "receivers.md", "exec"), names)
    verify = names["verify"]
    assert verify(SECRET, headers(), BODY)
    assert not verify(SECRET, headers(), BODY + b" ")
    assert not verify("whsec_" + "b3RoZXIh" * 4, headers(), BODY)
    assert not verify(SECRET, headers() | {"webhook-timestamp": "1614265330"}, BODY)


def test_the_openssl_line_computes_the_dotfile_signature(tmp_path: Path) -> None:
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed here.")
    (tmp_path / "body.json").write_bytes(BODY)
    line = snippet("sh")
    output = subprocess.run(
        ["sh", "-c", line],
        cwd=tmp_path,
        env={"SECRET": SECRET, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        check=True,
    )
    assert output.stdout.decode().split()[-1] == headers()["Dotfile-Signature"]


def named_tests(document: str) -> set[tuple[str, str]]:
    return set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / document).read_text()))


def test_every_test_that_the_readme_names_exists() -> None:
    named = named_tests("README.md")
    assert len(named) > 10
    missing = {f"{path}::{name}" for path, name in named if f"def {name}(" not in (ROOT / path).read_text()}
    assert missing == set()

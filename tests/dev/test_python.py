"""Which Python the Makefile takes, and what it says when there is none that suits."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "dotfile_hooks" / "dev" / "python.sh"
SHELL = "/bin/sh"
WORKS = f'exec "{sys.executable}" "$@"'
BROKEN_SHIM = 'echo "pyenv: python3.13: command not found" >&2; exit 127'
# Answers as Python 3.10 would: to the question for its version, and to the one whether it suits.
OLD = 'case "$1" in --version) echo "Python 3.10.13";; *) exit 2;; esac'
# New enough, but `import venv, ensurepip` fails, as on Debian without python3-venv.
WITHOUT_VENV = 'case "$2" in *ensurepip*) exit 1;; *) exit 0;; esac'


def choose(folder: Path, programs: dict[str, str], **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the script where only `programs` (name to shell script) are found."""
    for name, script in programs.items():
        (folder / name).write_text(f"#!{SHELL}\n{script}\n")
        (folder / name).chmod(0o755)
    return subprocess.run(
        [SHELL, SCRIPT], env={"PATH": str(folder), **environment}, capture_output=True, text=True, cwd=folder
    )


@pytest.mark.parametrize(
    ("programs", "chosen"),
    [
        pytest.param({"python3": WORKS}, "python3", id="only python3"),
        pytest.param({"python3": OLD, "python3.11": WORKS}, "python3.11", id="python3 is old"),
        pytest.param({"python3.11": WORKS, "python3.12": WORKS}, "python3.12", id="the newest"),
        pytest.param({"python3.13": BROKEN_SHIM, "python3.11": WORKS}, "python3.11", id="a shim that fails"),
        pytest.param({"python3.13": WITHOUT_VENV, "python3": WORKS}, "python3", id="one without venv"),
    ],
)
def test_the_newest_python_that_suits_is_taken(tmp_path: Path, programs: dict[str, str], chosen: str) -> None:
    done = choose(tmp_path, programs)
    assert (done.returncode, done.stdout.strip()) == (0, str(tmp_path / chosen))


@pytest.mark.parametrize(
    ("programs", "sentence"),
    [
        pytest.param({}, "Python 3.11 or later is needed, found no python3.", id="none"),
        pytest.param({"python3": OLD}, "Python 3.11 or later is needed, found Python 3.10.13.", id="too old"),
        pytest.param({"python3": WITHOUT_VENV}, "python3 lacks the venv module.", id="no venv"),
    ],
)
def test_what_is_missing_is_a_sentence(tmp_path: Path, programs: dict[str, str], sentence: str) -> None:
    done = choose(tmp_path, programs)
    assert done.returncode == 1
    assert done.stderr.startswith(sentence)
    assert "Traceback" not in done.stderr


def test_a_python_that_is_named_is_taken(tmp_path: Path) -> None:
    done = choose(tmp_path, {"python3": WORKS, "mine": WORKS}, PYTHON="mine")
    assert done.stdout.strip() == str(tmp_path / "mine")


def test_a_named_python_that_does_not_suit_is_not_replaced_silently(tmp_path: Path) -> None:
    done = choose(tmp_path, {"python3": WORKS, "mine": OLD}, PYTHON="mine")
    assert done.returncode == 1
    assert done.stderr.startswith("PYTHON=mine does not run, is older than 3.11, or lacks the venv module")

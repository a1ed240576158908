"""Makes the virtual environment from the two lock files: `python install.py STAMP`. Standard library only."""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
import sys
from pathlib import Path

LOCK_FILES = ("requirements.txt", "requirements-dev.txt")


def main(stamp: Path) -> int:
    """Makes `.venv` anew and puts `stamp` into it; two makes at once take turns, and the second finds it done."""
    descriptor = os.open(".", os.O_RDONLY)  # the checkout itself is the lock: nothing to create, nothing to clean up
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    if _is_current(stamp):
        return 0
    print(f"Making .venv with Python {sys.version.split()[0]}", flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", ".venv"], check=True)
    if not _install():
        return 1
    stamp.touch()
    return 0


def _is_current(stamp: Path) -> bool:
    usable = stamp.exists() and Path(".venv/bin/python").exists()
    return usable and all(stamp.stat().st_mtime >= Path(name).stat().st_mtime for name in LOCK_FILES)


def _install() -> bool:
    locks = [part for name in LOCK_FILES for part in ("-r", name)]
    total = len({pin for name in LOCK_FILES for pin in re.findall(r"(?m)^\S+==", Path(name).read_text())})
    command = [".venv/bin/python", "-m", "pip", "install", "--require-hashes", "--only-binary=:all:", *locks]
    environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}
    output: list[str] = []
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    ) as pip:
        for line in pip.stdout or ():
            output.append(line)
            _show(line, sum(each.startswith("Collecting") for each in output), total)
    print(flush=True)
    if pip.returncode:
        print("".join(output), "The packages could not be installed; pip says why above.", sep="\n", file=sys.stderr)
    return pip.returncode == 0


def _show(line: str, collected: int, total: int) -> None:
    if line.startswith("Collecting"):
        text = f"Downloading packages: {collected} of {total}"
    elif line.startswith("Installing collected"):
        text = f"Installing {collected} packages"
    else:
        return
    # On a terminal one line that changes; in a log each tenth package, so that it is seen to move.
    if sys.stdout.isatty():
        print(f"\r{text:<50}", end="", flush=True)
    elif collected % 10 == 0 or line.startswith("Installing"):
        print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

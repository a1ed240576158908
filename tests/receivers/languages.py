"""How each snippet of the page is run: written to a folder beside a small program of ours that asks it.

A question is a line: the function, unix seconds or `-` for the clock's own, then secret, body, and names and values of
headers in turn, each in base64 (`-`: empty). An answer is a line: true, false, or what was thrown.
"""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .pages import SIGNATURES, blocks

HARNESS = Path(__file__).parent / "harness"


@dataclass(frozen=True)
class Question:
    """Whether a snippet takes this for genuine; header names in lower case."""

    secret: str
    headers: Mapping[str, str]
    body: bytes
    now: int | None = None
    """Unix seconds; None: what the clock says."""
    function: str = "verify"

    def line(self) -> str:
        texts = [self.secret.encode(), self.body, *(text.encode() for pair in self.headers.items() for text in pair)]
        tokens = [base64.b64encode(text).decode() or "-" for text in texts]
        return " ".join([self.function, "-" if self.now is None else str(self.now), *tokens])


@dataclass(frozen=True)
class Language:
    """What the page calls it, and how its snippet is built and run."""

    name: str
    fence: str
    snippet: str
    """The file that the page's code goes into."""
    harness: str
    tools: tuple[str, ...]
    run: tuple[str, ...]
    build: tuple[str, ...] = ()
    dotfile: str = ""
    """The function for Dotfile's own header, where the page has one."""
    environment: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name

    @property
    def is_here(self) -> bool:
        return all(shutil.which(tool) for tool in self.tools)

    def prepare(self, folder: Path) -> None:
        """Writes the page's code and ours into the folder, and compiles them where that is done."""
        (folder / self.snippet).write_text("\n\n".join(blocks(SIGNATURES, self.fence)))
        shutil.copy(HARNESS / self.harness, folder)
        if self.build:
            self._call(self.build, folder, "")

    def ask(self, folder: Path, questions: Sequence[Question]) -> list[str]:
        """The answers, in order: "true", "false", or what was thrown. The folder must have been prepared."""
        asked = "".join(question.line() + "\n" for question in questions)
        answers = self._call(self.run, folder, asked).splitlines()
        assert len(answers) == len(questions), f"{self.name} answered {len(answers)} of {len(questions)} questions."
        return [answer.lower() for answer in answers]

    def _call(self, command: tuple[str, ...], folder: Path, given: str) -> str:
        environment = os.environ | self.environment
        done = subprocess.run(command, cwd=folder, env=environment, input=given, capture_output=True, text=True)
        assert done.returncode == 0, f"{self.name}: {done.stderr}"
        return done.stdout


ALWAYS = (
    Language("Python", "python", "verify.py", "judge.py", (), (sys.executable, "judge.py"), dotfile="verify_dotfile"),
    Language("Node", "js", "verify.mjs", "judge.mjs", ("node",), ("node", "judge.mjs"), dotfile="verifyDotfile"),
    Language("openssl", "sh", "verify.sh", "judge.sh", ("openssl",), ("sh", "judge.sh")),
)
"""Run, or skipped, which .ci/run takes for a failure."""

OTHERS = (
    Language(
        "Go",
        "go",
        "verify.go",
        "judge.go",
        tools=("go",),
        build=("go", "build", "-o", "judge", "verify.go", "judge.go"),
        run=("./judge",),
        # What is installed, and nothing that it would fetch.
        environment={"GO111MODULE": "off", "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"},
    ),
    Language(
        "Java",
        "java",
        "Webhooks.java",
        "Judge.java",
        tools=("java", "javac"),
        build=("javac", "-encoding", "UTF-8", "Webhooks.java", "Judge.java"),
        run=("java", "-XX:TieredStopAtLevel=1", "-cp", ".", "Judge"),
    ),
    Language("Ruby", "ruby", "verify.rb", "judge.rb", ("ruby",), ("ruby", "judge.rb")),
    Language("PHP", "php", "verify.php", "judge.php", ("php",), ("php", "judge.php")),
)
"""Run where they are installed."""


def left_out() -> Iterator[str]:
    """The languages whose snippets cannot be run here, and need not."""
    return (language.name for language in OTHERS if not language.is_here)

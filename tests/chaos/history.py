"""What was done to the domain's rows, written down by those who did it: the checker's own truth, not the engine's."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

Fate = Literal["committed", "rolled_back", "unknown"]


@dataclass(frozen=True, slots=True)
class Fact:
    """An event that an operation meant to cause, and what became of the operation. Times in unix seconds."""

    event: str
    """Its most specific name."""
    mark: str
    """A unique text that the body of the event shows."""
    workspace: str
    case: str
    """Empty: only the server knew, and did not answer."""
    began: float
    ended: float
    """When its end was known; for an unknown one, when we gave up."""
    fate: Fate

    @property
    def key(self) -> tuple[str, str]:
        return self.event, self.mark


Meant = tuple[str, str, str, str]
"""Event, mark, workspace, case."""


class Journal:
    """Writes a history, a line before and a line after each operation: an operation without an end is unknown."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._number = 0

    def begin(self, meant: Sequence[Meant], now: float) -> int:
        self._number += 1
        self._write({"op": self._number, "meant": meant, "began": now})
        return self._number

    def end(self, number: int, fate: Fate, now: float, case: str = "") -> None:
        """`case`: its key, when only the answer told it."""
        self._write({"op": number, "fate": fate, "ended": now, "case": case})

    def _write(self, line: object) -> None:
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()


def read(paths: Iterable[Path]) -> Iterator[Fact]:
    """All facts, those of each file in the order of the operations."""
    for path in paths:
        yield from parse(path.read_text().splitlines())


def parse(lines: Iterable[str]) -> Iterator[Fact]:
    begun: dict[int, tuple[Sequence[Meant], float]] = {}
    ended: dict[int, tuple[Fate, float, str]] = {}
    for line in lines:
        entry = json.loads(line)
        if "meant" in entry:
            begun[entry["op"]] = entry["meant"], entry["began"]
        else:
            ended[entry["op"]] = entry["fate"], entry["ended"], entry["case"]
    for number, (meant, began) in begun.items():
        fate, end, told = ended.get(number, ("unknown", float("inf"), ""))
        for event, mark, workspace, case in meant:
            yield Fact(event, mark, workspace, case or told, began, end, fate)

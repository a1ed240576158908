"""What came of each operation: how often it was called, what was sent, and what was wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from dotfile_hooks.dev.conformance.document import JSON
from dotfile_hooks.dev.conformance.operations import Operation

from . import coverage
from .known import NOT_TAKEN


@dataclass
class Row:
    """One operation of the document."""

    operation: Operation
    is_served: bool
    """Whether this API has it."""
    statuses: Counter[int] = field(default_factory=Counter)
    said: set[str] = field(default_factory=set)
    """What bodies that were taken said, as coverage names it."""
    taken: Any = field(default=None, repr=False)
    """One of these bodies."""
    problems: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    """What the document leaves open, or this API does not take."""

    @property
    def was_answered(self) -> bool:
        return any(status < 300 for status in self.statuses)

    def finish(self, root: JSON) -> None:
        """Adds what was never tried to the problems."""
        if not self.is_served:
            return
        if not self.was_answered:
            self.problems["was never called with success"] += 1
        elif self.operation.body is not None:
            self._finish_body(set(coverage.possible(root, self.operation.body)) - self.said)

    def _finish_body(self, never: set[str]) -> None:
        for name in sorted(never):
            if left_out := NOT_TAKEN.fullmatch(name):
                self.notes[f"what `{left_out[1]}` may hold is not taken here"] += 1
            else:
                self.problems[f"was never sent `{name}`"] += 1

"""What a run amounts to: the verdict, who was killed, how soon work went on; as a table and as JSON."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .checker import Verdict
from .evidence import Evidence
from .faults import Kill

RESUMES_WITHIN = 45.0
"""Seconds from a kill until its lanes are served again, at the longest."""
SHOWN = 8
"""Problems of one rule that are printed."""
MOMENT = 0.1
"""Seconds after a kill in which what it had sent may still arrive."""


@dataclass(frozen=True)
class Report:
    """One run. `lacking`: why it proves less than it was to."""

    seed: int
    seconds: float
    verdict: Verdict
    kills: Sequence[Kill]
    faults: Counter[str]
    resumed: Sequence[float]
    """Seconds from each kill until a lane it held was served again."""
    lacking: Sequence[str] = ()

    @property
    def colour(self) -> str:
        if self.verdict.colour == "green" and self.lacking:
            return "void"
        if self.verdict.colour == "green" and max(self.resumed, default=0) > RESUMES_WITHIN:
            return "red"
        return self.verdict.colour

    def figures(self) -> dict[str, Any]:
        """For --json and for people."""
        return {
            "verdict": self.colour,
            "seed": self.seed,
            "seconds": round(self.seconds),
            **self.verdict.figures,
            "kills": len(self.kills),
            "kills by kind": dict(Counter(kill.kind for kill in self.kills).most_common()),
            "faults": dict(sorted(self.faults.items())),
            "resumed after at most (s)": round(max(self.resumed, default=0.0), 1),
            "problems": {rule: found[:SHOWN] for rule, found in self.verdict.problems.items() if found},
            "lacking": list(self.lacking),
        }

    def lines(self) -> Iterator[str]:
        for name, value in self.figures().items():
            if isinstance(value, dict):
                yield f"{name}:"
                yield from (f"    {key:<28}{_text(part)}" for key, part in value.items())
            else:
                yield f"{name:<32}{_text(value)}"


def _text(value: Any) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    return "\n".join(f"\n        {each}" for each in value) if isinstance(value, list) else str(value)


def resumed(evidence: Evidence, kills: Sequence[Kill]) -> list[float]:
    """From each kill until a POST came again through a lane it held; of receivers that always answer."""
    steady = {one.id: one.path for one in evidence.subscribers if one.path.startswith("/ok/steady")}
    times = {path: [each.at for each in evidence.receipts if each.path == path] for path in steady.values()}
    found = []
    for kill in kills:
        for path in filter(None, map(steady.get, kill.lanes)):
            at = bisect_left(times[path], kill.at + MOMENT)
            if at < len(times[path]):
                found.append(times[path][at] - kill.at)
    return found

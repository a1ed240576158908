"""What was committed against what was received: a run whose ledger does not add up says nothing. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .generator import Change
from .receiver import Post

Receipt = tuple[str, str]
"""The path it arrives at, and the event."""


@dataclass(frozen=True)
class Ledger:
    """Everything that was to be received, and how it came."""

    wanted: int
    times: list[float]
    """Milliseconds from commit to first receipt."""
    missing: int
    unexpected: int
    twice: int

    @property
    def adds_up(self) -> bool:
        return not self.problems

    @property
    def problems(self) -> list[str]:
        """What is wrong, and with how many; empty when all is well."""
        if not self.wanted:
            return ["nothing was to be received"]
        counts = {"missing": self.missing, "unexpected": self.unexpected, "received twice": self.twice}
        return [f"{count:,} of {self.wanted:,} {what}" for what, count in counts.items() if count]


def wanted(
    changes: Iterable[Change], events: Mapping[tuple[str, str], str], paths: Mapping[str, list[str]]
) -> dict[Receipt, float]:
    """What is to be received, and when it was committed. A change without an event will be missing everywhere.

    `events` are the ids by case and name, `paths` those of each workspace.
    """
    return {
        (f"/{path}", events.get((change.case, change.event), f"no event of {change.case}")): change.committed
        for change in changes
        for path in paths[change.workspace]
    }


def compare(wanted: Mapping[Receipt, float], posts: Iterable[Post]) -> Ledger:
    """`posts` are all of the paths in question."""
    firsts: dict[Receipt, float] = {}
    twice = 0
    for post in sorted(posts, key=lambda post: post.received_at):
        receipt = post.path, post.event
        twice += receipt in firsts
        firsts.setdefault(receipt, post.received_at)
    times = [1000 * (firsts[receipt] - committed) for receipt, committed in wanted.items() if receipt in firsts]
    return Ledger(len(wanted), times, len(wanted) - len(times), len(firsts.keys() - wanted.keys()), twice)

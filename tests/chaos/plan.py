"""When which fault comes: pure, the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

REST = (0.4, 1.6)
"""Seconds between two faults of one track."""


@dataclass(frozen=True)
class Kind:
    """How a fault is planned: how often, how long it lasts (seconds), and which may not overlap (one track)."""

    track: str
    lasts: tuple[float, float] = (0.0, 0.0)
    weight: int = 1


@dataclass(frozen=True)
class Step:
    """A fault, `at` seconds after the start, lasting `lasts` seconds; `pick` (0 to 1) chooses the victim."""

    at: float
    fault: str
    lasts: float
    pick: float


KILLS = "kills"
"""The track whose faults are spread evenly; their number is given."""


def plan(seed: int, seconds: float, kills: int, kinds: Mapping[str, Kind], only: Collection[str] = ()) -> list[Step]:
    """All steps in order of time; those of one track never overlap, but for kills."""
    chosen = {name: kind for name, kind in kinds.items() if not only or name in only}
    chance = random.Random(seed)
    steps = list(_kills(chance, seconds, kills, [name for name in chosen if chosen[name].track == KILLS], chosen))
    for track in sorted({kind.track for kind in chosen.values()} - {KILLS}):
        names = [name for name in chosen if chosen[name].track == track]
        steps += _one_after_another(chance, seconds, names, chosen)
    return sorted(steps, key=lambda step: step.at)


def _kills(
    chance: random.Random, seconds: float, kills: int, names: Sequence[str], kinds: Mapping[str, Kind]
) -> Iterator[Step]:
    order = _shuffled(chance, names, kinds)
    for number in range(kills if names else 0):
        at = (number + chance.random()) * seconds / kills
        yield Step(at, next(order), 0.0, chance.random())


def _one_after_another(
    chance: random.Random, seconds: float, names: Sequence[str], kinds: Mapping[str, Kind]
) -> Iterator[Step]:
    at = chance.uniform(*REST)
    for name in _shuffled(chance, names, kinds):
        lasts = chance.uniform(*kinds[name].lasts)
        if at + lasts > seconds:
            return
        yield Step(at, name, lasts, chance.random())
        at += lasts + chance.uniform(*REST)


def _shuffled(chance: random.Random, names: Sequence[str], kinds: Mapping[str, Kind]) -> Iterator[str]:
    """For ever: all of them as often as they weigh, in a new order each time."""
    bag = [name for name in names for _ in range(kinds[name].weight)]
    while bag:
        chance.shuffle(bag)
        yield from list(bag)

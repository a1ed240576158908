"""The forms of machine-readable zones: ICAO 9303 parts 4 to 6, and the cards of France before 2021.

Places are counted in the zone as one text, its lines joined.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Layout:
    """Where what is: of each part its span, of each check digit its place and what it is over."""

    name: str
    lines: int
    width: int
    begins: re.Pattern[str]
    parts: Mapping[str, Span]
    digits: Mapping[str, tuple[int, tuple[Span, ...]]]
    optional: Span | None = None
    """Where a document number goes on that is too long; its check digit is the last of it."""

    def fits(self, lines: Sequence[str]) -> bool:
        found = len(lines) == self.lines and all(len(line) == self.width for line in lines)
        return found and bool(self.begins.match("".join(lines)))


TD3 = Layout(
    "TD3",
    lines=2,
    width=44,
    begins=re.compile("P[A-Z<]"),
    parts={
        "issuing_country": (2, 5),
        "names": (5, 44),
        "document_number": (44, 53),
        "nationality": (54, 57),
        "birth_date": (57, 63),
        "sex": (64, 65),
        "expiration_date": (65, 71),
    },
    digits={
        "document number": (53, ((44, 53),)),
        "birth date": (63, ((57, 63),)),
        "expiration date": (71, ((65, 71),)),
        "optional data": (86, ((72, 86),)),
        "whole zone": (87, ((44, 54), (57, 64), (65, 87))),
    },
)
TD2 = Layout(
    "TD2",
    lines=2,
    width=36,
    begins=re.compile("[ACI]"),
    parts={
        "issuing_country": (2, 5),
        "names": (5, 36),
        "document_number": (36, 45),
        "nationality": (46, 49),
        "birth_date": (49, 55),
        "sex": (56, 57),
        "expiration_date": (57, 63),
    },
    digits={
        "document number": (45, ((36, 45),)),
        "birth date": (55, ((49, 55),)),
        "expiration date": (63, ((57, 63),)),
        "whole zone": (71, ((36, 46), (49, 56), (57, 71))),
    },
    optional=(64, 71),
)
TD1 = Layout(
    "TD1",
    lines=3,
    width=30,
    begins=re.compile("[ACI]"),
    parts={
        "issuing_country": (2, 5),
        "names": (60, 90),
        "document_number": (5, 14),
        "nationality": (45, 48),
        "birth_date": (30, 36),
        "sex": (37, 38),
        "expiration_date": (38, 44),
    },
    digits={
        "document number": (14, ((5, 14),)),
        "birth date": (36, ((30, 36),)),
        "expiration date": (44, ((38, 44),)),
        "whole zone": (59, ((5, 30), (30, 37), (38, 45), (48, 59))),
    },
    optional=(15, 30),
)
# Cards of France before 2021 have no expiry in their zone, and names in both lines.
FRANCE = Layout(
    "IDFRA",
    lines=2,
    width=36,
    begins=re.compile("IDFRA"),
    parts={
        "issuing_country": (2, 5),
        "nationality": (2, 5),
        "surname": (5, 30),
        "document_number": (36, 48),
        "given_names": (49, 63),
        "birth_date": (63, 69),
        "sex": (70, 71),
    },
    digits={
        "document number": (48, ((36, 48),)),
        "birth date": (69, ((63, 69),)),
        "whole zone": (71, ((0, 71),)),
    },
)
LAYOUTS = (TD3, FRANCE, TD2, TD1)
"""The first that fits counts: a card of France would be a TD2 as well."""

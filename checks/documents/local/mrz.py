"""The machine-readable zone of passports and cards, found in text: ICAO 9303 (parts 4 to 6), and old French cards.

Pure. Places are counted in the zone as one text, its lines joined.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from .layouts import LAYOUTS, Layout, Span

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
VALUES = {letter: value for value, letter in enumerate(ALPHABET)} | {"<": 0}
WEIGHTS = (7, 3, 1)
CHARACTERS = re.compile(r"[A-Z0-9<]+")
MOST_LINES = 5_000
"""Lines of text that are looked at."""


@dataclass(frozen=True, slots=True)
class Zone:
    """One that was found."""

    layout: Layout
    lines: tuple[str, ...] = field(repr=False)

    @property
    def text(self) -> str:
        return "".join(self.lines)


def check_digit(text: str) -> str:
    """ICAO 9303 part 3, 4.9: weights 7, 3, 1, modulo 10."""
    return str(sum(VALUES[letter] * WEIGHTS[place % 3] for place, letter in enumerate(text)) % 10)


def find(text: str) -> Zone | None:
    """The first zone in the text, which may have blanks in its lines or its lines run together."""
    lines = [line for raw in text.splitlines()[:MOST_LINES] for line in _zone_lines(raw)]
    for start in range(len(lines)):
        if zone := read(lines[start : start + 3]):
            return zone
    return None


def read(lines: Sequence[str]) -> Zone | None:
    """The zone that these lines, normalised, begin with."""
    fitting = (Zone(each, tuple(lines[: each.lines])) for each in LAYOUTS if each.fits(lines[: each.lines]))
    return next(fitting, None)


def _zone_lines(raw: str) -> Iterator[str]:
    """The line as one or more lines of a zone; "" (which fits nothing) for any other line, so that none is skipped."""
    line = "".join(raw.split()).replace("«", "<<").replace("‹", "<")
    if not CHARACTERS.fullmatch(line):
        yield ""
        return
    width = next((each.width for each in LAYOUTS if len(line) == each.width * each.lines), len(line))
    yield from (line[start : start + width] for start in range(0, len(line), width))


def wrong_digits(zone: Zone) -> list[str]:
    """What the check digits are over that are wrong."""
    text, layout = zone.text, zone.layout
    wrong = [name for name, (place, spans) in layout.digits.items() if not _is_right(text, place, spans)]
    if layout.optional and text[layout.digits["document number"][0]] == "<":
        number, digit = _long_number(text, layout)
        wrong = [name for name in wrong if name != "document number"]
        return wrong if digit == check_digit(number) else ["document number", *wrong]
    return wrong


def _is_right(text: str, place: int, spans: tuple[Span, ...]) -> bool:
    over = "".join(text[start:end] for start, end in spans)
    return text[place] == check_digit(over) or (text[place] == "<" and not over.strip("<"))


def _long_number(text: str, layout: Layout) -> tuple[str, str]:
    """The number and its check digit, of a zone in which it goes on in the optional data (9303-5, 4.2.2, note j)."""
    start, end = layout.parts["document_number"]
    first, last = layout.optional or (0, 0)
    rest = text[first:last].partition("<")[0]
    return text[start:end] + rest[:-1], rest[-1:]


def fields(zone: Zone, today: date) -> dict[str, str | None]:
    """What the zone says. Dates are ISO 8601; None: it does not say, or says what is no date."""
    text, parts = zone.text, zone.layout.parts
    told = {name: text[slice(*span)].strip("<").replace("<", " ") or None for name, span in parts.items()}
    if zone.layout.optional and text[zone.layout.digits["document number"][0]] == "<":
        told["document_number"] = _long_number(text, zone.layout)[0].strip("<") or None
    for name, century in (("birth_date", _born), ("expiration_date", _expires)):
        told[name] = _date(text[slice(*parts[name])], century, today) if name in parts else None
    told["sex"] = told["sex"] if told["sex"] in ("M", "F") else None
    return {name: value for name, value in told.items() if name != "names"} | _names(text, parts)


def _names(text: str, parts: Mapping[str, Span]) -> dict[str, str | None]:
    if "names" not in parts:
        return {}
    surname, _, given = text[slice(*parts["names"])].partition("<<")
    return {
        name: value.strip("<").replace("<", " ") or None
        for name, value in (("surname", surname), ("given_names", given))
    }


def _date(text: str, century: Callable[[int, date], int], today: date) -> str | None:
    if not (text.isascii() and text.isdigit()):
        return None
    year, month, day = (int(text[place : place + 2]) for place in (0, 2, 4))
    try:
        return date(century(year, today) + year, month, day).isoformat()
    except ValueError:
        return None


def _born(year: int, today: date) -> int:
    return 2000 if 2000 + year <= today.year else 1900


def _expires(year: int, today: date) -> int:
    """Documents are valid for 50 years at most."""
    return 2000 if 2000 + year <= today.year + 50 else 1900

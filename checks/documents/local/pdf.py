"""What a PDF is made of, read with bounds on what a hostile one can cost. Never raises: what cannot be read is said."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from pypdf import PdfReader, apply_configuration
from pypdf.errors import FileNotDecryptedError
from pypdf.generic import DictionaryObject, IndirectObject, StreamObject

T = TypeVar("T")

MOST_PAGES = 100
"""A document of identity has a few, a statement some dozens."""
READ_PAGES = 20
"""Whose text is read."""
MOST_TEXT = 200_000
"""Characters of text, of all pages together."""
MOST_OBJECTS = 20_000
MOST_BYTES_OF_A_STREAM = 10_000_000
"""Unpacked. Pictures, which are larger, are not unpacked."""
SECONDS = 8.0
"""Of reading; looked at between two objects or pages. Python needs a second for the largest stream."""
BOUNDS: dict[str, Any] = {
    "zlib_maximum_output_length": MOST_BYTES_OF_A_STREAM,
    "lzw_maximum_output_length": MOST_BYTES_OF_A_STREAM,
    "run_length_maximum_output_length": MOST_BYTES_OF_A_STREAM,
    "brotli_maximum_output_length": MOST_BYTES_OF_A_STREAM,
    "array_based_stream_maximum_output_length": MOST_BYTES_OF_A_STREAM,
    "stream_decoding_work_maximum_length": 2 * MOST_BYTES_OF_A_STREAM,
    "stream_parsing_work_maximum_count": 100_000,  # a dense page has some thousands; these take five seconds
    "zlib_maximum_recovery_input_length": 100_000,
    "page_tree_maximum_entries": 10_000,
    "jbig2dec_binary": None,  # an image is not decoded, least of all by another program
}
BYTE_RANGE = re.compile(rb"/ByteRange\s*\[\s*(\d{1,10})\s+(\d{1,10})\s+(\d{1,10})\s+(\d{1,10})\s*\]")
ACTIONS = {"/JavaScript": "javascript", "/Launch": "launch"}


@dataclass(slots=True)
class Pdf:
    """What was found out before reading ended, by itself or not."""

    pages: int = 0
    text: str = field(default="", repr=False)
    is_encrypted: bool = False
    """With a password that we do not have."""
    is_broken: bool = False
    """Not all of it could be read."""
    is_too_large: bool = False
    """There is more than was looked at."""
    producers: tuple[str, ...] = field(default=(), repr=False)
    """The programs that it names."""
    created: datetime | None = None
    modified: datetime | None = None
    active: set[str] = field(default_factory=set)
    """Of javascript, launch, embedded_file: those that are in it."""


class _TooLarge(Exception):
    """There is more than we look at."""


def read(content: bytes, *, text: bool = False, structure: bool = False) -> Pdf:
    found = Pdf()
    try:
        with apply_configuration(**BOUNDS):
            _read(PdfReader(io.BytesIO(content), root_object_recovery_limit=1_000), found, text, structure)
    except FileNotDecryptedError:
        found.is_encrypted = True
    except _TooLarge:
        found.is_too_large = True
    except Exception:  # whatever rubbish makes of pypdf; also when the time is up
        found.is_broken = True
    return found


def _read(reader: PdfReader, found: Pdf, text: bool, structure: bool) -> None:
    end = time.monotonic() + SECONDS
    found.pages = len(reader.pages)
    if structure:
        _read_metadata(reader, found)
        for each in _until(end, _objects(reader), MOST_OBJECTS):
            found.active |= set(_activities(each))
    if text:
        for number in _until(end, range(min(found.pages, READ_PAGES)), READ_PAGES):
            found.text = f"{found.text}\n{reader.pages[number].extract_text()}"[:MOST_TEXT]
            _forget(reader)
    if found.pages > MOST_PAGES:
        raise _TooLarge


def _until(end: float, things: Iterable[T], most: int) -> Iterator[T]:
    for count, each in enumerate(things):
        if count >= most or time.monotonic() > end:
            raise _TooLarge
        yield each


def _read_metadata(reader: PdfReader, found: Pdf) -> None:
    told = reader.metadata
    if told is not None:
        found.producers = tuple(str(each)[:500] for each in (told.producer, told.creator) if each)
        found.created, found.modified = _moment(told, "creation_date"), _moment(told, "modification_date")


def _moment(told: Any, name: str) -> datetime | None:
    """Without its time zone, which many programs leave out: days are what counts."""
    try:
        value = getattr(told, name)
    except ValueError:
        return None
    return value.replace(tzinfo=None) if isinstance(value, datetime) else None


def _objects(reader: PdfReader) -> Iterator[Any]:
    """All of them, whether or not a page leads there; those within a stream of objects one stream after the other."""
    within = {number: stream for number, (stream, _) in reader.xref_objStm.items()}
    keys = {(0, number, generation) for generation, places in reader.xref.items() for number in places}
    stream = 0
    for key, number, generation in sorted(keys | {(within[number], number, 0) for number in within}):
        if key != stream:
            _forget(reader)
            stream = key
        yield reader.get_object(IndirectObject(number, generation, reader))


def _forget(reader: PdfReader) -> None:
    """What was unpacked would be kept: a thousand streams of the largest size are no file of the largest size."""
    reader.resolved_objects.clear()


def _activities(value: Any, depth: int = 0) -> Iterator[str]:
    """Of an object and what is written within it; what it only refers to is an object of its own."""
    if isinstance(value, IndirectObject) or depth > 20:
        return
    if isinstance(value, DictionaryObject):
        action = value.get("/S") if not isinstance(value, StreamObject) else None
        yield from [ACTIONS[action]] if isinstance(action, str) and action in ACTIONS else []
        yield from ["javascript"] if "/JS" in value else []
        yield from ["embedded_file"] if "/EF" in value or value.get("/Type") == "/EmbeddedFile" else []
        for key in value:
            yield from _activities(value.raw_get(key), depth + 1)
    elif isinstance(value, list):
        for each in list.__iter__(value):
            yield from _activities(each, depth + 1)


def revisions(content: bytes) -> int:
    """How often the file was written to: each time ends with a mark. One made to be shown while it loads has two."""
    marks = content.count(b"%%EOF")
    return max(1, marks - 1 if b"/Linearized" in content[:2048] else marks)


def is_signed(content: bytes) -> bool:
    return BYTE_RANGE.search(content) is not None


def after_last_signature(content: bytes) -> bytes:
    """What no signature covers at the end of the file, without blanks."""
    ends = [int(found[3]) + int(found[4]) for found in BYTE_RANGE.finditer(content)]
    return content[max(ends) :].strip() if ends else b""

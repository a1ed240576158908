"""What a file is by its first bytes, beside what its name and its sender say it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath

from checks.documents.analysers import File, Finding, Severity


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of file: how it begins, and the types and endings of names that go with it."""

    name: str
    starts: tuple[tuple[int, bytes], ...]
    """Any of these bytes at these places."""
    types: frozenset[str]
    endings: frozenset[str]
    is_image: bool = False

    def fits(self, content: bytes) -> bool:
        return any(content.startswith(start, place) for place, start in self.starts)


def _image(name: str, types: str, endings: str, *starts: tuple[int, bytes]) -> Kind:
    return Kind(name, starts, frozenset(f"image/{each}" for each in types.split()), frozenset(endings.split()), True)


OFFICE = "application/vnd.openxmlformats-officedocument"
KINDS = (
    Kind("PDF", ((0, b"%PDF-"),), frozenset({"application/pdf", "application/x-pdf"}), frozenset({".pdf"})),
    _image("JPEG", "jpeg jpg pjpeg", ".jpg .jpeg .jpe .jfif", (0, b"\xff\xd8\xff")),
    _image("PNG", "png x-png", ".png", (0, b"\x89PNG\r\n\x1a\n")),
    _image("GIF", "gif", ".gif", (0, b"GIF87a"), (0, b"GIF89a")),
    _image("TIFF", "tiff", ".tif .tiff", (0, b"II*\0"), (0, b"MM\0*")),
    _image("WebP", "webp", ".webp", (8, b"WEBP")),
    _image(
        "HEIF", "heic heif avif", ".heic .heif .avif", *((4, b"ftyp" + each) for each in (b"hei", b"mif1", b"avif"))
    ),
    Kind(
        "ZIP",
        ((0, b"PK\x03\x04"),),
        frozenset(
            {
                "application/zip",
                "application/x-zip-compressed",
                f"{OFFICE}.wordprocessingml.document",
                f"{OFFICE}.spreadsheetml.sheet",
                "application/vnd.oasis.opendocument.text",
            }
        ),
        frozenset({".zip", ".docx", ".xlsx", ".odt"}),
    ),
    Kind("program", ((0, b"MZ\x90\0"), (0, b"\x7fELF")), frozenset(), frozenset({".exe", ".dll", ".com", ".scr"})),
)
PDF = KINDS[0]
# Readers of PDFs look for its mark within so many bytes, so what stands before it makes it no other kind.
PDF_MARK_WITHIN = 1024
SAYS_NOTHING = frozenset({"", "application/octet-stream", "binary/octet-stream"})


def kind_of(content: bytes) -> Kind | None:
    """The kind that the content shows; None when it is none of those that we know."""
    found = next((kind for kind in KINDS if kind.fits(content)), None)
    return PDF if found is None and b"%PDF-" in content[:PDF_MARK_WITHIN] else found


def findings(file: File) -> Iterator[Finding]:
    """Whether the content is what the declared type and the name say. An ending that we do not know says nothing."""
    kind = kind_of(file.content)
    content_type = file.content_type.partition(";")[0].strip().lower()
    declared = _claimed(content_type)
    if declared is not kind and (declared or content_type not in SAYS_NOTHING):
        yield _mismatch("declared type", kind)
    named = _claimed(PurePath(file.name).suffix.lower())
    if named and named is not kind:
        yield _mismatch("ending of the name", kind)


def _claimed(claim: str) -> Kind | None:
    return next((kind for kind in KINDS if claim in kind.types | kind.endings), None)


def _mismatch(said: str, kind: Kind | None) -> Finding:
    holds = f"a {kind.name}" if kind else "of no kind that we know"
    return Finding("type_mismatch", Severity.REJECT, f"The content does not fit the {said}: it is {holds}.")

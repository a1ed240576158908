"""Which files may be uploaded: Dotfile's list."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath

_OPEN_XML = "application/vnd.openxmlformats-officedocument"
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument"
ENDINGS: Mapping[str, tuple[str, ...]] = {
    "image/avif": (".avif",),
    "image/bmp": (".bmp",),
    "image/gif": (".gif",),
    "image/vnd.microsoft.icon": (".ico",),
    "image/x-icon": (".ico",),
    "image/jpeg": (".jpeg", ".jpg"),
    "image/png": (".png",),
    "image/svg+xml": (".svg",),
    "image/tiff": (".tif", ".tiff"),
    "image/webp": (".webp",),
    "application/msword": (".doc",),
    f"{_OPEN_XML}.wordprocessingml.document": (".docx",),
    f"{_OPEN_DOCUMENT}.presentation": (".odp",),
    f"{_OPEN_DOCUMENT}.spreadsheet": (".ods",),
    f"{_OPEN_DOCUMENT}.text": (".odt",),
    "application/pdf": (".pdf",),
    "application/vnd.ms-powerpoint": (".ppt",),
    f"{_OPEN_XML}.presentationml.presentation": (".pptx",),
    "application/vnd.visio": (".vsd",),
    "application/vnd.ms-excel": (".xls",),
    f"{_OPEN_XML}.spreadsheetml.sheet": (".xlsx",),
    "text/csv": (".csv",),
    "application/json": (".json",),
    "application/ld+json": (".jsonld",),
    "application/rtf": (".rtf",),
    "text/plain": (".txt",),
    "application/x-freearc": (".arc",),
    "application/x-bzip": (".bz",),
    "application/x-bzip2": (".bz2",),
    "application/gzip": (".gz",),
    "application/vnd.rar": (".rar",),
    "application/x-tar": (".tar",),
    "application/zip": (".zip",),
    "application/x-7z-compressed": (".7z",),
    "application/x-compressed": (".7z",),
    "application/x-zip-compressed": (".zip",),
}
"""By the declared type, the endings of names that go with it."""
KNOWN_ENDINGS = frozenset(ending for endings in ENDINGS.values() for ending in endings)
# What clients declare that do not know; the name then has to say it.
SAYS_NOTHING = frozenset({"", "application/octet-stream", "binary/octet-stream"})


def is_supported(name: str, content_type: str) -> bool:
    """By what is declared, or by the name's ending where nothing is: what the bytes are is for the analysis to see."""
    declared = content_type.partition(";")[0].strip().lower()
    if declared in SAYS_NOTHING:
        return PurePath(name).suffix.lower() in KNOWN_ENDINGS
    return declared in ENDINGS

"""What an analyser of documents is: two functions, which know nothing of Django, of tasks, or of checks.

Name yours in the setting DOCUMENT_ANALYSER, as module.Class; it is made without arguments, once for each process.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Protocol


class Severity(StrEnum):
    """What a finding means for the decision."""

    NOTE = "note"
    """Nothing."""
    DOUBT = "doubt"
    """A person has to look."""
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was noticed. Its message is a sentence for people, without what it found (no personal data)."""

    code: str
    severity: Severity
    message: str


@dataclass(frozen=True, slots=True)
class File:
    """A file as it was handed in."""

    name: str = field(repr=False)
    content_type: str
    """As declared; empty if it was not."""
    document_type_key: str
    """Of the check: which document it should be."""
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Extraction:
    """What was read. Fields are JSON; `expiration_date` (ISO 8601) is shown with the check, the others are yours."""

    fields: Mapping[str, Any] = field(default_factory=dict, repr=False)
    findings: Sequence[Finding] = ()


class Analyser(Protocol):
    """Reads a document, then looks at whether it is genuine.

    What is wrong with a document is a finding. An exception means that the analyser itself failed: it is tried again
    some times, then a person has to look. The same file may be given to it more than once.
    """

    def extract(self, file: File, today: date) -> Extraction: ...

    def examine(self, file: File, extraction: Extraction, today: date) -> Sequence[Finding]: ...

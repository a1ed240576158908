"""What speaks against a PDF: how it was written, what it can do, and what it says of its making."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from checks.documents.analysers import Finding, Severity

from . import pdf
from .pdf import Pdf

# Programs in which pictures and pages are changed. What a bank or an office issues comes from none of them.
EDITORS = re.compile(
    r"photoshop|\bgimp\b|illustrator|inkscape|\bcanva\b|affinity|pixelmator|photopea|paint\.net|corel ?draw|"
    r"ilovepdf|sejda|smallpdf|pdfescape|pdffiller|foxit.{0,20}editor|pdf-xchange.{0,20}editor|nitro",
    re.IGNORECASE,
)
# A document that is issued is changed within the run that makes it, not days later.
WELL_AFTER = timedelta(days=1)
ACTIVE = {
    "javascript": "The PDF holds JavaScript.",
    "launch": "The PDF can start programs.",
    "embedded_file": "The PDF holds other files.",
}


def findings(content: bytes, found: Pdf) -> Iterator[Finding]:
    """One sign of a change may have a good reason, so it is a doubt; two together are none."""
    changes = list(_changes(content, found))
    yield from changes
    if len(changes) > 1:
        yield Finding("altered", Severity.REJECT, "More than one sign says that the PDF was changed after it was made.")
    yield from _after_signing(content)
    yield from (Finding(name, Severity.DOUBT, ACTIVE[name]) for name in sorted(found.active))


def _changes(content: bytes, found: Pdf) -> Iterator[Finding]:
    if not pdf.is_signed(content) and pdf.revisions(content) > 1:  # each signature is written as an update
        yield Finding("incremental_update", Severity.DOUBT, "Something was appended to the PDF after it was made.")
    if any(EDITORS.search(each) for each in found.producers):
        yield Finding("editor", Severity.DOUBT, "The PDF was written by a program that edits pictures or pages.")
    if found.created and found.modified and found.modified - found.created > WELL_AFTER:
        yield Finding(
            "modified_later", Severity.DOUBT, "The PDF says that it was changed more than a day after it was made."
        )


def _after_signing(content: bytes) -> Iterator[Finding]:
    """Long-term validation appends certificates (/DSS) after a signature; whether nothing else, people must see."""
    appended = pdf.after_last_signature(content)
    if b"/DSS" in appended:
        yield Finding(
            "appended_after_signing", Severity.DOUBT, "Something was appended to the PDF after its last signature."
        )
    elif appended:
        yield Finding("altered_after_signing", Severity.REJECT, "The PDF was changed after its last signature.")

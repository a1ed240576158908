"""The analyser that ships: what can be told from the bytes, here, without a network and without reading pictures."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from checks.documents.analysers import Extraction, File, Finding, Severity

from . import filetypes, mrz, pdf, signs

# Keys of document types, as they are usually chosen, that have a machine-readable zone.
WITH_ZONE = frozenset({"passport", "identity_card", "id_card", "national_id", "residence_permit"})


class LocalAnalyser:
    """File type, structure and metadata of PDFs, their text, the machine-readable zone in it, and expiry. No OCR."""

    def extract(self, file: File, today: date) -> Extraction:
        kind = filetypes.kind_of(file.content)
        if kind is filetypes.PDF:
            return _extract_pdf(file, today)
        if kind and kind.is_image:
            return Extraction({}, [_doubt("unreadable", "It is a picture; text in pictures is not read.")])
        return Extraction({}, [_doubt("unreadable", "Files of this kind are not read.")])

    def examine(self, file: File, extraction: Extraction, today: date) -> list[Finding]:
        found = list(filetypes.findings(file))
        if filetypes.kind_of(file.content) is filetypes.PDF:
            structure = pdf.read(file.content, structure=True)
            known = {finding.code for finding in extraction.findings}
            found += [each for each in _limits(structure) if each.code not in known]
            found += signs.findings(file.content, structure)
        return [*found, *_examine_zone(extraction.fields), *_expiry(extraction.fields, today)]


def _extract_pdf(file: File, today: date) -> Extraction:
    found = pdf.read(file.content, text=True)
    findings = list(_limits(found))
    if not found.text.strip():
        return Extraction(
            {}, findings or [_doubt("unreadable", "The PDF holds no text; text in pictures is not read.")]
        )
    zone = mrz.find(found.text)
    if zone is None and file.document_type_key in WITH_ZONE:
        findings.append(_doubt("no_mrz", "No machine-readable zone was found in the text."))
    fields: dict[str, Any] = {"pages": found.pages}
    if zone:
        fields |= {"mrz": {"format": zone.layout.name, "lines": list(zone.lines)}, **mrz.fields(zone, today)}
    return Extraction(fields, findings)


def _limits(found: pdf.Pdf) -> Iterator[Finding]:
    if found.is_encrypted:
        yield _doubt("encrypted", "The PDF cannot be opened without its password.")
    if found.is_broken:
        yield _doubt("broken", "Not all of the PDF could be read.")
    if found.is_too_large:
        yield _doubt("too_large", "The PDF has more pages or parts than are looked at.")


def _examine_zone(fields: Any) -> Iterator[Finding]:
    told = fields.get("mrz")
    zone = mrz.read(told["lines"]) if told else None
    for name in mrz.wrong_digits(zone) if zone else ():
        message = f"In the machine-readable zone, the check digit of the {name} is wrong."
        yield Finding("wrong_check_digit", Severity.REJECT, message)
    if zone and "expiration_date" in zone.layout.parts and not fields.get("expiration_date"):
        yield _doubt("no_expiry", "The machine-readable zone does not say until when the document is valid.")


def _expiry(fields: Any, today: date) -> Iterator[Finding]:
    """A document is valid on the day that it names."""
    expires = fields.get("expiration_date")
    if expires and date.fromisoformat(expires) < today:
        yield Finding("expired", Severity.REJECT, "The document has expired.")


def _doubt(code: str, message: str) -> Finding:
    return Finding(code, Severity.DOUBT, message)

"""The analyser that ships: what each kind of paper leads to, and each finding."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from datetime import date

import pytest
from pypdf import PdfReader, PdfWriter

from checks.documents import decision
from checks.documents.analysers import Extraction, File
from checks.documents.local import LocalAnalyser, filetypes, pdf, signs

from . import papers

FOR_A_DAY = "D:20260101120000Z"
A_DAY_LATER = "D:20260102120001Z"


def analysed(
    content: bytes, name: str = "scan.pdf", content_type: str = "application/pdf"
) -> tuple[Extraction, list[str], str]:
    """What was extracted, the codes of all findings, the decision."""
    file = File(name, content_type, "passport", content)
    extraction = LocalAnalyser().extract(file, papers.today())
    findings = [*extraction.findings, *LocalAnalyser().examine(file, extraction, papers.today())]
    return extraction, [each.code for each in findings], decision.decide(extraction.fields, findings).value


@pytest.mark.parametrize(
    ("paper", "codes", "expected"),
    [
        (papers.passport, [], "accepted"),
        (papers.altered_passport, ["incremental_update", "editor", "altered"], "rejected"),
        (papers.expired_passport, ["expired"], "rejected"),
        (papers.miscounted_passport, ["wrong_check_digit", "wrong_check_digit"], "rejected"),
        (papers.pdf, ["unreadable"], "review_required"),
        (lambda: papers.pdf("A letter"), ["no_mrz"], "review_required"),
    ],
)
def test_each_paper_leads_to_its_own_decision(paper: Callable[[], bytes], codes: list[str], expected: str) -> None:
    _, found, decided = analysed(paper())
    assert (found, decided) == (codes, expected)


def test_what_a_passport_says_is_told() -> None:
    extraction, _, _ = analysed(papers.pdf(*papers.PASSPORT))
    assert extraction.fields["document_number"] == "L898902C3"
    assert extraction.fields["mrz"] == {"format": "TD3", "lines": list(papers.PASSPORT)}
    assert "ERIKSSON" not in repr(extraction)


@pytest.mark.parametrize("expiry", ["309931", "<<<<<<", "NEVER<"])
def test_a_passport_whose_last_day_is_no_day_is_for_people(expiry: str) -> None:
    _, codes, decided = analysed(papers.pdf(*papers.written_zone(expiry)))
    assert (codes, decided) == (["no_expiry"], "review_required")


def test_a_letter_needs_no_zone() -> None:
    file = File("letter.pdf", "application/pdf", "proof_of_address", papers.pdf("A letter"))
    assert LocalAnalyser().extract(file, papers.today()).findings == []


def test_a_document_is_valid_on_its_last_day() -> None:
    file = File("scan.pdf", "application/pdf", "passport", papers.pdf(*papers.zone(date(2026, 1, 31))))
    extraction = LocalAnalyser().extract(file, date(2026, 1, 31))
    assert LocalAnalyser().examine(file, extraction, date(2026, 1, 31)) == []
    assert [each.code for each in LocalAnalyser().examine(file, extraction, date(2026, 2, 1))] == ["expired"]


@pytest.mark.parametrize(
    ("content", "name", "content_type", "expected"),
    [
        (papers.PNG, "scan.png", "image/png", []),
        (papers.PNG, "scan.pdf", "application/pdf", ["declared type", "ending of the name"]),
        (papers.PNG, "scan.pdf", "image/png", ["ending of the name"]),
        (papers.PNG, "SCAN.PNG", "image/jpeg; charset=x", ["declared type"]),
        (papers.PNG, "scan", "", []),
        (papers.PNG, "scan.2026", "application/octet-stream", []),
        (b"rubbish", "scan.pdf", "application/pdf", ["declared type", "ending of the name"]),
        (b"A letter", "letter.txt", "text/plain", []),
        (papers.pdf(), "scan.pdf", "text/html", ["declared type"]),
        (b"\n\n" + papers.pdf(), "scan.pdf", "application/pdf", []),
        (b"MZ\x90\0" + bytes(64), "scan.pdf", "", ["ending of the name"]),
        (b"PK\x03\x04" + bytes(64), "letter.docx", f"{filetypes.OFFICE}.wordprocessingml.document", []),
    ],
)
def test_content_that_is_not_what_it_is_said_to_be_is_told(
    content: bytes, name: str, content_type: str, expected: list[str]
) -> None:
    found = list(filetypes.findings(File(name, content_type, "passport", content)))
    assert [each.message.partition(" fit the ")[2].partition(":")[0] for each in found] == expected
    assert {each.code for each in found} <= {"type_mismatch"}


@pytest.mark.parametrize(("content", "codes"), [(papers.PNG, ["unreadable"]), (b"rubbish", ["unreadable"])])
def test_a_picture_or_rubbish_is_left_to_people(content: bytes, codes: list[str]) -> None:
    assert analysed(content, "scan", "")[1:] == (codes, "review_required")


SIGNED = papers.signed(papers.passport())


@pytest.mark.parametrize(
    ("content", "codes"),
    [
        (papers.passport(), []),
        (papers.passport(Producer="Word"), []),
        (papers.passport(Producer="GIMP 2.10"), ["editor"]),
        (papers.passport(Creator="www.iLovePDF.com"), ["editor"]),
        (papers.passport(CreationDate=FOR_A_DAY, ModDate="D:20260102120000Z"), []),
        (papers.passport(CreationDate=FOR_A_DAY, ModDate=A_DAY_LATER), ["modified_later"]),
        (papers.passport(CreationDate=FOR_A_DAY, ModDate="yesterday"), []),
        (
            papers.passport(Creator="GIMP", CreationDate=FOR_A_DAY, ModDate=A_DAY_LATER),
            ["editor", "modified_later", "altered"],
        ),
        (papers.appended(papers.passport(), b"<< >>"), ["incremental_update"]),
        (SIGNED, []),
        (papers.appended(SIGNED, b"<< >>"), ["altered_after_signing"]),
        (
            papers.appended(SIGNED, b"<< /Type /DSS >>").replace(b"/Type /DSS", b"/DSS  null"),
            ["appended_after_signing"],
        ),
        (papers.pdf("x", catalog=b"/OpenAction << /S /JavaScript /JS (app.alert) >>"), ["javascript"]),
        (papers.pdf("x", more=(b"<< /S /Launch /F (run.exe) >>",)), ["launch"]),
        (papers.pdf("x", more=(b"[<< /Type /Filespec /EF << >> >>]",)), ["embedded_file"]),
    ],
)
def test_what_speaks_against_a_pdf_is_told(content: bytes, codes: list[str]) -> None:
    assert [each.code for each in signs.findings(content, pdf.read(content, structure=True))] == codes


def test_a_pdf_made_to_be_shown_while_it_loads_was_not_changed() -> None:
    assert pdf.revisions(b"%PDF-1.7\n1 0 obj << /Linearized 1 >> %%EOF ... %%EOF") == 1


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


@pytest.mark.parametrize(
    ("content", "codes"),
    [
        (b"%PDF-1.7", ["broken"]),
        (b"%PDF-1.7\n%%EOF", ["broken"]),
        (papers.passport()[:400], ["broken"]),
        (papers.passport().replace(b"/Kids [3 0 R]", b"/Kids [2 0 R]"), ["broken"]),
        (papers.passport().replace(b"/Parent 2 0 R", b"/Parent 3 0 R"), []),
        (papers.passport().replace(b"startxref\n", b"startxref\n9"), []),
        (papers.passport().replace(b"stream\n", b"stream\n\xff\xfe("), ["broken"]),
        (papers.pdf("x", more=(nested(5_000),)), ["no_mrz", "broken"]),
    ],
)
def test_rubbish_raises_nothing_and_what_can_be_read_is_read(content: bytes, codes: list[str]) -> None:
    assert analysed(content)[1] == codes


def test_a_pdf_that_unpacks_to_very_much_is_left_to_people() -> None:
    bomb = zlib.compress(b" " * (pdf.MOST_BYTES_OF_A_STREAM + 1), 9)
    content = papers.passport().replace(b"/Contents 4 0 R", b"/Contents 7 0 R")
    content = papers.appended(content, papers.stream(bomb, b"/Filter /FlateDecode"), number=7)
    extraction, codes, decided = analysed(content)
    assert "broken" in codes
    assert (extraction.fields, decided) == ({}, "review_required")


def test_a_pdf_with_a_password_is_left_to_people() -> None:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(papers.passport())))
    writer.encrypt("secret", algorithm="AES-256")
    written = io.BytesIO()
    writer.write(written)
    assert analysed(written.getvalue())[1:] == (["encrypted"], "review_required")


def test_what_takes_too_long_to_read_is_left_to_people(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "SECONDS", -1.0)
    assert analysed(papers.passport())[1:] == (["too_large"], "review_required")


def test_a_pdf_with_very_many_pages_is_left_to_people() -> None:
    kids = b"3 0 R " * (pdf.MOST_PAGES + 1)
    content = papers.passport().replace(b"[3 0 R] /Count 1", b"[%b] /Count %d" % (kids, pdf.MOST_PAGES + 1))
    extraction, codes, decided = analysed(content)
    assert codes == ["too_large"]
    assert decided == "review_required"
    assert extraction.fields["document_number"] == "L898902C3"

"""Documents that are handed in for checks: one is accepted, one rejected, one cannot be read."""

from __future__ import annotations

from datetime import date, timedelta

from django.utils import timezone

from cases.models import Case, Individual
from checks.documents.local.mrz import check_digit
from checks.documents.services import submit
from checks.models import CheckType
from checks.services import start_check
from workspaces.models import User, Workspace

from .cases import INDIVIDUAL

NAMES = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<"
"""The first line of the specimen of ICAO 9303 part 4."""
PAGE = (
    b"<< /Type /Catalog /Pages 2 0 R >>",
    b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
)
FONT = b"<< /Type /Font /Subtype /Type1 /BaseFont /Courier >>"
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(64)


def change(workspace: Workspace, reviewer: User) -> None:
    case = Case.objects.create(workspace=workspace, name="Documents")
    person = Individual.objects.create(case=case, **INDIVIDUAL)
    today = timezone.localdate()
    papers = {
        "valid.pdf": passport(today + timedelta(days=365)),
        "expired.pdf": passport(today - timedelta(days=1)),
        "picture.png": PICTURE,
    }
    for name, content in papers.items():
        submit(start_check(person, CheckType.DOCUMENT, {"document_type_key": "passport"}), name, content)


def passport(expires: date) -> bytes:
    """A page with the machine-readable zone of a passport, as a PDF."""
    number, birth, expiry, optional = (
        part + check_digit(part) for part in ("L898902C3", "740812", f"{expires:%y%m%d}", "<" * 14)
    )
    over_all = check_digit(number + birth + expiry + optional)
    return pdf(NAMES, f"{number}UTO{birth}F{expiry}{optional}{over_all}")


def pdf(*lines: str) -> bytes:
    """One page with these lines of text."""
    text = "BT /F1 10 Tf 20 700 Td 14 TL " + " ".join(f"({line}) Tj T*" for line in lines) + " ET"
    stream = f"<< /Length {len(text)} >>\nstream\n{text}\nendstream".encode()
    content, places = b"%PDF-1.7\n", []
    for number, part in enumerate((*PAGE, stream, FONT), 1):
        places.append(len(content))
        content += b"%d 0 obj\n%b\nendobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n%b" % (len(places) + 1, table)
    return (
        content
        + head
        + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
        % (
            len(places) + 1,
            len(content),
        )
    )

"""Documents to hand in, made in memory: PDFs written by hand, and the zones of passports with their check digits."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from itertools import cycle

from django.utils import timezone

PASSPORT = ("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10")
"""The specimen of ICAO 9303 part 4; part 6 and part 5 have the next two."""
CARD = ("I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "D231458907UTO7408122F1204159<<<<<<<6")
SMALL_CARD = ("I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<")
LONG_NUMBER = ("I<UTOD23145890<7349<<<<<<<<<<<", "3407127M9507122UTO<<<<<<<<<<<2", "STEVENSON<<PETER<JOHN<<<<<<<<<")
FRENCH_CARD = ("IDFRABERTHIER<<<<<<<<<<<<<<<<<<<<<<<", "8806923102858CORINNE<<<<<<<6512068F6")
NOTHING: Mapping[str, str] = {}
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


def digit(text: str) -> str:
    values = [0 if letter == "<" else int(letter, 36) for letter in text]
    return str(sum(value * weight for value, weight in zip(values, cycle((7, 3, 1)), strict=False)) % 10)


def zone(expires: date, number: str = "L898902C3") -> tuple[str, str]:
    """Of a passport that expires on this day."""
    return written_zone(expires.strftime("%y%m%d"), number)


def written_zone(expiry: str, number: str = "L898902C3") -> tuple[str, str]:
    birth, optional = "740812", "<" * 14
    number, birth, expiry, optional = (each + digit(each) for each in (number, birth, expiry, optional))
    return PASSPORT[0], f"{number}UTO{birth}F{expiry}{optional}{digit(number + birth + expiry + optional)}"


def today() -> date:
    return timezone.now().date()


def passport(**info: str) -> bytes:
    """One that is valid for another year."""
    return pdf(*zone(today() + timedelta(days=365)), info=info)


def expired_passport() -> bytes:
    return pdf(*zone(today() - timedelta(days=1)))


def miscounted_passport() -> bytes:
    """With a digit of the number that was changed after the check digits were made."""
    first, second = zone(today() + timedelta(days=365))
    return pdf(first, second.replace("L898902C3", "L898902C4"))


def altered_passport() -> bytes:
    """Opened in an editor, which appended a version of its own."""
    return appended(passport(Producer="Adobe Photoshop 25.0"), b"<< /Changed true >>")


def pdf(*lines: str, more: tuple[bytes, ...] = (), catalog: bytes = b"", info: Mapping[str, str] = NOTHING) -> bytes:
    """With these lines of text, and `more` objects (from number 7 on)."""
    told = "".join(f"/{name} ({value}) " for name, value in info.items())
    text = "BT /F1 10 Tf 20 700 Td 14 TL " + " ".join(f"({line}) Tj T*" for line in lines) + " ET"
    return written(
        b"<< /Type /Catalog /Pages 2 0 R " + catalog + b" >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        stream(text.encode() if lines else b""),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Courier >>",
        f"<< {told}>>".encode(),
        *more,
    )


def stream(content: bytes, entries: bytes = b"") -> bytes:
    return b"<< /Length %d %b >>\nstream\n%b\nendstream" % (len(content), entries, content)


def written(*objects: bytes) -> bytes:
    """The objects, numbered from 1, as a file; the first is its catalog, the sixth tells of its making."""
    content, places = b"%PDF-1.7\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(content))
        content += b"%d 0 obj\n%b\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    trailer = b"trailer\n<< /Size %d /Root 1 0 R /Info 6 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, len(content))
    return content + b"xref\n0 %d\n0000000000 65535 f \n" % size + table + trailer


def appended(content: bytes, thing: bytes, number: int = 90) -> bytes:
    """With another object, as an incremental update."""
    place, before = len(content), int(content.rpartition(b"startxref")[2].split()[0])
    content += b"%d 0 obj\n%b\nendobj\n" % (number, thing)
    table = b"xref\n%d 1\n%010d 00000 n \n" % (number, place)
    trailer = b"trailer\n<< /Size %d /Root 1 0 R /Info 6 0 R /Prev %d >>\n" % (number + 1, before)
    return content + table + trailer + b"startxref\n%d\n%%%%EOF\n" % len(content)


def signed(content: bytes) -> bytes:
    """With something like a signature, over all of the file."""
    made = appended(content, b"<< /Type /Sig /ByteRange [0 100 200 XXXXXXXXXX] >>")
    return made.replace(b"XXXXXXXXXX", b"%010d" % (len(made) - 200))

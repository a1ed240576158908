"""Machine-readable zones: the specimens of ICAO 9303, and each of their check digits wrong in turn."""

from __future__ import annotations

from datetime import date

import pytest

from checks.documents.local import mrz

from . import papers

TODAY = date(2026, 1, 31)
ANNA = {
    "surname": "ERIKSSON",
    "given_names": "ANNA MARIA",
    "issuing_country": "UTO",
    "nationality": "UTO",
    "birth_date": "1974-08-12",
    "sex": "F",
    "expiration_date": "2012-04-15",
}
SPECIMENS = {
    "TD3": (papers.PASSPORT, {**ANNA, "document_number": "L898902C3"}),
    "TD2": (papers.CARD, {**ANNA, "document_number": "D23145890"}),
    "TD1": (papers.SMALL_CARD, {**ANNA, "document_number": "D23145890"}),
    "IDFRA": (
        papers.FRENCH_CARD,
        {
            "surname": "BERTHIER",
            "given_names": "CORINNE",
            "issuing_country": "FRA",
            "nationality": "FRA",
            "birth_date": "1965-12-06",
            "sex": "F",
            "document_number": "880692310285",
            "expiration_date": None,
        },
    ),
}


def found(*lines: str) -> mrz.Zone:
    zone = mrz.find("\n".join(lines))
    assert zone is not None
    return zone


@pytest.mark.parametrize("name", SPECIMENS)
def test_a_specimen_is_read_and_its_check_digits_are_right(name: str) -> None:
    lines, expected = SPECIMENS[name]
    zone = found("SPECIMEN", *lines, "Utopia")
    assert (zone.layout.name, mrz.fields(zone, TODAY), mrz.wrong_digits(zone)) == (name, expected, [])


PLACES = [
    (name, over, place) for name in SPECIMENS for over, (place, _) in found(*SPECIMENS[name][0]).layout.digits.items()
]


@pytest.mark.parametrize(("name", "over", "place"), PLACES)
def test_each_check_digit_that_is_wrong_is_told(name: str, over: str, place: int) -> None:
    lines = SPECIMENS[name][0]
    text = "".join(lines)
    wrong = mrz.wrong_digits(found(text[:place] + str((int(text[place]) + 1) % 10) + text[place + 1 :]))
    assert wrong == list(dict.fromkeys([over, "whole zone"]))


@pytest.mark.parametrize(
    ("place", "over"), [(44, "document number"), (58, "birth date"), (66, "expiration date"), (72, "optional data")]
)
def test_a_changed_character_is_told_by_its_own_digit_and_by_that_of_the_whole(place: int, over: str) -> None:
    text = "".join(papers.PASSPORT)
    changed = text[:place] + ("7" if text[place] != "7" else "8") + text[place + 1 :]
    assert mrz.wrong_digits(found(changed)) == [over, "whole zone"]


def test_a_number_too_long_for_its_place_goes_on_in_the_optional_data() -> None:
    zone = found(*papers.LONG_NUMBER)
    assert mrz.fields(zone, TODAY)["document_number"] == "D23145890734"
    assert mrz.wrong_digits(zone) == []
    wrong = found(*(line.replace("7349", "7348") for line in papers.LONG_NUMBER))
    assert mrz.wrong_digits(wrong) == ["document number", "whole zone"]


def test_optional_data_that_is_empty_may_have_no_check_digit() -> None:
    first, second = papers.zone(date(2030, 1, 1))
    without = second[:42] + "<" + second[43:]
    assert mrz.wrong_digits(found(first, without)) == []


@pytest.mark.parametrize(
    "text",
    [
        " ".join(papers.PASSPORT[0]) + "\n" + " ".join(papers.PASSPORT[1]),
        "".join(papers.PASSPORT),
        "\n".join(papers.PASSPORT).replace("<<", "«"),
    ],
)
def test_a_zone_is_found_however_a_pdf_spaces_its_text(text: str) -> None:
    assert found(text).lines == papers.PASSPORT


@pytest.mark.parametrize(
    "text",
    [
        "",
        papers.PASSPORT[0],
        papers.PASSPORT[0] + "\nUtopia\n" + papers.PASSPORT[1],
        "\n".join(papers.PASSPORT).lower(),
        "V" + "\n".join(papers.PASSPORT)[1:],
        "<" * 44 + "\n" + "<" * 44,
    ],
)
def test_other_text_is_no_zone(text: str) -> None:
    assert mrz.find(text) is None


@pytest.mark.parametrize(
    ("birth", "expiry", "expected"),
    [
        ("260131", "760131", ("2026-01-31", "2076-01-31")),
        ("270101", "770101", ("1927-01-01", "1977-01-01")),
        ("991231", "991231", ("1999-12-31", "1999-12-31")),
        ("74<<<<", "<<<<<<", (None, None)),
        ("740230", "001301", (None, None)),
    ],
)
def test_years_of_two_digits_get_the_century_that_makes_sense(
    birth: str, expiry: str, expected: tuple[str | None, str | None]
) -> None:
    second = papers.PASSPORT[1]
    told = mrz.fields(found(papers.PASSPORT[0], second[:13] + birth + second[19:21] + expiry + second[27:]), TODAY)
    assert (told["birth_date"], told["expiration_date"]) == expected


def test_the_text_of_a_zone_is_in_no_repr() -> None:
    assert "ERIKSSON" not in repr(found(*papers.PASSPORT))

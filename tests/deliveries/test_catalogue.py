"""Names of events, what a subscription may ask for, and in which form an event then comes."""

from __future__ import annotations

import re

import pytest

from deliveries.events import catalogue
from deliveries.events.families import Form

OURS = {"Webhook.WentOffline", "Document.Received", "Document.Extracted", "Document.AuthenticityAnalyzed"} | {
    "Document.Decided"
}


def test_there_are_46_events_of_dotfile_the_early_one_and_ours() -> None:
    assert len(catalogue.EVENTS.keys() - OURS) == 46
    assert catalogue.EVENTS.keys() >= OURS
    assert catalogue.EVENTS.keys() | {"Check.Completed"} == catalogue.NAMES


def test_every_name_belongs_to_one_family() -> None:
    listed = [name for family in catalogue.FAMILIES for name in catalogue.names_of(family)]
    assert sorted(listed) == sorted(catalogue.NAMES)
    assert all(f"{name.partition('.')[0]}.*" in catalogue.WILDCARDS for name in listed)


def test_sub_events_are_listed_right_after_their_main_event() -> None:
    names = catalogue.names_of(catalogue.INDIVIDUAL)
    assert names[1:5] == [f"Individual.{action}" for action in ("Updated", *catalogue._PARTY_SUBS)]


def test_every_event_says_in_a_sentence_when_it_arises() -> None:
    sentences = [event.when for event in catalogue.EVENTS.values()] + [*catalogue.EARLY.values()]
    assert [text for text in sentences if not re.fullmatch(r"[A-Z`].{10,}[^.]\.", text)] == []


def test_what_is_left_of_a_deleted_entity_is_told_apart_from_the_whole() -> None:
    remains = {event.name for event in catalogue.EVENTS.values() if not event.is_whole}
    assert remains == {"Case.Deleted", "Individual.Deleted", "Company.Deleted", "Check.Deleted"}


MAIN = Form("Case.Updated", "Case.StatusUpdated")
DIRECT = Form("Case.StatusUpdated")


@pytest.mark.parametrize(
    ("name", "asked", "expected"),
    [
        ("Case.StatusUpdated", ["Case.Updated"], MAIN),
        ("Case.StatusUpdated", ["Case.StatusUpdated"], DIRECT),
        ("Case.StatusUpdated", ["Case.StatusUpdated", "Case.Updated"], MAIN),
        ("Case.StatusUpdated", ["Case.Created"], None),
        ("Case.StatusUpdated", ["Case.*"], MAIN),
        ("Case.StatusUpdated", ["*"], MAIN),
        ("Case.StatusUpdated", ["Case.StatusUpdated", "Case.*"], MAIN),
        ("Case.StatusUpdated", ["Case.StatusUpdated", "*"], MAIN),
        ("Case.StatusUpdated", ["Check.*"], None),
        ("CaseReport.Generated", ["Case.*"], None),
        ("NoteComment.Created", ["Note.*"], None),
        ("NoteComment.Created", ["NoteComment.*"], Form("NoteComment.Created")),
        ("Case.Created", ["Case.*"], Form("Case.Created")),
        ("Webhook.WentOffline", ["*"], Form("Webhook.WentOffline")),
        ("Check.Approved", ["Check.Completed"], Form("Check.Completed")),
        ("Check.Approved", ["Check.Completed", "Check.Approved"], Form("Check.Approved")),
        ("Check.Approved", ["Check.Completed", "Check.*"], Form("Check.Approved")),
        ("Check.Rejected", ["Check.Completed"], Form("Check.Completed")),
        ("Check.Expired", ["Check.Completed"], None),
        (
            "Individual.MarkedAsRelevant",
            ["Individual.Updated"],
            Form("Individual.Updated", "Individual.MarkedAsRelevant"),
        ),
    ],
)
def test_an_event_has_one_form_for_each_subscription(name: str, asked: list[str], expected: Form | None) -> None:
    assert catalogue.form_for(name, asked) == expected


def test_everything_covers_every_event() -> None:
    assert [name for name in catalogue.EVENTS if not catalogue.form_for(name, [catalogue.EVERYTHING])] == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Company.Updated", ["Company.InfoUpdated", "Company.MarkedAsRelevant", "Company.MarkedAsNotRelevant"]),
        ("Company.InfoUpdated", ["Company.InfoUpdated"]),
        ("Check.Completed", ["Check.Approved", "Check.Rejected"]),
        ("Check.Approved", ["Check.Approved"]),
        ("Note.Updated", ["Note.Updated"]),
    ],
)
def test_a_name_stands_for_what_is_sent_under_it(name: str, expected: list[str]) -> None:
    assert [event.name for event in catalogue.sent_as(name)] == expected


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("Check.Aproved", "There is no event named Check.Aproved. Did you mean Check.Approved?"),
        ("case.created", "There is no event named case.created. Did you mean Case.Created?"),
    ],
)
def test_an_unknown_name_is_told_with_the_nearest_one(name: str, sentence: str) -> None:
    assert catalogue.complaint(["Case.Created", name]) == sentence


@pytest.mark.parametrize(
    ("pattern", "family"),
    [("*.Deleted", "Case.*"), ("Case.Review*", "Case.*"), ("Indivdual.*", "Individual.*"), ("**", "Case.*")],
)
def test_a_pattern_that_is_no_family_is_told_with_what_to_write(pattern: str, family: str) -> None:
    sentence = f"{pattern} is no pattern for events: write a whole family, such as {family}, or * for everything."
    assert catalogue.complaint(["Case.*", pattern]) == sentence


@pytest.mark.parametrize("names", [["Case.Created"], ["Case.*", "Check.Completed"], ["*"], [*catalogue.ASKABLE]])
def test_nothing_is_said_of_what_can_be_asked_for(names: list[str]) -> None:
    assert catalogue.complaint(names) is None

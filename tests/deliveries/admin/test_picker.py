"""The picker of events in a subscription's form."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from deliveries.admin.picker import families, sentence, summary
from deliveries.events.catalogue import ASKABLE, EVERYTHING
from tests.deliveries.conftest import Subscribe

from .conftest import page, read


def boxes(text: str) -> list[str]:
    """The checkboxes of the picker, as HTML."""
    return re.findall(r'<input type="checkbox" name="events"[^>]*>', text)


def values(inputs: list[str]) -> list[str]:
    return [re.findall(r'value="([^"]*)"', each)[0] for each in inputs]


def test_everything_that_can_be_asked_for_can_be_ticked(admin: Client, db: None) -> None:
    shown = values(boxes(read(admin.get(page("subscription", "add")))))
    assert len(shown) == len(set(shown))
    assert set(shown) == ASKABLE


def test_a_family_begins_with_the_whole_of_it() -> None:
    groups = dict(families())
    assert groups["All families"] == [(EVERYTHING, EVERYTHING)]
    assert groups["Note Comment"][:2] == [("NoteComment.*", "NoteComment.*"), ("NoteComment.Created",) * 2]


def test_every_box_has_a_label_and_a_sentence(admin: Client, db: None) -> None:
    text = read(admin.get(page("subscription", "add")))
    for box in boxes(text):
        key, note = re.findall(r'id="([^"]*)"', box)[0], re.findall(r'aria-describedby="([^"]*)"', box)[0]
        assert f'<label for="{key}">' in text
        assert re.search(rf'<small id="{note}">.+</small>', text)


def test_what_is_asked_for_is_ticked(admin: Client, subscribe: Subscribe) -> None:
    row = subscribe("Case.*", "Check.Approved")
    ticked = [box for box in boxes(read(admin.get(page("subscription", pk=row.pk)))) if " checked" in box]
    assert values(ticked) == ["Case.*", "Check.Approved"]


def test_the_search_is_a_file_of_our_own_and_hidden_until_it_works(admin: Client, db: None) -> None:
    text = read(admin.get(page("subscription", "add")))
    assert '<script src="/static/deliveries/event_picker.js" defer>' in text
    assert finders.find("deliveries/event_picker.js")
    assert '<p class="search" hidden>' in text


def test_code_in_a_sentence_is_shown_as_code_and_nothing_is_left_unescaped() -> None:
    assert sentence("Case.MetadataUpdated") == "<code>metadata</code> changed."
    assert "&#x27;" in sentence("Check.Completed")  # of Dotfile's
    assert unescape(sentence("*")) == "Every event, also events that are added later."


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (["*"], "*"),
        (["Case.*", "Check.*"], "Case.*, Check.*"),
        (["Case.*", "Check.Approved", "Note.Created"], "Case.*, 2 more"),
        (["Check.Approved", "Note.Created"], "2"),
    ],
)
def test_the_list_tells_families_by_name_and_counts_the_rest(asked: list[str], told: str) -> None:
    assert summary(asked) == told

"""Notes about cases, and comments on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from pytest_django import DjangoAssertNumQueries

from cases import noted, services
from cases.models import Case, Note, NoteComment
from cases.models.notes import COMMENTS_PER_NOTE, NOTES_PER_CASE
from deliveries.models import Event
from tests import factories
from tests.workspaces.crowd import meanwhile

pytestmark = pytest.mark.django_db


def names() -> list[str]:
    return list(Event.objects.order_by("sequence").values_list("name", flat=True))


@pytest.fixture
def note() -> Note:
    made = services.add_note(factories.case(), "<p>Hello</p>")
    Event.objects.all().delete()
    return Note.objects.get(pk=made.pk)


def test_the_life_of_a_note_is_told(note: Note) -> None:
    services.add_note(note.case, "Another")
    services.edit(note, "<p>Bye</p>")
    services.edit(note, "<p>Bye</p>")
    note.delete()
    assert names() == ["Note.Created", "Note.Updated", "Note.Deleted"]


def test_the_life_of_a_comment_is_its_own(note: Note) -> None:
    comment = services.add_comment(note, "Yes")
    services.edit(comment, "No")
    comment.delete()
    assert names() == ["NoteComment.Created", "NoteComment.Updated", "NoteComment.Deleted"]
    assert {event.case_id for event in Event.objects.all()} == {note.case_id}


@pytest.mark.parametrize("gone", [lambda note: note.delete(), lambda note: Note.objects.all().delete()])
def test_comments_that_go_with_their_note_are_no_events(note: Note, gone: Callable[[Note], object]) -> None:
    services.add_comment(note, "Yes")
    Event.objects.all().delete()
    gone(note)
    assert (names(), NoteComment.objects.count()) == (["Note.Deleted"], 0)


def test_notes_that_go_with_their_case_are_no_events(note: Note) -> None:
    services.add_comment(note, "Yes")
    Event.objects.all().delete()
    note.case.delete()
    assert (names(), Note.objects.count()) == (["Case.Deleted"], 0)


def test_bulk_changes_of_notes_are_told(note: Note) -> None:
    Note.objects.update(content="New")
    NoteComment.objects.bulk_create([NoteComment(note=note, content=text) for text in "ab"])
    NoteComment.objects.all().delete()
    assert names() == ["Note.Updated", *["NoteComment.Created"] * 2, *["NoteComment.Deleted"] * 2]


@pytest.mark.parametrize("content", ["", "  \n"])
def test_a_note_says_something(note: Note, content: str) -> None:
    for write in (
        lambda: services.add_note(note.case, content),
        lambda: services.add_comment(note, content),
        lambda: services.edit(note, content),
        lambda: Note.objects.update(content=content),
    ):
        with pytest.raises(ValidationError, match="Write something"), transaction.atomic():
            write()
    assert names() == []


def test_a_user_who_is_deleted_leaves_their_notes(note: Note) -> None:
    person = factories.user()
    written = services.add_note(note.case, "Mine", author=person)
    Event.objects.all().delete()
    person.delete()
    assert Note.objects.get(pk=written.pk).author is None
    assert names() == []


def fill(note: Note, count: int) -> None:
    NoteComment.objects.bulk_create([NoteComment(note=note, content=str(number)) for number in range(count)])


def test_a_note_has_only_so_many_comments(note: Note) -> None:
    fill(note, COMMENTS_PER_NOTE)
    with pytest.raises(ValidationError, match="at most 50"), transaction.atomic():
        services.add_comment(note, "One more")
    with pytest.raises(ValidationError, match="at most 50"), transaction.atomic():
        fill(note, 1)
    assert NoteComment.objects.count() == COMMENTS_PER_NOTE
    services.edit(NoteComment.objects.all()[0], "Still editable")


def test_a_case_has_only_so_many_notes(note: Note) -> None:
    Note.objects.bulk_create([Note(case=note.case, content="a") for _ in range(NOTES_PER_CASE - 1)])
    with pytest.raises(ValidationError, match="at most 25"), transaction.atomic():
        Note.objects.bulk_create([Note(case=note.case, content="a")])
    services.edit(note, "Still editable")
    note.delete()
    services.add_note(note.case, "In its place")


@pytest.mark.django_db(transaction=True)
def test_two_notes_at_once_do_not_pass_the_limit(transactional_db: None) -> None:
    case = factories.case()
    Note.objects.bulk_create([Note(case=case, content="a") for _ in range(NOTES_PER_CASE - 1)])

    def another() -> str:
        try:
            services.add_note(case, "theirs")
        except ValidationError:
            return "refused"
        return "added"

    assert meanwhile(lambda: services.add_note(case, "ours"), another) == "refused"
    assert Note.objects.count() == NOTES_PER_CASE


@pytest.mark.django_db(transaction=True)
def test_two_comments_at_once_do_not_pass_the_limit(transactional_db: None) -> None:
    note = services.add_note(factories.case(), "a")
    fill(note, COMMENTS_PER_NOTE - 1)

    def another() -> str:
        try:
            services.add_comment(note, "theirs")
        except ValidationError:
            return "refused"
        return "added"

    assert meanwhile(lambda: services.add_comment(note, "ours"), another) == "refused"
    assert NoteComment.objects.count() == COMMENTS_PER_NOTE


def shown(note: Note) -> Any:
    related = noted.load_notes([note.pk], (), [note.author_id] if note.author_id else [])
    row = Note.objects.filter(pk=note.pk).values().get()
    return noted.note(row, related.users.get(str(note.author_id)), related.comments.get(note.pk, []))


def test_a_note_is_shown_with_its_author_and_its_comments_in_order() -> None:
    person = factories.user(first_name="Ann", last_name="Lee")
    note = services.add_note(factories.case(), "<p>Hello</p>", author=person)
    for text in "abc":
        services.add_comment(note, text, author_type="api")
    found = shown(note)
    assert found["author"] == {"id": str(person.pk), "first_name": "Ann", "last_name": "Lee", "email": person.email}
    assert [comment["content"] for comment in found["comments"]] == ["a", "b", "c"]
    assert (found["comments"][0]["author"], found["comments"][0]["author_type"]) == (None, "api")
    assert (found["content"], found["author_type"]) == ("<p>Hello</p>", "user")


def test_the_number_of_queries_does_not_depend_on_the_number_of_notes(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    case: Case = factories.case()
    people = [factories.user() for _ in range(4)]
    notes = [services.add_note(case, "a", author=person) for person in people]
    for note in notes:
        services.add_comment(note, "b", author=people[0])
    for count in (1, 4):
        keys = [note.pk for note in notes[:count]]
        with django_assert_num_queries(3):
            noted.load_notes(keys, keys, [person.pk for person in people[:count]])

"""Notes about cases, and comments on them."""

from __future__ import annotations

from typing import TypeVar

from django.db import transaction

from cases.models import AuthorType, Case, Note, NoteComment
from workspaces.models import User

W = TypeVar("W", Note, NoteComment)


def add_note(case: Case, content: str, *, author: User | None = None, author_type: str = AuthorType.USER) -> Note:
    """Content is HTML. Raises ValidationError when it is empty."""
    note = Note(case=case, content=content, author=author, author_type=author_type)
    note.save()
    return note


def add_comment(
    note: Note, content: str, *, author: User | None = None, author_type: str = AuthorType.USER
) -> NoteComment:
    """Content is HTML. Raises ValidationError when it is empty, or the note has as many comments as it may have."""
    comment = NoteComment(note=note, content=content, author=author, author_type=author_type)
    comment.save()
    return comment


@transaction.atomic
def edit(written: W, content: str) -> W:
    """Replaces what a note or a comment says. Raises ValidationError when that is empty."""
    written.content = content
    written.save(update_fields=["content"])
    return written

"""Notes and their comments as the API and the webhooks show them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from workspaces.compiled import ByKeys
from workspaces.timestamps import iso

from .models import Note, NoteComment
from .related import load_users
from .shapes import Json, Row

_comments = ByKeys(NoteComment.objects.order_by("created_at", "id").values(), "note_id")
_note_authors = ByKeys(Note.objects.values("id", "author_id"), "id")


def note(row: Row, author: Json | None, comments: Sequence[Json]) -> Json:
    """Schema Note."""
    return {
        "id": str(row["id"]),
        "case_id": str(row["case_id"]),
        "content": row["content"],
        "comments": list(comments),
        "author": author,
        "author_type": row["author_type"],
        "created_at": iso(row["created_at"]),
        "updated_at": iso(row["updated_at"]),
    }


def note_comment(row: Row, author: Json | None) -> Json:
    """Schema NoteComment."""
    return {
        "id": str(row["id"]),
        "note_id": str(row["note_id"]),
        "content": row["content"],
        "author": author,
        "author_type": row["author_type"],
        "created_at": iso(row["created_at"]),
        "updated_at": iso(row["updated_at"]),
    }


def note_context(row: Row, author: Json | None) -> Json:
    """Schema WebhookContextNote."""
    return {"id": str(row["id"]), "author": author}


@dataclass(frozen=True, slots=True)
class NotesRelated:
    """What some notes, and some comments, are shown with."""

    comments: Mapping[UUID, list[Json]] = field(default_factory=dict, repr=False)
    """By their note."""
    contexts: Mapping[UUID, Json] = field(default_factory=dict, repr=False)
    """Schema WebhookContextNote, by note; a note that is gone is missing."""
    users: Mapping[str, Json] = field(default_factory=dict, repr=False)


def load_notes(
    note_ids: Collection[UUID] = (), of_comments: Collection[UUID] = (), authors: Collection[UUID] = ()
) -> NotesRelated:
    """The comments of notes, the contexts of the notes that comments belong to, and these people; three queries."""
    comments = _comments.rows(note_ids)
    notes = _note_authors.rows(of_comments)
    users = load_users({*authors} | {row["author_id"] for row in (*comments, *notes)})
    shown: defaultdict[UUID, list[Json]] = defaultdict(list)
    for row in comments:
        shown[row["note_id"]].append(note_comment(row, users.get(str(row["author_id"]))))
    contexts = {row["id"]: note_context(row, users.get(str(row["author_id"]))) for row in notes}
    return NotesRelated(shown, contexts, users)

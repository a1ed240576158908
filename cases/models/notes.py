"""What people write about a case. Content is HTML as it was given: whoever shows it makes it safe."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import ClassVar
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Count

from workspaces.changes import Above, Change, TrackedModel
from workspaces.refusals import refused

from . import values
from .case import Case
from .choices import AuthorType

# Dotfile's limits.
NOTES_PER_CASE = 25
COMMENTS_PER_NOTE = 50


class Written(TrackedModel):
    """Something that a person, or a program, wrote."""

    content = models.TextField(help_text="HTML.")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    author_type = models.CharField(max_length=8, choices=AuthorType.choices, default=AuthorType.USER, editable=False)

    # Those under one row are written one after the other: how many there are decides.
    above: ClassVar[Above]
    most: ClassVar[int]
    """So many under one row."""
    too_many: ClassVar[str]
    """What is said of more."""

    class Meta(TrackedModel.Meta):
        abstract = True

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} of {self.created_at:%Y-%m-%d %H:%M}"

    @classmethod
    def refuse(cls, changes: Sequence[Change], using: str) -> None:
        values.refuse(changes)
        if any(not change.row.stored()["content"].strip() for change in changes):
            raise refused("content", "Write something.", "blank")
        if new := Counter(change.row.stored()[cls.above.field] for change in changes if change.before is None):
            cls._refuse_too_many(new, [change.row.pk for change in changes], using)

    @classmethod
    def _refuse_too_many(cls, new: Counter[object], keys: Sequence[UUID], using: str) -> None:
        field = cls.above.field
        others = cls._default_manager.using(using).filter(**{f"{field}__in": new}).exclude(pk__in=keys).order_by()
        counts = new + Counter(dict(others.values_list(field).annotate(Count("pk"))))
        if any(count > cls.most for count in counts.values()):
            raise ValidationError(cls.too_many, code="too_many")


class Note(Written):
    """A note about a case."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="notes")

    above: ClassVar = Above("case_id", by=frozenset(), by_new=False, by_deletion=False, locked_by_new=True)
    most = NOTES_PER_CASE
    too_many = f"A case has at most {NOTES_PER_CASE} notes."


class NoteComment(Written):
    """An answer to a note."""

    note = models.ForeignKey(Note, on_delete=models.CASCADE, related_name="comments")
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="note_comments", editable=False)
    """That of the note; filled in when the comment is created."""

    above: ClassVar = Above("note_id", by=frozenset(), by_new=False, by_deletion=False, locked_by_new=True)
    most = COMMENTS_PER_NOTE
    too_many = f"A note has at most {COMMENTS_PER_NOTE} comments."

    class Meta(Written.Meta):
        verbose_name = "comment"
        ordering: ClassVar = ["created_at", "id"]

    def complete(self) -> None:
        if self._state.adding and self.note_id is not None:
            self.case_id = self.note.case_id

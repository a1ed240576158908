"""/v1/notes, and the notes of a case."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any, ClassVar

from django.db.models import QuerySet
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from cases import projection, services
from cases.models import AuthorType, Case, Note
from workspaces.api import fields
from workspaces.api.described import Hints, described
from workspaces.api.filtering import Time
from workspaces.api.views import Json, WorkspaceViewSet

from . import examples
from .common import find_case
from .serializers import OfCase

# Dotfile's limit, not counting what is between < and >.
TEXT_LENGTH = 3000
# Ours: room for that much text, and for links and formats around it.
HTML_LENGTH = 30_000
MARK = re.compile("<[^<>]*>")


class Html(fields.Text):
    """Kept as it is written: whoever shows it makes it safe."""

    hints: ClassVar[Hints] = {"description": f"HTML; at most {TEXT_LENGTH} characters without its tags."}
    default_error_messages = {"long": f"Use at most {TEXT_LENGTH} characters, without counting HTML tags."}

    def __init__(self) -> None:
        super().__init__(max_length=HTML_LENGTH, trim_whitespace=False)

    def to_internal_value(self, data: Any) -> str:
        value = super().to_internal_value(data)
        return value if len(MARK.sub("", value)) <= TEXT_LENGTH else self.fail("long")


class CommentSerializer(serializers.Serializer[dict[str, Any]]):
    content = Html()


class NoteSerializer(CommentSerializer):
    case_id = OfCase()


class NoteViewSet(WorkspaceViewSet[Note]):
    model = Note
    workspace_lookup = "case__workspace"
    not_found = "No note can be found."
    shown = "Note"
    filters: ClassVar = {"created_at": Time("created_at"), "updated_at": Time("updated_at")}

    def get_queryset(self) -> QuerySet[Note]:
        rows = super().get_queryset()
        return rows.filter(case=self._case()) if "case_pk" in self.kwargs else rows

    def _case(self) -> Case:
        return find_case(Case.objects.filter(workspace=self.workspace), self.kwargs["case_pk"])

    def represent(self, rows: QuerySet[Note]) -> list[Json]:
        found = list(rows.values())
        related = projection.load_notes([row["id"] for row in found], authors={row["author_id"] for row in found})
        return [
            projection.note(row, related.users.get(str(row["author_id"])), related.comments.get(row["id"], []))
            for row in found
        ]

    @described(summary="List the notes of a case")
    def list(self, request: Request, case_pk: str = "") -> Response:
        return super().list(request)

    @described(takes=NoteSerializer, example=examples.NOTE, may=(HTTPStatus.NOT_FOUND,))
    def create(self, request: Request) -> Response:
        data = self.valid(NoteSerializer(data=request.data, context={"view": self}))
        note = services.add_note(**data, author_type=AuthorType.API)
        return Response(projection.note(note.stored(), None, []), status.HTTP_201_CREATED)

    @described(
        summary="Comment on a note",
        takes=CommentSerializer,
        gives="NoteComment",
        code=HTTPStatus.CREATED,
        example=examples.COMMENT,
    )
    def comment(self, request: Request, pk: str) -> Response:
        note, data = self.get_object(), self.valid(CommentSerializer(data=request.data))
        comment = services.add_comment(note, **data, author_type=AuthorType.API)
        return Response(projection.note_comment(comment.stored(), None), status.HTTP_201_CREATED)

"""/v1/tags, and the tags of a case."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, ClassVar

from django.db import transaction
from django.db.models import QuerySet
from rest_framework import serializers, status
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from cases import services
from cases.models import Case, Tag
from cases.models.case import LABEL_LENGTH, label_is_plain
from workspaces.api import fields
from workspaces.api.described import described
from workspaces.api.filtering import Text, Time
from workspaces.api.views import Json, WorkspaceViewSet
from workspaces.timestamps import iso

from . import examples
from .common import NO_CASE, find_case
from .serializers import CaseTagsSerializer


class TagSerializer(serializers.Serializer[dict[str, Any]]):
    label = fields.Text(  # type: ignore[assignment]  # DRF's own `label`, for forms, is not used
        max_length=LABEL_LENGTH, validators=[label_is_plain]
    )


def shown(tag: Tag) -> Json:
    """Schema Tag."""
    return {"id": str(tag.pk), "label": tag.label, "created_at": iso(tag.created_at)}


class TagViewSet(WorkspaceViewSet[Tag]):
    model = Tag
    workspace_lookup = "workspace"
    not_found = "No tag can be found."
    shown = "Tag"
    filters: ClassVar = {"label": Text("label"), "created_at": Time("created_at")}
    sortable = ("created_at", "label")

    def represent(self, rows: QuerySet[Tag]) -> list[Json]:
        return [shown(tag) for tag in rows]

    @described(takes=TagSerializer, example=examples.TAG)
    def create(self, request: Request) -> Response:
        tag = services.create_tag(self.workspace, **self.valid(TagSerializer(data=request.data)))
        return Response(shown(tag), status.HTTP_201_CREATED)

    @described(takes=lambda view: TagSerializer(), example=examples.TAG)
    def partial_update(self, request: Request, pk: str) -> Response:
        tag = self.get_object()
        return Response(shown(services.rename_tag(tag, **self.valid(TagSerializer(data=request.data)))))


class CaseTagsViewSet(WorkspaceViewSet[Case]):
    """The tags of a case: each of the three answers with all that it has then."""

    model = Case
    workspace_lookup = "workspace"
    not_found = NO_CASE
    shown = "CaseTags"

    def find(self, rows: QuerySet[Case]) -> Case:
        return find_case(rows, self.kwargs["pk"])

    @described(summary="List the tags of a case")
    def retrieve(self, request: Request, pk: str) -> Response:
        return self._answer(self.get_object())

    @described(summary="Tag a case", takes=CaseTagsSerializer, code=HTTPStatus.CREATED, example=examples.CASE_TAGS)
    def add(self, request: Request, pk: str) -> Response:
        with transaction.atomic():
            case = self.get_locked()
            case.tags.add(*services.resolve_tags(self.workspace, self._words()))
        return self._answer(case, status.HTTP_201_CREATED)

    @described(summary="Take tags from a case", takes=CaseTagsSerializer, example=examples.CASE_TAGS)
    def remove(self, request: Request, pk: str) -> Response:
        with transaction.atomic():
            case = self.get_locked()
            tags, unknown = services.pick_tags(case.tags.all(), self._words())
            if unknown:
                raise NotFound(f"This case has no tag {unknown[0]}.")
            case.tags.remove(*tags)
        return self._answer(case)

    def _words(self) -> list[str]:
        words: list[str] = self.valid(CaseTagsSerializer(data=self.request.data))["tags"]
        return words

    def _answer(self, case: Case, code: int = status.HTTP_200_OK) -> Response:
        """Schema TagList."""
        return Response({"tags": [shown(tag) for tag in case.tags.order_by("pk")]}, code)

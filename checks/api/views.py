"""/v1/checks and /v1/checks/aml."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Q, QuerySet
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from cases.models import ReviewerType
from checks import projection, services
from checks.models import Check, CheckStatus, CheckType
from workspaces.api.filtering import Choice, Id, Time
from workspaces.api.views import Json, WorkspaceViewSet

from . import serializers


class CheckViewSet(WorkspaceViewSet[Check]):
    """All checks together: the list, and deletion."""

    model = Check
    workspace_lookup = "case__workspace"
    not_found = "No check can be found."
    filters: ClassVar = {
        "individual_id": Id("individual_id"),
        "company_id": Id("company_id"),
        "status": Choice("status", CheckStatus.values),
        "type": Choice("type", CheckType.values),
        "created_at": Time("created_at"),
        "updated_at": Time("updated_at"),
        "last_activity_at": Time("updated_at"),
    }
    sortable: ClassVar = {"created_at": "created_at", "last_activity_at": "updated_at", "updated_at": "updated_at"}
    default_sort = "updated_at"
    flags = ("exclude_internal", "include_not_relevant")

    def get_queryset(self) -> QuerySet[Check]:
        rows = super().get_queryset()
        return self._shown(rows) if self.action == "list" else rows

    def _shown(self, rows: QuerySet[Check]) -> QuerySet[Check]:
        if self.flag("exclude_internal"):
            rows = rows.filter(is_internal=False)
        if not self.flag("include_not_relevant"):
            rows = rows.filter(Q(individual__isnull=True) | Q(individual__is_relevant=True))
        return rows

    def represent(self, rows: QuerySet[Check]) -> list[Json]:
        return [projection.check_summary(row) for row in rows.values(*projection.SUMMARY_FIELDS)]


class AmlViewSet(WorkspaceViewSet[Check]):
    """AML checks: start, read, review of hits, review."""

    model = Check
    workspace_lookup = "case__workspace"
    not_found = "No AML check can be found."

    def get_queryset(self) -> QuerySet[Check]:
        return super().get_queryset().filter(type=CheckType.AML)

    def represent_one(self, pk: UUID) -> Json:
        return projection.check(self.row(pk))

    def create(self, request: Request) -> Response:
        data = self._read(serializers.AmlCreateSerializer)
        check = services.start_check(data["subject"], CheckType.AML, data["settings"])
        return Response(projection.check(check.stored()), status.HTTP_201_CREATED)

    def review(self, request: Request, pk: str) -> Response:
        check, data = self.get_object(), self._read(serializers.ReviewSerializer)
        return self._answer(services.review_check(check, **data, reviewer_type=ReviewerType.API))

    def review_hits(self, request: Request, pk: str) -> Response:
        check, data = self.get_object(), self._read(serializers.HitsReviewSerializer)
        return self._answer(services.review_hits(check, **data, reviewer_type=ReviewerType.API))

    def _read(self, kind: type[BaseSerializer[Any]]) -> dict[str, Any]:
        data: dict[str, Any] = self.valid(kind(data=self.request.data, context={"view": self}))
        return data

    def _answer(self, check: Check) -> Response:
        return Response(projection.check(check.stored()))

"""/v1/cases, and what is decided about one."""

from __future__ import annotations

from http import HTTPStatus
from typing import ClassVar

from django.db import transaction
from django.db.models import QuerySet
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from cases import projection, services
from cases.models import Case, CaseStatus, ReviewerType, ReviewStatus, RiskMode
from workspaces.api.described import described
from workspaces.api.filtering import Choices, Exact, Id, Text
from workspaces.api.views import Json, WorkspaceViewSet

from . import examples, serializers
from .common import NO_CASE, TIMES, find_case, update
from .filters import Tags


class CaseViewSet(WorkspaceViewSet[Case]):
    """`{id}` is the case's id or its external_id."""

    model = Case
    workspace_lookup = "workspace"
    not_found = NO_CASE
    shown, listed = "Case", "CaseListItem"
    filters: ClassVar = {
        "external_id": Exact("external_id"),
        "assignee_id": Id("assignee_id"),
        "name": Text("name"),
        "tags": Tags("tags"),
        "status": Choices("status", CaseStatus.values),
        **TIMES,
    }
    sortable: ClassVar = {"created_at": "created_at", "last_activity_at": "updated_at", "name": "name"}
    flags = ("include_custom_properties",)
    row_flags = ("include_not_relevant", "exclude_internal_checks")

    def find(self, rows: QuerySet[Case]) -> Case:
        return find_case(rows, self.kwargs["pk"])

    def represent(self, rows: QuerySet[Case]) -> list[Json]:
        found = list(rows.values())
        related = projection.load_related([row["id"] for row in found], found, parties=False)
        items = [projection.case_list_item(row, related[row["id"]]) for row in found]
        if self.flag("include_custom_properties"):
            items = [
                item | {"custom_properties": row["custom_properties"]} for item, row in zip(items, found, strict=True)
            ]
        return items

    def retrieve(self, request: Request, pk: str) -> Response:
        row = self.row(self.get_object().pk)
        related = projection.load_related(
            [row["id"]],
            [row],
            include_not_relevant=self.flag("include_not_relevant"),
            exclude_internal_checks=self.flag("exclude_internal_checks"),
        )
        return Response(projection.case_detailed(row, related[row["id"]]))

    @described(takes=serializers.CaseCreateSerializer, gives="CaseCreated", example=examples.CASE)
    def create(self, request: Request) -> Response:
        data = self.valid(serializers.CaseCreateSerializer(data=request.data, context={"view": self}))
        parts = {name: data.pop(name, None) or () for name in ("tags", "individuals", "companies")}
        row = self.row(services.create_case(self.workspace, data, **parts).pk)
        related = projection.load_related([row["id"]], [row])
        return Response(projection.case_created(row, related[row["id"]]), status.HTTP_201_CREATED)

    @described(takes=serializers.CaseUpdateSerializer, gives="CaseUpdated", example=examples.CASE_CHANGE)
    def partial_update(self, request: Request, pk: str) -> Response:
        with transaction.atomic():
            case = self.get_locked()
            sent = serializers.CaseUpdateSerializer(case, data=request.data, partial=True, context={"view": self})
            update(case, self.valid(sent))
        row = self.row(case.pk)
        related = projection.load_related([row["id"]], [row], parties=False)
        return Response(projection.case_updated(row, related[row["id"]]))

    @described(
        summary="Decide a case, or hand it on",
        takes=serializers.CaseReviewSerializer,
        gives="CaseReview",
        code=HTTPStatus.CREATED,
        example=examples.CASE_REVIEW,
    )
    def reviews(self, request: Request, pk: str) -> Response:
        case = self.get_object()
        data = self.valid(serializers.CaseReviewSerializer(data=request.data))
        if data["status"] == ReviewStatus.APPROVED and "next_review_at" not in data:
            data["next_review_at"] = services.usual_next_review(case, data.get("reviewed_at"))
        review = services.review_case(case, **data, reviewer_type=ReviewerType.API)
        return Response(projection.review(review.stored(), None), status.HTTP_201_CREATED)

    @described(
        summary="Say how risky a case is",
        takes=serializers.RiskSerializer,
        gives="Risk",
        code=HTTPStatus.CREATED,
        example=examples.RISK,
    )
    def risks(self, request: Request, pk: str) -> Response:
        case = self.get_object()
        data = self.valid(serializers.RiskSerializer(data=request.data))
        assessed = services.assess_risk(case, **data, mode=RiskMode.AUTOMATIC)
        return Response(assessed.risk, status.HTTP_201_CREATED)

    @described(
        summary="Let the client portal of a case go on",
        takes=serializers.WaitStepSerializer,
        gives="CompletedWaitSteps",
        example=examples.WAIT_STEP,
    )
    def complete_wait_step(self, request: Request, pk: str) -> Response:
        case = self.get_object()
        data = self.valid(serializers.WaitStepSerializer(data=request.data))
        completed = services.complete_wait_steps(case, data.get("client_portal_id"), data.get("wait_step_key"))
        return Response({"completed_wait_step_keys": completed})

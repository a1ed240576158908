"""/v1/checks, and /v1/checks/{type} for each type."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, ClassVar
from uuid import UUID

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.fields import get_error_detail
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from cases.models import Individual, ReviewerType
from checks import projection, services
from checks.files import services as files
from checks.models import Check, CheckStatus, CheckType
from workspaces.api.described import described
from workspaces.api.filtering import Choice, Id, Time
from workspaces.api.views import Json, WorkspaceViewSet

from . import examples, serializers

# Not a join: few people are not relevant, and an index has just these.
LEFT_OUT = Individual.objects.filter(pk=OuterRef("individual_id"), is_relevant=False)


class CheckViewSet(WorkspaceViewSet[Check]):
    """All checks together: the list, and deletion."""

    model = Check
    workspace_lookup = "case__workspace"
    not_found = "No check can be found."
    shown = "CheckSummary"
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
            rows = rows.filter(~Exists(LEFT_OUT))
        return rows

    def represent(self, rows: QuerySet[Check]) -> list[Json]:
        return [projection.check_summary(row) for row in rows.values(*projection.SUMMARY_FIELDS)]


class TypedViewSet(WorkspaceViewSet[Check]):
    """Checks of one type, which the address says: start, read, review."""

    model = Check
    workspace_lookup = "case__workspace"
    kind: CheckType = CheckType.AML
    creation: ClassVar[type[serializers.CheckCreateSerializer]] = serializers.CheckCreateSerializer

    def get_queryset(self) -> QuerySet[Check]:
        return super().get_queryset().filter(type=self.kind)

    def represent_one(self, pk: UUID) -> Json:
        return projection.check(self.row(pk))

    @described(takes=lambda view: view.creation(view.kind), example=lambda view: examples.CHECKS[view.kind])
    def create(self, request: Request) -> Response:
        data = self.valid(self.creation(self.kind, data=request.data, context={"view": self}))
        return self.answer(self.start(data), status.HTTP_201_CREATED)

    def start(self, data: Json) -> Check:
        return services.start_check(data["subject"], self.kind, data["settings"])

    @described(summary="Approve or reject", takes=serializers.ReviewSerializer, example=examples.REVIEW)
    def review(self, request: Request, pk: str) -> Response:
        check, data = self.get_object(), self.read(serializers.ReviewSerializer)
        return self.answer(services.review_check(check, **data, reviewer_type=ReviewerType.API))

    def read(self, kind: type[BaseSerializer[Any]]) -> Json:
        data: Json = self.valid(kind(data=self.request.data, context={"view": self}))
        return data

    def answer(self, check: Check, code: int = status.HTTP_200_OK) -> Response:
        return Response(projection.check(check.stored()), code)


class AmlViewSet(TypedViewSet):
    """Also the review of hits, and monitoring."""

    @described(summary="Confirm or ignore hits", takes=serializers.HitsReviewSerializer, example=examples.HITS_REVIEW)
    def review_hits(self, request: Request, pk: str) -> Response:
        check, data = self.get_object(), self.read(serializers.HitsReviewSerializer)
        return self.answer(services.review_hits(check, **data, reviewer_type=ReviewerType.API))

    @described(summary="Turn monitoring on or off", takes=serializers.MonitoringSerializer, example=examples.MONITORING)
    def monitoring(self, request: Request, pk: str) -> Response:
        check, data = self.get_object(), self.read(serializers.MonitoringSerializer)
        return self.answer(services.set_monitoring(check, data["is_monitored"]))


class DocumentViewSet(TypedViewSet):
    """Also files, and a review that does not wait for their analysis."""

    creation = serializers.DocumentCreateSerializer

    @transaction.atomic
    def start(self, data: Json) -> Check:
        try:
            check = super().start(data)
        except DjangoValidationError as error:
            if "settings" not in getattr(error, "error_dict", ()):
                raise
            # The other settings were looked at before: what is wrong is the type.
            found: Any = get_error_detail(error)
            raise ValidationError({"settings": {"document_type_key": found["settings"]}}) from None
        return files.add_documents(check, data.get("data", {}).get("files", ()))

    @described(
        summary="Hand files in", takes=serializers.AddFilesSerializer, code=HTTPStatus.CREATED, example=examples.FILES
    )
    def add_files(self, request: Request, pk: str) -> Response:
        check, data = self.get_object(), self.read(serializers.AddFilesSerializer)
        return self.answer(files.add_documents(check, data["files"], data.get("settings")), status.HTTP_201_CREATED)

    @described(summary="Review without the rest of the analysis")
    def force_review(self, request: Request, pk: str) -> Response:
        return self.answer(services.force_review(self.get_object()))


class IdDocumentViewSet(TypedViewSet):
    """Also the sides of the document."""

    creation = serializers.IdDocumentCreateSerializer

    @transaction.atomic
    def start(self, data: Json) -> Check:
        check = super().start(data)
        if (sides := data.get("data")) is None:
            return check
        try:
            return self.add(check, sides)
        except DjangoValidationError as error:
            raise ValidationError({"data": get_error_detail(error)}) from None

    @described(
        summary="Hand the sides in", takes=serializers.SidesSerializer, code=HTTPStatus.CREATED, example=examples.SIDES
    )
    def add_files(self, request: Request, pk: str) -> Response:
        check, sides = self.get_object(), self.read(serializers.SidesSerializer)
        return self.answer(self.add(check, sides), status.HTTP_201_CREATED)

    def add(self, check: Check, sides: Json) -> Check:
        return files.add_identity(check, sides["front_upload_ref"], sides.get("back_upload_ref"))

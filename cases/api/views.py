"""/v1/cases, /v1/individuals, /v1/companies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from rest_framework import status
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from cases import projection, services
from cases.models import Case, CaseStatus, Company, Individual, ReviewerType
from workspaces.api.filtering import Choices, Day, Exact, Filter, Id, Text, Time
from workspaces.api.views import Json, WorkspaceViewSet

from . import serializers
from .filters import Tags

TIMES: Mapping[str, Filter] = {
    "created_at": Time("created_at"),
    "updated_at": Time("updated_at"),
    "last_activity_at": Time("updated_at"),
}


class CaseViewSet(WorkspaceViewSet[Case]):
    """`{id}` is the case's id or its external_id."""

    model = Case
    workspace_lookup = "workspace"
    not_found = "No case can be found."
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

    def find(self, rows: QuerySet[Case]) -> Case:
        found = self._named(rows, self.kwargs["pk"])
        if found is None:
            raise NotFound(self.not_found)
        return found

    def _named(self, rows: QuerySet[Case], name: str) -> Case | None:
        try:
            found = rows.filter(pk=UUID(name)).first()
        except ValueError:
            found = None
        if found or not name.strip() or "\0" in name:
            return found
        return rows.filter(external_id=name).first()

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

    def create(self, request: Request) -> Response:
        data = self.valid(serializers.CaseCreateSerializer(data=request.data, context={"view": self}))
        parts = {name: data.pop(name, None) or () for name in ("tags", "individuals", "companies")}
        row = self.row(services.create_case(self.workspace, data, **parts).pk)
        related = projection.load_related([row["id"]], [row])
        return Response(projection.case_created(row, related[row["id"]]), status.HTTP_201_CREATED)

    def partial_update(self, request: Request, pk: str) -> Response:
        with transaction.atomic():
            case = self.get_locked()
            update(case, self.valid(self._update_serializer(case, request)))
        row = self.row(case.pk)
        related = projection.load_related([row["id"]], [row], parties=False)
        return Response(projection.case_updated(row, related[row["id"]]))

    def _update_serializer(self, case: Case, request: Request) -> BaseSerializer[Any]:
        context = {"view": self}
        return serializers.CaseUpdateSerializer(case, data=request.data, partial=True, context=context)

    def reviews(self, request: Request, pk: str) -> Response:
        case = self.get_object()
        data = self.valid(serializers.CaseReviewSerializer(data=request.data))
        review = services.review_case(case, **data, reviewer_type=ReviewerType.API)
        return Response(projection.review(review.stored(), None), status.HTTP_201_CREATED)


def update(instance: Case | Individual | Company, data: Mapping[str, Any]) -> None:
    """Sets what was sent; save() writes what differs. The row is locked: parts of it were merged with what was sent."""
    for name, value in data.items():
        setattr(instance, name, value)
    instance.save()


class IndividualViewSet(WorkspaceViewSet[Individual]):
    model = Individual
    workspace_lookup = "case__workspace"
    not_found = "No individual can be found."
    filters: ClassVar = {
        "first_name": Text("first_name"),
        "last_name": Text("last_name"),
        "birth_date": Day("birth_date"),
        "email": Text("email"),
        **TIMES,
    }
    sortable: ClassVar = {
        "created_at": "created_at",
        "last_activity_at": "updated_at",
        "first_name": "first_name",
        "last_name": "last_name",
    }

    def represent(self, rows: QuerySet[Individual]) -> list[Json]:
        return [projection.individual_listed(row) for row in rows.values()]

    def represent_one(self, pk: UUID) -> Json:
        row = self.row(pk)
        checks = projection.load_check_summaries([row["id"]], self.flag("exclude_internal_checks"))
        return projection.individual(row, checks.get(row["id"], []))

    def create(self, request: Request) -> Response:
        data = self.valid(serializers.IndividualCreateSerializer(data=request.data, context={"view": self}))
        individual = Individual(**data)
        with transaction.atomic():
            individual.save()
        return Response(self.represent_one(individual.pk), status.HTTP_201_CREATED)

    def partial_update(self, request: Request, pk: str) -> Response:
        with transaction.atomic():
            individual = self.get_locked()
            found = serializers.IndividualSerializer(individual, data=request.data, partial=True)
            update(individual, self.valid(found))
        return Response(self.represent_one(individual.pk))


class CompanyViewSet(WorkspaceViewSet[Company]):
    model = Company
    workspace_lookup = "case__workspace"
    not_found = "No company can be found."
    filters: ClassVar = {
        "name": Text("name"),
        "registration_number": Text("registration_number"),
        "country": Exact("country"),
        **TIMES,
    }
    sortable: ClassVar = {"created_at": "created_at", "last_activity_at": "updated_at", "name": "name"}

    def represent(self, rows: QuerySet[Company]) -> list[Json]:
        return [projection.company_listed(row) for row in rows.values()]

    def represent_one(self, pk: UUID) -> Json:
        row = self.row(pk)
        checks = projection.load_check_summaries([row["id"]], self.flag("exclude_internal_checks"))
        return projection.company(row, checks.get(row["id"], []))

    def create(self, request: Request) -> Response:
        data = self.valid(serializers.CompanyCreateSerializer(data=request.data, context={"view": self}))
        company = services.add_company(data.pop("case"), data)
        return Response(self.represent_one(company.pk), status.HTTP_201_CREATED)

    def partial_update(self, request: Request, pk: str) -> Response:
        with transaction.atomic():
            company = self.get_locked()
            update(company, self.valid(serializers.CompanyUpdateSerializer(company, data=request.data, partial=True)))
        return Response(self.represent_one(company.pk))

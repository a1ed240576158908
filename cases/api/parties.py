"""/v1/individuals, /v1/companies."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, ClassVar
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from cases import projection, services
from cases.models import Company, Individual
from workspaces.api.described import described
from workspaces.api.filtering import Day, Exact, Text
from workspaces.api.views import Json, WorkspaceViewSet

from . import examples, serializers
from .common import TIMES, update

NO_SUCH_CASE = (HTTPStatus.NOT_FOUND,)


def set_relevance(view: WorkspaceViewSet[Any]) -> Response:
    """Of an individual or a company: whether it counts for the case."""
    with transaction.atomic():
        party = view.get_locked()
        update(party, view.valid(serializers.RelevanceSerializer(data=view.request.data)))
    return Response(view.represent_one(party.pk))


class IndividualViewSet(WorkspaceViewSet[Individual]):
    model = Individual
    workspace_lookup = "case__workspace"
    not_found = "No individual can be found."
    shown, listed = "Individual", "IndividualListItem"
    row_flags = ("exclude_internal_checks",)
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

    @described(takes=serializers.IndividualCreateSerializer, may=NO_SUCH_CASE, example=examples.INDIVIDUAL)
    def create(self, request: Request) -> Response:
        data = self.valid(serializers.IndividualCreateSerializer(data=request.data, context={"view": self}))
        individual = Individual(**data)
        with transaction.atomic():
            individual.save()
        return Response(self.represent_one(individual.pk), status.HTTP_201_CREATED)

    @described(takes=serializers.IndividualSerializer, example=examples.INDIVIDUAL_CHANGE)
    def partial_update(self, request: Request, pk: str) -> Response:
        with transaction.atomic():
            individual = self.get_locked()
            found = serializers.IndividualSerializer(individual, data=request.data, partial=True)
            update(individual, self.valid(found))
        return Response(self.represent_one(individual.pk))

    @described(
        summary="Say whether an individual counts", takes=serializers.RelevanceSerializer, example=examples.RELEVANCE
    )
    def set_relevant(self, request: Request, pk: str) -> Response:
        return set_relevance(self)


class CompanyViewSet(WorkspaceViewSet[Company]):
    model = Company
    workspace_lookup = "case__workspace"
    not_found = "No company can be found."
    shown, listed = "Company", "CompanyListItem"
    row_flags = ("exclude_internal_checks",)
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

    @described(takes=serializers.CompanyCreateSerializer, may=NO_SUCH_CASE, example=examples.COMPANY)
    def create(self, request: Request) -> Response:
        data = self.valid(serializers.CompanyCreateSerializer(data=request.data, context={"view": self}))
        company = services.add_company(data.pop("case"), data)
        return Response(self.represent_one(company.pk), status.HTTP_201_CREATED)

    @described(takes=serializers.CompanyUpdateSerializer, example=examples.COMPANY_CHANGE)
    def partial_update(self, request: Request, pk: str) -> Response:
        with transaction.atomic():
            company = self.get_locked()
            update(company, self.valid(serializers.CompanyUpdateSerializer(company, data=request.data, partial=True)))
        return Response(self.represent_one(company.pk))

    @described(
        summary="Say whether a company counts", takes=serializers.RelevanceSerializer, example=examples.RELEVANCE
    )
    def set_relevant(self, request: Request, pk: str) -> Response:
        return set_relevance(self)

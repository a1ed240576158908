"""/v1/individuals, /v1/companies."""

from __future__ import annotations

from http import HTTPStatus
from typing import ClassVar, Generic, TypeVar
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from cases import projection
from cases.models import Company, Individual
from workspaces.api.described import described
from workspaces.api.filtering import Day, Exact, Text
from workspaces.api.views import Json, WorkspaceViewSet

from . import examples, serializers
from .common import TIMES, update
from .parts import PartySerializer

P = TypeVar("P", Individual, Company)


class PartyViewSet(WorkspaceViewSet[P], Generic[P]):
    """What individuals and companies have in common."""

    workspace_lookup = "case__workspace"
    row_flags = ("exclude_internal_checks",)
    creation: ClassVar[type[PartySerializer]]
    change: ClassVar[type[PartySerializer]]

    def represent_one(self, pk: UUID) -> Json:
        row = self.row(pk)
        checks = projection.load_check_summaries([row["id"]], self.flag("exclude_internal_checks"))
        return self.whole(row, checks.get(row["id"], []))

    def whole(self, row: Json, checks: list[Json]) -> Json:
        """What the API shows of a row that is asked for by its id."""
        raise NotImplementedError

    @described(
        takes=lambda view: view.creation,
        may=(HTTPStatus.NOT_FOUND,),
        example=lambda view: examples.PARTIES[view.shown],
    )
    def create(self, request: Request) -> Response:
        data = self.valid(self.creation(data=request.data, context={"view": self}))
        party = self.model(**data)
        party.save()
        return Response(self.represent_one(party.pk), status.HTTP_201_CREATED)

    @described(takes=lambda view: view.change, example=lambda view: examples.PARTY_CHANGES[view.shown])
    def partial_update(self, request: Request, pk: str) -> Response:
        with transaction.atomic():
            party = self.get_locked()
            update(party, self.valid(self.change(party, data=request.data, partial=True)))
        return Response(self.represent_one(party.pk))

    @described(summary="Say whether it counts", takes=serializers.RelevanceSerializer, example=examples.RELEVANCE)
    def set_relevant(self, request: Request, pk: str) -> Response:
        """Whether it counts for the case."""
        with transaction.atomic():
            party = self.get_locked()
            update(party, self.valid(serializers.RelevanceSerializer(data=request.data)))
        return Response(self.represent_one(party.pk))


class IndividualViewSet(PartyViewSet[Individual]):
    model = Individual
    not_found = "No individual can be found."
    shown, listed = "Individual", "IndividualListItem"
    creation = serializers.IndividualCreateSerializer
    change = serializers.IndividualSerializer
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

    def whole(self, row: Json, checks: list[Json]) -> Json:
        return projection.individual(row, checks)


class CompanyViewSet(PartyViewSet[Company]):
    model = Company
    not_found = "No company can be found."
    shown, listed = "Company", "CompanyListItem"
    creation = serializers.CompanyCreateSerializer
    change = serializers.CompanyUpdateSerializer
    filters: ClassVar = {
        "name": Text("name"),
        "registration_number": Text("registration_number"),
        "country": Exact("country"),
        **TIMES,
    }
    sortable: ClassVar = {"created_at": "created_at", "last_activity_at": "updated_at", "name": "name"}

    def represent(self, rows: QuerySet[Company]) -> list[Json]:
        return [projection.company_listed(row) for row in rows.values()]

    def whole(self, row: Json, checks: list[Json]) -> Json:
        return projection.company(row, checks)

"""What a case is shown with: loaded for many cases at once, in a constant number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet

from workspaces.models import User

from . import shapes
from .models import Case, CaseReview, Company, Individual, Template
from .shapes import Json, Row

M = TypeVar("M", bound=Model)
USER_FIELDS = ("id", "first_name", "last_name", "email")
Summaries = Mapping[UUID, list[Json]]
CheckLoader = Callable[[Collection[UUID], bool], Summaries]


@dataclass(frozen=True, slots=True)
class CaseRelated:
    """The rows around one case, ready to be shown."""

    individuals: list[Json] = field(default_factory=list, repr=False)
    companies: list[Json] = field(default_factory=list, repr=False)
    tags: list[str] = field(default_factory=list)
    review: Json | None = field(default=None, repr=False)
    templates: Mapping[str, Json] = field(default_factory=dict)
    """By identifier: those of the whole batch."""
    users: Mapping[str, Json] = field(default_factory=dict, repr=False)


def _no_checks(party_ids: Collection[UUID], exclude_internal: bool) -> Summaries:
    return {}


_check_loader: CheckLoader = _no_checks


def use_checks(loader: CheckLoader) -> None:
    """Whoever knows checks tells this app, which may not import them, how to load their summaries."""
    global _check_loader
    _check_loader = loader


def load_check_summaries(party_ids: Collection[UUID], exclude_internal: bool = False) -> Summaries:
    """The checks (schema Check) of individuals and companies, by their identifier."""
    return _check_loader(party_ids, exclude_internal) if party_ids else {}


def load_related(
    case_ids: Collection[UUID],
    rows: Iterable[Row] = (),
    *,
    parties: bool = True,
    include_not_relevant: bool = False,
    exclude_internal_checks: bool = False,
) -> dict[UUID, CaseRelated]:
    """What the cases are shown with, as of now; a case that is gone has nothing.

    `rows` spares the query for which templates and assignees the cases have. Lists need no `parties`.
    """
    if not case_ids:
        return {}
    rows = list(rows) or list(Case.objects.filter(pk__in=case_ids).values("template_id", "assignee_id"))
    reviews = _latest_reviews(case_ids)
    users = _users({row["assignee_id"] for row in rows} | {row["user_id"] for row in reviews.values()})
    templates = _templates({row["template_id"] for row in rows})
    tags = load_tags(case_ids)
    individuals, companies = _parties(case_ids, include_not_relevant, exclude_internal_checks) if parties else ({}, {})
    return {
        key: CaseRelated(
            individuals=individuals.get(key, []),
            companies=companies.get(key, []),
            tags=tags.get(key, []),
            review=_review(reviews.get(key), users),
            templates=templates,
            users=users,
        )
        for key in case_ids
    }


def load_tags(case_ids: Collection[UUID]) -> dict[UUID, list[str]]:
    """The labels of each case, in the order in which the workspace got them."""
    through = Case.tags.through._default_manager.filter(case_id__in=case_ids).order_by("tag_id")
    found: defaultdict[UUID, list[str]] = defaultdict(list)
    for case_id, label in through.values_list("case_id", "tag__label"):
        found[case_id].append(label)
    return found


def load_case_contexts(case_ids: Collection[UUID]) -> dict[UUID, Json]:
    """Schema WebhookContextCase, by identifier; a case that is gone is missing."""
    rows, tags = _rows(Case.objects.filter(pk__in=case_ids)), load_tags(case_ids)
    return {row["id"]: shapes.case_context(row, tags.get(row["id"], [])) for row in rows}


# Below, nothing is asked for nobody: Django would compile a query before it finds that nothing can match.


def load_individual_contexts(ids: Collection[UUID]) -> dict[UUID, Json]:
    rows = Individual.objects.filter(pk__in=ids).values("id", "first_name", "last_name") if ids else ()
    return {row["id"]: shapes.individual_context(row) for row in rows}


def load_company_contexts(ids: Collection[UUID]) -> dict[UUID, Json]:
    rows = Company.objects.filter(pk__in=ids).values("id", "name", "country") if ids else ()
    return {row["id"]: shapes.company_context(row) for row in rows}


def _rows(found: QuerySet[M]) -> list[dict[str, Any]]:
    return list(found.values())


def _latest_reviews(case_ids: Collection[UUID]) -> dict[UUID, Row]:
    latest = CaseReview.objects.filter(case_id__in=case_ids).order_by("case", "-created_at").distinct("case")
    return {row["case_id"]: row for row in _rows(latest)}


def _review(row: Row | None, users: Mapping[str, Json]) -> Json | None:
    return None if row is None else shapes.review(row, users.get(str(row["user_id"])))


def _users(ids: set[Any]) -> dict[str, Json]:
    rows = User.objects.filter(pk__in=ids - {None}).values(*USER_FIELDS) if ids - {None} else ()
    return {str(row["id"]): shapes.user(row) for row in rows}


def _templates(ids: set[Any]) -> dict[str, Json]:
    rows = Template.objects.filter(pk__in=ids - {None}).values("id", "name", "key") if ids - {None} else ()
    return {str(row["id"]): {**row, "id": str(row["id"])} for row in rows}


Parties = dict[UUID, list[Json]]


def _parties(case_ids: Collection[UUID], irrelevant_too: bool, exclude_internal: bool) -> tuple[Parties, Parties]:
    relevance = {} if irrelevant_too else {"is_relevant": True}
    people = _rows(Individual.objects.filter(case_id__in=case_ids, **relevance).order_by("created_at", "id"))
    firms = _rows(Company.objects.filter(case_id__in=case_ids, **relevance).order_by("-type", "created_at", "id"))
    checks = load_check_summaries([row["id"] for row in (*people, *firms)], exclude_internal)
    return (
        _by_case((row, shapes.individual(row, checks.get(row["id"], ()))) for row in people),
        _by_case((row, shapes.company(row, checks.get(row["id"], ()))) for row in firms),
    )


def _by_case(shown: Iterable[tuple[Row, Json]]) -> Parties:
    found: defaultdict[UUID, list[Json]] = defaultdict(list)
    for row, entity in shown:
        found[row["case_id"]].append(entity)
    return found

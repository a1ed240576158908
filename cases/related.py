"""What a case is shown with: loaded for many cases at once, in a constant number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from workspaces.compiled import ByKeys
from workspaces.models import User

from . import shapes
from .models import Case, CaseReview, Company, Individual, Template
from .shapes import Json, Row

USER_FIELDS = ("id", "first_name", "last_name", "email")

# An event, or a page, needs nearly all of them.
_cases = ByKeys(Case.objects.values(), "id")
_kinds = ByKeys(Case.objects.values("template_id", "assignee_id"), "id")
_reviews = ByKeys(CaseReview.objects.order_by("case", "-created_at").distinct("case").values(), "case_id")
_tags = ByKeys(Case.tags.through._default_manager.order_by("tag_id").values("case_id", "tag__label"), "case_id")
_users = ByKeys(User.objects.values(*USER_FIELDS), "id")
_templates = ByKeys(Template.objects.values("id", "name", "key"), "id")
_individuals = ByKeys(Individual.objects.order_by("created_at", "id").values(), "case_id")
_companies = ByKeys(Company.objects.order_by("-type", "created_at", "id").values(), "case_id")
_individual_names = ByKeys(Individual.objects.values("id", "first_name", "last_name"), "id")
_company_names = ByKeys(Company.objects.values("id", "name", "country"), "id")

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
    rows = list(rows) or _kinds.rows(case_ids)
    reviews = {row["case_id"]: row for row in _reviews.rows(case_ids)}
    users = load_users({row["assignee_id"] for row in rows} | {row["user_id"] for row in reviews.values()})
    templates = _load_templates({row["template_id"] for row in rows})
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
    found: defaultdict[UUID, list[str]] = defaultdict(list)
    for row in _tags.rows(case_ids):
        found[row["case_id"]].append(row["tag__label"])
    return found


def load_case_contexts(case_ids: Collection[UUID]) -> dict[UUID, Json]:
    """Schema WebhookContextCase, by identifier; a case that is gone is missing."""
    rows, tags = _cases.rows(case_ids), load_tags(case_ids)
    return {row["id"]: shapes.case_context(row, tags.get(row["id"], [])) for row in rows}


def load_individual_contexts(ids: Collection[UUID]) -> dict[UUID, Json]:
    return {row["id"]: shapes.individual_context(row) for row in _individual_names.rows(ids)}


def load_company_contexts(ids: Collection[UUID]) -> dict[UUID, Json]:
    return {row["id"]: shapes.company_context(row) for row in _company_names.rows(ids)}


def _review(row: Row | None, users: Mapping[str, Json]) -> Json | None:
    return None if row is None else shapes.review(row, users.get(str(row["user_id"])))


def load_users(ids: set[Any]) -> dict[str, Json]:
    """Schema NestedUser, by identifier as text."""
    return {str(row["id"]): shapes.user(row) for row in _users.rows(ids - {None})}


def _load_templates(ids: set[Any]) -> dict[str, Json]:
    return {str(row["id"]): {**row, "id": str(row["id"])} for row in _templates.rows(ids - {None})}


Parties = dict[UUID, list[Json]]


def _parties(case_ids: Collection[UUID], irrelevant_too: bool, exclude_internal: bool) -> tuple[Parties, Parties]:
    people = [row for row in _individuals.rows(case_ids) if irrelevant_too or row["is_relevant"]]
    firms = [row for row in _companies.rows(case_ids) if irrelevant_too or row["is_relevant"]]
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

"""A case created whole; companies added to one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from cases.models import Case, Company, CompanyType, Individual, Role
from workspaces.models import Workspace

from .tags import resolve_tags

Fields = Mapping[str, Any]


@transaction.atomic
def create_case(
    workspace: Workspace,
    fields: Fields,
    *,
    tags: Sequence[str] = (),
    individuals: Sequence[Fields] = (),
    companies: Sequence[Fields] = (),
) -> Case:
    """A case with everything in it, or nothing. `tags`: ids or labels.

    Raises ValidationError when there are companies but not exactly one main one.
    """
    mains = sum(company.get("type", CompanyType.MAIN) == CompanyType.MAIN for company in companies)
    if companies and mains != 1:
        raise ValidationError({"companies": "Give exactly one main company, and the others as affiliated."})
    case = Case(workspace=workspace, **fields)
    case.save()
    if tags:
        case.tags.add(*resolve_tags(workspace, tags))
    Individual.objects.bulk_create([_individual(case, given) for given in individuals])
    Company.objects.bulk_create([Company(case=case, **given) for given in companies])
    return case


def _individual(case: Case, fields: Fields) -> Individual:
    owner = Role.BENEFICIAL_OWNER in fields.get("roles", ()) or fields.get("is_beneficial_owner", False)
    return Individual(case=case, **{**fields, "is_beneficial_owner": owner})


def add_company(case: Case, fields: Fields) -> Company:
    """Raises ValidationError for a second main company, and for an affiliated one where there is no main one yet."""
    company = Company(case=case, **fields)
    company.save()
    return company

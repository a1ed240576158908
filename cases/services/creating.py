"""A case created whole; companies and tags added to one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Lower

from cases.models import Case, Company, CompanyType, Individual, Role, Tag
from workspaces.models import Workspace

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


def resolve_tags(workspace: Workspace, words: Sequence[str]) -> list[Tag]:
    """The tags with these ids or labels, in any case. A label that is new becomes a tag.

    Raises ValidationError for the id of no tag, and beyond TAGS_PER_WORKSPACE.
    """
    wanted: dict[str, str] = {}
    for word in words:
        wanted.setdefault(word.lower(), word)
    ids = {word: key for word in wanted if (key := _uuid(word))}
    found = list(_tags(workspace).filter(Q(word__in=wanted) | Q(pk__in=ids.values())))
    known = {tag.label.lower() for tag in found} | {str(tag.pk) for tag in found}
    if missing := [word for word, key in ids.items() if str(key) not in known and word not in known]:
        raise ValidationError({"tags": f"No tag of this workspace has the id {missing[0]}."})
    new = [label for word, label in wanted.items() if word not in known and word not in ids]
    return found + _create_tags(workspace, new)


def _tags(workspace: Workspace) -> QuerySet[Any]:
    return Tag.objects.filter(workspace=workspace).annotate(word=Lower("label"))


def _create_tags(workspace: Workspace, labels: Sequence[str]) -> list[Tag]:
    """Tags with these labels, some of which another request may have created since we looked."""
    if not labels:
        return []
    # One request at a time creates tags in a workspace: the limit holds, and no two create the same.
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
    Tag.objects.bulk_create([Tag(workspace=workspace, label=label) for label in labels], ignore_conflicts=True)
    limit = settings.TAGS_PER_WORKSPACE
    if Tag.objects.filter(workspace=workspace).count() > limit:
        raise ValidationError({"tags": f"This workspace may have {limit} tags; delete some before you add others."})
    return list(_tags(workspace).filter(word__in=[Lower(Value(label)) for label in labels]).order_by("pk"))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None

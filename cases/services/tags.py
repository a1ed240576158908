"""The tags of a workspace, and which of them somebody means."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Lower

from cases.models import Tag
from workspaces.models import Workspace
from workspaces.refusals import refused


@transaction.atomic
def create_tag(workspace: Workspace, label: str) -> Tag:
    """Raises ValidationError when another tag has this label, in any case, and beyond TAGS_PER_WORKSPACE."""
    _lock(workspace)
    _refuse_taken(_tags(workspace), label)
    tag = Tag(workspace=workspace, label=label)
    tag.save()
    _refuse_too_many(workspace, NON_FIELD_ERRORS)
    return tag


@transaction.atomic
def rename_tag(tag: Tag, label: str) -> Tag:
    """Raises ValidationError when another tag of the workspace has this label, in any case."""
    _lock(tag.workspace)
    _refuse_taken(_tags(tag.workspace).exclude(pk=tag.pk), label)
    tag.label = label
    tag.save()
    return tag


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


def pick_tags(tags: Iterable[Tag], words: Sequence[str]) -> tuple[list[Tag], list[str]]:
    """Those with these ids or labels, in any case, each once; and the words that name none of them."""
    tags = list(tags)
    named: dict[UUID | str | None, Tag] = {tag.pk: tag for tag in tags} | {tag.label.lower(): tag for tag in tags}
    found = {word: named.get(word.lower()) or named.get(_uuid(word)) for word in words}
    return list(dict.fromkeys(filter(None, found.values()))), [word for word, tag in found.items() if tag is None]


def _tags(workspace: Workspace) -> QuerySet[Any]:
    return Tag.objects.filter(workspace=workspace).annotate(word=Lower("label"))


def _create_tags(workspace: Workspace, labels: Sequence[str]) -> list[Tag]:
    """Tags with these labels, some of which another request may have created since we looked."""
    if not labels:
        return []
    _lock(workspace)
    Tag.objects.bulk_create([Tag(workspace=workspace, label=label) for label in labels], ignore_conflicts=True)
    _refuse_too_many(workspace, "tags")
    return list(_tags(workspace).filter(word__in=[Lower(Value(label)) for label in labels]).order_by("pk"))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _lock(workspace: Workspace) -> None:
    """One request at a time creates or renames tags in a workspace: the limit holds, and no two are the same."""
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)


def _refuse_taken(others: QuerySet[Any], label: str) -> None:
    if others.filter(word=Lower(Value(label))).exists():
        raise refused("label", "Another tag of this workspace has this label.", "unique")


def _refuse_too_many(workspace: Workspace, field: str) -> None:
    limit = settings.TAGS_PER_WORKSPACE
    if Tag.objects.filter(workspace=workspace).count() > limit:
        raise ValidationError({field: f"This workspace may have {limit} tags; delete some before you add others."})

"""Templates, tags and assignees of a case are its workspace's own: who is not, is refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.apps import apps
from django.core.exceptions import ValidationError

from workspaces.changes import Change
from workspaces.models import Workspace

if TYPE_CHECKING:
    from .case import Case, Tag

Pairs = set[tuple[UUID, UUID]]
"""Keys of something, each with that of a workspace."""


def refuse(changes: Sequence[Change], using: str) -> None:
    """Raises ValidationError for a new template or assignee from elsewhere: a query for each of the two, if given."""
    if (wanted := _given("template_id", changes)) - _templates(wanted, using):
        raise ValidationError({"template": "This template belongs to another workspace."})
    if (wanted := _given("assignee_id", changes)) - _members(wanted, using):
        raise ValidationError({"assignee": "This person is not a member of the case's workspace."})


def _templates(wanted: Pairs, using: str) -> Pairs:
    if not wanted:
        return set()
    rows = apps.get_model("cases", "Template")._default_manager.using(using)
    return set(rows.filter(pk__in={key for key, _ in wanted}).values_list("pk", "workspace_id"))


def _members(wanted: Pairs, using: str) -> Pairs:
    if not wanted:
        return set()
    users, workspaces = zip(*wanted, strict=True)
    rows = Workspace.members.through._default_manager.using(using)
    return set(rows.filter(user__in=users, workspace__in=workspaces).values_list("user_id", "workspace_id"))


def _given(name: str, changes: Iterable[Change]) -> Pairs:
    rows = (change.row.stored() for change in changes if change.before is None or name in change.before)
    return {(row[name], row["workspace_id"]) for row in rows if row[name] is not None}


def on_tags_changed(
    action: str, instance: Case | Tag, model: type[Case | Tag], pk_set: Iterable[UUID], using: str, **kwargs: Any
) -> None:
    """Before tags are put on a case, from its side or from theirs.

    Django has begun a transaction of its own by then, without a savepoint: who goes on after a refusal brings one.
    """
    if action != "pre_add" or not pk_set:
        return
    others: Mapping[str, Any] = {"pk__in": pk_set}
    if model._default_manager.using(using).filter(**others).exclude(workspace=instance.workspace_id).exists():
        raise ValidationError({"tags": "A tag belongs to another workspace."})

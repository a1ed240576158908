"""Which change of which row is which event. Receivers name the event and record it; nothing else happens here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_delete

from cases.models import Case, Company, Individual, Tag
from checks.models import Check
from workspaces.changes import Change, TrackedModel, rows_changed, rows_deleted

from .outbox import Draft, record

CASE_SUB_EVENTS = {
    "status": "Case.StatusUpdated",
    "flags": "Case.FlagsUpdated",
    "contact_has_actions": "Case.ContactHasActionsUpdated",
    "reviewer_has_actions": "Case.ReviewerHasActionsUpdated",
    "name": "Case.InfoUpdated",
    "external_id": "Case.InfoUpdated",
    "custom_properties": "Case.InfoUpdated",
    "template_id": "Case.TemplateUpdated",
    "metadata": "Case.MetadataUpdated",
    "risk": "Case.RiskUpdated",
    "assignee_id": "Case.AssigneeUpdated",
}
"""The sub-event of Case.Updated that a changed column means; several columns may mean one."""

CHECK_STATUS_EVENTS = {
    "need_review": "Check.ReviewNeeded",
    "approved": "Check.Approved",
    "rejected": "Check.Rejected",
    "expired": "Check.Expired",
}
"""The event of a check that reached a status; the others (in_progress, processing) are no event."""


def case_events(change: Change) -> Iterator[str]:
    if change.before is None:
        yield "Case.Created"
        return
    yield from dict.fromkeys(CASE_SUB_EVENTS[name] for name in CASE_SUB_EVENTS if name in change.before)


def check_events(change: Change) -> Iterator[str]:
    if change.before is None:
        yield "Check.Started"
    if change.before is None or "status" in change.before:
        yield from filter(None, [CHECK_STATUS_EVENTS.get(change.row.stored()["status"])])


def party_events(change: Change) -> Iterator[str]:
    """Of an individual or a company: relevance is told apart from all other columns."""
    prefix = type(change.row).__name__
    if change.before is None:
        yield f"{prefix}.Created"
        return
    if "is_relevant" in change.before:
        yield f"{prefix}.MarkedAsRelevant" if change.row.stored()["is_relevant"] else f"{prefix}.MarkedAsNotRelevant"
    if change.before.keys() - {"is_relevant"}:
        yield f"{prefix}.InfoUpdated"


WATCHED: dict[type[TrackedModel], Callable[[Change], Iterator[str]]] = {
    Case: case_events,
    Check: check_events,
    Individual: party_events,
    Company: party_events,
}


def draft(name: str, row: TrackedModel) -> Draft:
    """The event of this name about this row, with the row's columns as they are stored now."""
    stored = row.stored()
    ids: dict[str, UUID | None] = {
        "workspace_id": stored.get("workspace_id"),
        "case_id": row.pk if isinstance(row, Case) else stored["case_id"],
        "individual_id": row.pk if isinstance(row, Individual) else stored.get("individual_id"),
        "company_id": row.pk if isinstance(row, Company) else stored.get("company_id"),
    }
    return Draft(name=name, entity_id=row.pk, fields=stored, **ids)


def record_changes(sender: type[TrackedModel], changes: Iterable[Change], using: str) -> None:
    name_events = WATCHED[sender]
    drafts = [draft(name, change.row) for change in changes for name in name_events(change)]
    if drafts:
        record(drafts, using)


def record_deletes(sender: type[TrackedModel], rows: Iterable[TrackedModel], using: str) -> None:
    record([draft(f"{sender.__name__}.Deleted", row) for row in rows], using)


def on_save(sender: type[TrackedModel], instance: TrackedModel, raw: bool, using: str, **kwargs: Any) -> None:
    if not raw and instance.change:
        record_changes(sender, [instance.change], using)


def on_bulk_change(sender: type[TrackedModel], changes: list[Change], using: str, **kwargs: Any) -> None:
    if sender in WATCHED:
        record_changes(sender, changes, using)


def on_delete(sender: type[TrackedModel], instance: TrackedModel, using: str, origin: Any, **kwargs: Any) -> None:
    """A cascade is no event of its own; QuerySet.delete() tells through rows_deleted."""
    if origin is instance:
        record_deletes(sender, [instance], using)


def on_bulk_delete(sender: type[TrackedModel], rows: list[TrackedModel], using: str, **kwargs: Any) -> None:
    if sender in WATCHED:
        record_deletes(sender, rows, using)


def on_tags_changed(action: str, instance: Case | Tag, pk_set: set[UUID] | None, using: str, **kwargs: Any) -> None:
    """case.tags.add/remove/clear/set, and the same from the tag's side. clear() names no rows: it is seen before."""
    if action not in {"post_add", "post_remove", "pre_clear"} or pk_set == set():
        return
    if isinstance(instance, Case) and instance.is_being_created:  # Case.Created will tell of its tags
        return
    cases: QuerySet[Case] = Case.objects.using(using)
    if isinstance(instance, Case):
        touched = [instance] if action != "pre_clear" or instance.tags.exists() else []
    elif action == "pre_clear":
        touched = list(cases.filter(tags=instance).order_by("pk"))
    else:
        touched = list(cases.filter(pk__in=pk_set or ()).order_by("pk"))
    record([draft("Case.TagsUpdated", case) for case in touched], using)


def on_tag_renamed(sender: type[Tag], instance: Tag, raw: bool, using: str, **kwargs: Any) -> None:
    if raw or not instance.change or not instance.change.before or "label" not in instance.change.before:
        return
    _record_tagged(instance, using)


def on_tag_deleted(sender: type[Tag], instance: Tag, using: str, **kwargs: Any) -> None:
    _record_tagged(instance, using)


def _record_tagged(tag: Tag, using: str) -> None:
    cases = Case.objects.using(using).filter(tags=tag).order_by("pk")
    record([draft("Case.TagsUpdated", case) for case in cases], using)


def connect() -> None:
    """Called once, when Django is ready."""
    for model in WATCHED:
        post_save.connect(on_save, sender=model, dispatch_uid=f"deliveries.save.{model.__name__}")
        post_delete.connect(on_delete, sender=model, dispatch_uid=f"deliveries.delete.{model.__name__}")
    rows_changed.connect(on_bulk_change, dispatch_uid="deliveries.rows_changed")
    rows_deleted.connect(on_bulk_delete, dispatch_uid="deliveries.rows_deleted")
    m2m_changed.connect(on_tags_changed, sender=Case.tags.through, dispatch_uid="deliveries.tags")
    post_save.connect(on_tag_renamed, sender=Tag, dispatch_uid="deliveries.tag_renamed")
    pre_delete.connect(on_tag_deleted, sender=Tag, dispatch_uid="deliveries.tag_deleted")

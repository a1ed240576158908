"""Which change of which row is which event. Receivers name the event and record it; nothing else happens here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.db.models.signals import m2m_changed, post_save

from cases.models import Case, Company, Individual, Note, NoteComment, Tag
from cases.models.rules import wait_step
from checks.documents.models import Document
from checks.models import Check
from deliveries.engine import health
from deliveries.models import Subscription
from workspaces.changes import Change, TrackedModel, rows_changed, rows_deleted, rows_deleting
from workspaces.commits import fate

from . import payloads
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

DOCUMENT_STAGE_EVENTS = {
    "received": "Document.Received",
    "extracted": "Document.Extracted",
    "analyzed": "Document.AuthenticityAnalyzed",
    "decided": "Document.Decided",
}


def case_events(change: Change) -> Iterator[str]:
    if change.before is None:
        yield "Case.Created"
        return
    yield from dict.fromkeys(CASE_SUB_EVENTS[name] for name in CASE_SUB_EVENTS if name in change.before)
    yield from _periodic_review_events(change.before, change.row.stored())
    if "client_portal" in change.before:
        waiting = wait_step(change.row.stored()["client_portal"])
        if waiting and waiting != wait_step(change.before["client_portal"]):
            yield "Case.ClientPortalWaitStepTriggered"


def _periodic_review_events(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    if "review_due_at" in before and now["review_due_at"]:
        yield "Case.ReviewDue"
    if "review_confirmed_at" in before and now["review_confirmed_at"]:
        yield "Case.ReviewConfirmed"
    elif "next_review_at" in before:
        yield "Case.ReviewUpdated"


def check_events(change: Change) -> Iterator[str]:
    if change.before is None:
        yield "Check.Started"
    if change.before is None or "status" in change.before:
        yield from filter(None, [CHECK_STATUS_EVENTS.get(change.row.stored()["status"])])


def document_events(change: Change) -> Iterator[str]:
    """One for the stage that was reached; a document that is given up reaches the last without those between."""
    if change.before is None or "stage" in change.before:
        yield DOCUMENT_STAGE_EVENTS[change.row.stored()["stage"]]


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


def note_events(change: Change) -> Iterator[str]:
    """Of a note or a comment: what it says, not who said it."""
    prefix = type(change.row).__name__
    if change.before is None:
        yield f"{prefix}.Created"
    elif "content" in change.before:
        yield f"{prefix}.Updated"


WATCHED: dict[type[TrackedModel], Callable[[Change], Iterator[str]]] = {
    Case: case_events,
    Check: check_events,
    Individual: party_events,
    Company: party_events,
    Note: note_events,
    NoteComment: note_events,
    Document: document_events,
}
SILENTLY_DELETED = (Document,)
"""Their deletion is no event."""


def record_changes(sender: type[TrackedModel], changes: Iterable[Change], using: str) -> None:
    name_events = WATCHED[sender]
    record(sender, [Draft(name, change.row.pk) for change in changes for name in name_events(change)], using)


def record_deletes(sender: type[TrackedModel], rows: Iterable[TrackedModel], using: str) -> None:
    drafts = [Draft(f"{sender.__name__}.Deleted", row.stored()["id"], row.stored()) for row in rows]
    record(sender, drafts, using, given=True)


def on_save(sender: type[TrackedModel], instance: TrackedModel, raw: bool, using: str, **kwargs: Any) -> None:
    if not raw and instance.change:
        record_changes(sender, [instance.change], using)


def on_bulk_change(sender: type[TrackedModel], changes: list[Change], using: str, **kwargs: Any) -> None:
    if sender in WATCHED:
        record_changes(sender, changes, using)
    elif sender is Tag:
        record_renames(changes, using)


def on_deleting(sender: type[TrackedModel], rows: list[TrackedModel], using: str, **kwargs: Any) -> None:
    """Before the deletion of tags, which begins with what linked them to cases."""
    if sender is Tag:
        record_tags(_tagged(using, tag__in=[row.pk for row in rows]), using)


def on_deleted(sender: type[TrackedModel], rows: list[TrackedModel], using: str, **kwargs: Any) -> None:
    """A cascade is no event of its own.

    Not post_delete: a person's comes before the checks are gone, and whoever changes one of them waits for the counter.
    """
    if sender in WATCHED and sender not in SILENTLY_DELETED:
        record_deletes(sender, rows, using)


def on_tags_changed(action: str, instance: Case | Tag, pk_set: set[UUID] | None, using: str, **kwargs: Any) -> None:
    """case.tags.add/remove/clear/set, and the same from the tag's side. What goes is seen before: remove() names tags
    that the case may not have, clear() none.

    The cases are locked before Django writes: whoever changes the tags of a case waits here, with nothing else locked.
    """
    if pk_set == set() or (isinstance(instance, Case) and instance.is_being_created):
        return  # Case.Created will tell of its tags
    this, other = ("case", "tag") if isinstance(instance, Case) else ("tag", "case")
    if action in {"pre_add", "pre_remove"}:
        lock_cases(_cases_of(instance, pk_set), using)
    if action == "post_add":
        record_tags({*_cases_of(instance, pk_set)} - _just_told(instance, using), using)
    elif action in {"pre_remove", "pre_clear"}:
        links = {this: instance} if pk_set is None else {this: instance, f"{other}__in": pk_set}
        _just_told(instance, using, record_tags(_tagged(using, **links), using))


def _just_told(instance: Case | Tag, using: str, now: Iterable[UUID] = ()) -> set[UUID]:
    """The cases that were told of what went from here in this transaction; keeps those of `now` for the next call.

    set() removes some and adds others: that is one event, whose tags are read when it is built.
    """
    found, keys = instance.__dict__.pop("_tags_gone", (None, set()))
    if kept := {*now}:
        instance.__dict__["_tags_gone"] = (fate(using), kept)
    return keys if found is not None and found.is_open(using) else set()


def _cases_of(instance: Case | Tag, pk_set: set[UUID] | None) -> Iterable[UUID]:
    return [instance.pk] if isinstance(instance, Case) else pk_set or ()


def _tagged(using: str, **links: Any) -> QuerySet[Any, UUID]:
    """The keys of the cases with such a link to a tag."""
    return Case.tags.through._default_manager.using(using).filter(**links).values_list("case_id", flat=True)


def lock_cases(keys: Iterable[UUID], using: str) -> list[UUID]:
    """Locks those that are there, in order of their keys."""
    cases = Case.objects.using(using).filter(pk__in=keys).order_by("pk")
    return list(cases.select_for_update(no_key=True).values_list("pk", flat=True))


def record_tags(keys: Iterable[UUID], using: str) -> list[UUID]:
    """Answers which cases there are of these."""
    there = lock_cases(keys, using)
    record(Case, [Draft("Case.TagsUpdated", key) for key in there], using)
    return there


def record_renames(changes: Iterable[Change], using: str) -> None:
    """New tags, which no case has yet, and other changes of tags are no event."""
    if renamed := [change.row.pk for change in changes if change.before and "label" in change.before]:
        record_tags(_tagged(using, tag__in=renamed), using)


def on_tag_saved(sender: type[Tag], instance: Tag, raw: bool, using: str, **kwargs: Any) -> None:
    if not raw and instance.change:
        record_renames([instance.change], using)


def on_went_offline(sender: type[Subscription], instance: Subscription, **kwargs: Any) -> None:
    """The fields are given: the row holds secrets."""
    draft = Draft("Webhook.WentOffline", instance.pk, payloads.webhook_fields(instance))
    record(Subscription, [draft], instance._state.db or "default", given=True)


def connect() -> None:
    """Called once, when Django is ready."""
    for model in WATCHED:
        post_save.connect(on_save, sender=model, dispatch_uid=f"deliveries.save.{model.__name__}")
    rows_changed.connect(on_bulk_change, dispatch_uid="deliveries.rows_changed")
    rows_deleting.connect(on_deleting, dispatch_uid="deliveries.rows_deleting")
    rows_deleted.connect(on_deleted, dispatch_uid="deliveries.rows_deleted")
    m2m_changed.connect(on_tags_changed, sender=Case.tags.through, dispatch_uid="deliveries.tags")
    post_save.connect(on_tag_saved, sender=Tag, dispatch_uid="deliveries.tag_saved")
    health.went_offline.connect(on_went_offline, dispatch_uid="deliveries.went_offline")

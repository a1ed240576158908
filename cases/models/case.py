"""The case, its template, tags and reviews. Text that is not given is "" here and null in the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from workspaces.changes import Change, TrackedModel
from workspaces.models import Workspace

from . import rules, strangers, values
from .choices import CaseFlag, CaseStatus, ReviewerType
from .review import CaseReview

# Dotfile's limit for names of cases.
NAME_LENGTH = 180
LABEL_LENGTH = 100
label_is_plain = RegexValidator(r"[,;:|/\\]", "A label may not contain any of , ; : | / \\", inverse_match=True)
slug_is_a_space = RegexValidator(r"\Aspace_[A-Za-z0-9]{12}\Z", "Use space_ and 12 letters or digits.")


class Template(TrackedModel):
    """What a kind of case consists of. Here it is a name to attach."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="templates")
    key = models.CharField(max_length=NAME_LENGTH)
    name = models.CharField(max_length=NAME_LENGTH)
    description = models.TextField(blank=True)

    unique_fields: ClassVar = frozenset({"key"})

    class Meta(TrackedModel.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["workspace", "key"],
                name="cases_template_key_is_unique",
                violation_error_message="Another template of this workspace has this key.",
            )
        ]

    def __str__(self) -> str:
        return self.name


class Tag(TrackedModel):
    """A word to put on cases; upper and lower case are the same word."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="tags")
    label = models.CharField(max_length=LABEL_LENGTH, validators=[label_is_plain])

    unique_fields: ClassVar = frozenset({"label"})

    class Meta(TrackedModel.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(
                "workspace",
                Lower("label"),
                name="cases_tag_label_is_unique",
                violation_error_message="Another tag of this workspace has this label.",
            )
        ]

    def __str__(self) -> str:
        return self.label


class Case(TrackedModel):
    """A file about the people and companies that somebody wants to do business with."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="cases")
    name = models.CharField(max_length=NAME_LENGTH)
    status = models.CharField(max_length=16, choices=CaseStatus.choices, default=CaseStatus.OPEN)
    external_id = models.CharField(max_length=255, blank=True, help_text="The integrator's own identifier.")
    template = models.ForeignKey(
        Template, null=True, blank=True, on_delete=models.SET_NULL, related_name="cases", db_index=False
    )
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="assigned_cases",
        db_index=False,
    )
    space_slug = models.CharField(max_length=18, blank=True, validators=[slug_is_a_space])
    flags = ArrayField(models.CharField(max_length=32, choices=CaseFlag.choices), default=list, blank=True)
    contact_has_actions = models.BooleanField(default=False)
    reviewer_has_actions = models.BooleanField(default=False)
    metadata = models.JSONField(null=True, blank=True, help_text="Text by key: the integrator's own notes.")
    custom_properties = models.JSONField(default=dict, blank=True)
    risk = models.JSONField(null=True, blank=True, editable=False)
    client_portal = models.JSONField(null=True, blank=True, editable=False)
    last_contact_action_at = models.DateTimeField(null=True, blank=True, editable=False)
    next_review_at = models.DateField(
        null=True, blank=True, help_text="The day of an approved case's next periodic review, in UTC."
    )
    review_due_at = models.DateTimeField(null=True, blank=True, editable=False)
    """When it was told that this review is due; null: it is not, or not told yet."""
    review_confirmed_at = models.DateTimeField(null=True, blank=True, editable=False)
    tags = models.ManyToManyField(Tag, blank=True, related_name="cases")

    locked_fields: ClassVar = frozenset({"status", "flags", "next_review_at", "review_due_at", "client_portal"})
    unique_fields: ClassVar = frozenset({"external_id"})

    decision: CaseReview | None = None
    """The review that the next save() keeps with what was decided; without one, the system's. No column."""

    class Meta(TrackedModel.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["workspace", "external_id"],
                condition=~Q(external_id=""),
                name="cases_case_external_id_is_unique",
                violation_error_message="Another case of this workspace has this external_id.",
            )
        ]
        indexes: ClassVar = [
            # GET /v1/cases: a page in its default order, and the count.
            models.Index(fields=["workspace", "created_at", "id"], name="cases_case_list"),
            # GET /v1/cases?assignee_id=, and the deletion of a user.
            models.Index(fields=["assignee"], condition=Q(assignee__isnull=False), name="cases_case_assignee"),
            # The deletion of a template.
            models.Index(fields=["template"], condition=Q(template__isnull=False), name="cases_case_template"),
            # Which periodic reviews fell due and were not told of.
            models.Index(
                fields=["next_review_at"],
                condition=Q(next_review_at__isnull=False, review_due_at__isnull=True),
                name="cases_case_review_due",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def complete(self) -> None:
        """Periodic reviews end with the approval; one that is moved beyond the day it was told of is not due."""
        if self.status != CaseStatus.APPROVED:
            self.review_due_at = None
            if self.next_review_at == self._loaded.get("next_review_at"):
                self.next_review_at = None
        if self.review_due_at and not (self.next_review_at and self.next_review_at <= self.review_due_at.date()):
            self.review_due_at = None

    @classmethod
    def refuse(cls, changes: Sequence[Change], using: str) -> None:
        for change in changes:
            _refuse(change.before, change.row.stored())
        values.refuse(changes)
        strangers.refuse(changes, using)

    @classmethod
    def accompany(cls, changes: Sequence[Change], using: str) -> None:
        """A decided case has the review that decided it, whoever set the status."""
        reviews = [review for change in changes if (review := _review_of(change))]
        if reviews:
            CaseReview.objects.using(using).bulk_create(reviews)


def _refuse(before: Mapping[str, Any] | None, now: Mapping[str, Any]) -> None:
    """What needs no other row. New rows changed everything, from nothing."""
    old = {} if before is None else before

    def changed(name: str) -> bool:
        return before is None or name in before

    if changed("status"):
        rules.refuse_status(old.get("status"), now["status"])
    if changed("next_review_at"):
        rules.refuse_schedule(now["status"], now["next_review_at"])
    if "review_confirmed_at" in old and now["review_confirmed_at"]:
        rules.refuse_confirmation(now["status"])
    if changed("flags"):
        rules.refuse_flags(old.get("flags") or (), now["flags"])
    if changed("client_portal"):
        rules.refuse_portal(old.get("client_portal"), now["client_portal"], now["status"])
    for name, refuse in rules.OF_COLUMNS.items():
        if changed(name):
            refuse(old.get(name), now[name])


def _review_of(change: Change) -> CaseReview | None:
    """The review to keep with this change, if it is one that a review makes."""
    case: Any = change.row
    now = case.stored()
    by = change.before
    if not rules.is_decision(now["status"], ("status", "review_confirmed_at") if by is None else by):
        return None
    given, case.decision = case.decision, None
    return given or CaseReview(case=case, status=now["status"], reviewer_type=ReviewerType.SYSTEM)

"""The case, its template, tags and reviews. Text that is not given is "" here and null in the API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone

from workspaces.changes import Change, TrackedModel
from workspaces.models import Workspace

from . import rules
from .choices import CaseFlag, CaseStatus, ReviewerType, ReviewStatus

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
    tags = models.ManyToManyField(Tag, blank=True, related_name="cases")

    locked_fields: ClassVar = frozenset({"status"})

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
        ]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def refuse(cls, changes: Sequence[Change], using: str) -> None:
        for change in changes:
            before = {} if change.before is None else change.before
            if change.before is None or "flags" in before:
                rules.refuse_flags(before.get("flags") or (), change.row.stored()["flags"])


class CaseReview(TrackedModel):
    """A decision about a case. The latest one is the one that counts."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="reviews", db_index=False)
    status = models.CharField(max_length=16, choices=ReviewStatus.choices)
    comment = models.TextField(blank=True)
    reviewer_type = models.CharField(max_length=8, choices=ReviewerType.choices)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="case_reviews"
    )
    reviewed_at = models.DateTimeField(default=timezone.now)
    next_review_at = models.DateField(null=True, blank=True)

    class Meta(TrackedModel.Meta):
        indexes: ClassVar = [
            # The latest review of each of some cases: DISTINCT ON (case), newest first.
            models.Index(fields=["case", "-created_at"], name="cases_review_latest"),
        ]

    def __str__(self) -> str:
        return f"{self.get_status_display()} {self.reviewed_at:%Y-%m-%d}"

"""Decisions about cases."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from workspaces.changes import TrackedModel

from .choices import ReviewerType, ReviewStatus


class CaseReview(TrackedModel):
    """A decision about a case. The latest one is the one that counts."""

    case = models.ForeignKey("cases.Case", on_delete=models.CASCADE, related_name="reviews", db_index=False)
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

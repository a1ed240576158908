"""A file that was handed in for a check, and how far its analysis has come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone

from cases.models import Case, Company, Individual
from checks.choices import CheckType
from workspaces.changes import Above, Change, TrackedModel
from workspaces.refusals import refused

if TYPE_CHECKING:
    from checks.models import Check


class Stage(models.TextChoices):
    RECEIVED = "received"
    EXTRACTED = "extracted"
    ANALYZED = "analyzed"
    DECIDED = "decided"


class Decision(models.TextChoices):
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    REVIEW_REQUIRED = "review_required"


# What a file was handed in for, and its bytes: another file is another document.
FIXED = frozenset({"for_check_id", "case_id", "individual_id", "company_id", "document_type_key", "size", "sha256"})

DECIDES = "The analysis of a document decides on it, and moves its check; review the check to decide yourself."

_deciding = ContextVar("deciding", default=False)


@contextmanager
def deciding() -> Iterator[None]:
    """Inside, documents may be decided: for whoever moves their check, too."""
    token = _deciding.set(True)
    try:
        yield
    finally:
        _deciding.reset(token)


class Document(TrackedModel):
    """What is known about the file; its bytes are in DocumentFile."""

    # Not `check`: that is Django's own method of every model.
    for_check: models.ForeignKey[Check, Check] = models.ForeignKey(
        "checks.Check",
        on_delete=models.CASCADE,
        related_name="documents",
        limit_choices_to={"type": "document"},
        verbose_name="check",
    )
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="+", editable=False)
    """This, who it is about and the type are those of the check; filled in when it is created."""
    individual = models.ForeignKey(
        Individual, null=True, on_delete=models.CASCADE, related_name="+", db_index=False, editable=False
    )
    company = models.ForeignKey(
        Company, null=True, on_delete=models.CASCADE, related_name="+", db_index=False, editable=False
    )
    document_type_key = models.CharField(max_length=200, editable=False)
    name = models.CharField(max_length=255, help_text="Of the file, without folders.")
    content_type = models.CharField(max_length=255, blank=True, help_text="As whoever sent it declared.")
    size = models.PositiveIntegerField(help_text="In bytes.")
    sha256 = models.CharField("SHA-256", max_length=64)
    stage = models.CharField(max_length=16, choices=Stage.choices, default=Stage.RECEIVED)
    fields = models.JSONField(default=dict, blank=True, help_text="What was read in it.")
    findings = models.JSONField(default=list, blank=True, help_text="Each with code, severity and message.")
    decision = models.CharField(max_length=16, choices=Decision.choices, blank=True)
    extracted_at = models.DateTimeField(null=True, editable=False)
    analyzed_at = models.DateTimeField(null=True, editable=False)
    decided_at = models.DateTimeField(null=True, editable=False)
    tries = models.PositiveSmallIntegerField(default=0, editable=False, help_text="Begun at this stage.")
    attended_at = models.DateTimeField(default=timezone.now, editable=False)
    """When its analysis was last begun or asked for: what stands still is found by it."""

    locked_fields: ClassVar = frozenset({"stage"})
    # Its check is moved by a deletion, and the case is locked before a check.
    above: ClassVar = Above("case_id", by=frozenset(), by_new=False)

    class Meta(TrackedModel.Meta):
        indexes: ClassVar = [
            # For cascades from individuals and companies.
            models.Index(
                fields=["individual"], condition=Q(individual__isnull=False), name="checks_document_individual"
            ),
            models.Index(fields=["company"], condition=Q(company__isnull=False), name="checks_document_company"),
            # What stands still.
            models.Index(fields=["attended_at"], condition=~Q(stage=Stage.DECIDED), name="checks_document_unfinished"),
        ]

    def __str__(self) -> str:
        return f"Document {self.pk}"

    @classmethod
    def refuse(cls, changes: Sequence[Change], using: str) -> None:
        for change in changes:
            before = {} if change.before is None else change.before
            if touched := FIXED & before.keys():
                raise ValidationError(f"A document keeps its {min(touched).removesuffix('_id')}; hand in another.")
            if change.before is None or {"stage", "decision"} & before.keys():
                _refuse_state(before, change.row.stored())

    def complete(self) -> None:
        if self._state.adding and self.for_check_id is not None:  # a form may have refused it
            check = self.for_check
            self.case_id, self.individual_id, self.company_id = check.case_id, check.individual_id, check.company_id
            self.document_type_key = check.document_type_key
            refuse_misfit(check)


def refuse_misfit(check: Check) -> None:
    """Raises ValidationError unless files can be handed in for this check."""
    if check.type != CheckType.DOCUMENT:
        raise ValidationError(f"Only document checks take files; this one is of type {check.type}.", code="wrong_type")


def _refuse_state(before: Mapping[str, Any], stored: Mapping[str, Any]) -> None:
    """A document goes forward only: receivers were told of the stages that it has behind it."""
    stage, decision = stored["stage"], stored["decision"]
    if stage not in Stage.values:
        raise refused("stage", f"There is no stage {stage} of documents.", "unknown")
    if Stage.values.index(before.get("stage", stage)) > Stage.values.index(stage):
        raise ValidationError({"stage": f"A document that is {before['stage']} cannot be {stage} again."})
    if decision not in (Decision.values if stage == Stage.DECIDED else ("",)):
        raise ValidationError({"decision": f"A document that is {stage} cannot have the decision “{decision}”."})
    if stage == Stage.DECIDED and not _deciding.get():
        raise refused("decision", DECIDES, "not_deciding")


class DocumentFile(models.Model):
    """The bytes, in a table of their own: who lists documents does not load them, and workers anywhere reach them."""

    document = models.OneToOneField(Document, primary_key=True, on_delete=models.CASCADE, related_name="file")
    content = models.BinaryField()

    def __str__(self) -> str:
        return f"File of document {self.document_id}"

"""One model for the nine types of checks: what differs between them is in `data`."""

from __future__ import annotations

from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from cases.models import Case, Company, Individual
from workspaces.changes import Above, TrackedModel


class CheckType(models.TextChoices):
    ID_VERIFICATION = "id_verification", "ID verification"
    ID_DOCUMENT = "id_document", "ID document"
    AML = "aml", "AML"
    COMPANY_MONITORING = "company_monitoring"
    DOCUMENT = "document"
    EKYC = "ekyc", "eKYC"
    ELECTRONIC_SIGNATURE = "electronic_signature"
    FRAUD_DATABASE = "fraud_database"
    ONLINE_REPUTATION = "online_reputation"


# Who a type is about; the others (AML, document, fraud database) are about either.
ABOUT_INDIVIDUALS = ("id_verification", "id_document", "ekyc", "electronic_signature")
ABOUT_COMPANIES = ("company_monitoring", "online_reputation")


class CheckStatus(models.TextChoices):
    IN_PROGRESS = "in_progress"
    """Waits for what is to be checked, or for the vendor."""
    NEED_REVIEW = "need_review"
    PROCESSING = "processing"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"


class HitStatus(models.TextChoices):
    """Of an AML hit, and of an AML check as a whole (`match_status`)."""

    NO_MATCH = "no_match"
    POTENTIAL_MATCH = "potential_match"
    FALSE_POSITIVE = "false_positive"
    TRUE_POSITIVE = "true_positive"


class ListType(models.TextChoices):
    """The kinds of lists that AML screening searches."""

    SANCTION = "sanction"
    WARNING = "warning"
    FITNESS_PROBITY = "fitness_probity"
    PEP = "pep"
    ADVERSE_MEDIA = "adverse_media"
    LAW_ENFORCEMENT = "law_enforcement"
    SPECIAL_INTEREST_CATEGORIES = "special_interest_categories"
    REGULATORY_ENFORCEMENT = "regulatory_enforcement"
    OTHER_BODIES = "other_bodies"


class Check(TrackedModel):
    """Something to be verified about one individual or one company."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="checks", editable=False)
    """The case of the individual or company; filled in when it is created."""
    individual = models.ForeignKey(
        Individual, null=True, blank=True, on_delete=models.CASCADE, related_name="checks", db_index=False
    )
    company = models.ForeignKey(
        Company, null=True, blank=True, on_delete=models.CASCADE, related_name="checks", db_index=False
    )
    type = models.CharField(max_length=32, choices=CheckType.choices)
    status = models.CharField(max_length=16, choices=CheckStatus.choices, default=CheckStatus.IN_PROGRESS)
    subtype = models.CharField(max_length=255, blank=True, help_text="document_type:… or document_template:…")
    document_type_key = models.CharField(max_length=200, blank=True)
    is_internal = models.BooleanField(default=False, help_text="Not shown to the contacts of the case.")
    data = models.JSONField(default=dict, blank=True, help_text="Result, settings, review and the rest, by type.")

    locked_fields: ClassVar = frozenset({"status"})
    above: ClassVar = Above("case_id", by=frozenset({"status"}))

    class Meta(TrackedModel.Meta):
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(individual__isnull=True, company__isnull=False)
                | Q(individual__isnull=False, company__isnull=True),
                name="checks_check_has_one_subject",
                violation_error_message="A check is about exactly one individual or one company.",
            ),
            models.CheckConstraint(
                condition=~Q(type__in=ABOUT_INDIVIDUALS, individual__isnull=True)
                & ~Q(type__in=ABOUT_COMPANIES, company__isnull=True),
                name="checks_check_fits_its_subject",
                violation_error_message=(
                    "ID, eKYC and signature checks are about individuals; company monitoring and online reputation "
                    "about companies."
                ),
            ),
        ]
        indexes: ClassVar = [
            # The checks shown with an individual or a company, and those that go with it.
            models.Index(fields=["individual"], condition=Q(individual__isnull=False), name="checks_check_individual"),
            models.Index(fields=["company"], condition=Q(company__isnull=False), name="checks_check_company"),
            # A page of GET /v1/checks in its default order, of a workspace with many.
            models.Index(fields=["updated_at", "id"], name="checks_check_list"),
        ]

    def __str__(self) -> str:
        return f"{self.get_type_display()} check of {self.subject}"

    @property
    def subject(self) -> Individual | Company | None:
        return self.individual or self.company

    def clean(self) -> None:
        super().clean()
        if self.individual and self.company:
            raise ValidationError("A check is about exactly one individual or one company.")

    def complete(self) -> None:
        if self._state.adding and self.subject is not None:
            self.case_id = self.subject.case_id

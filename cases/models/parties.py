"""Who a case is about: individuals and companies. Text that is not given is "" here and null in the API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q

from workspaces.changes import Above, Change, TrackedModel

from . import party_rules, values
from .case import Case
from .choices import CompanyStatus, CompanyType, Gender, Role

# Dotfile's limit for names of companies.
COMPANY_NAME_LENGTH = 160
# Not Dotfile's: long enough for any person, place or register number, short enough for a page.
TEXT_LENGTH = 255

is_country = RegexValidator(r"\A[A-Z]{2}\Z", "Use the two letters of ISO 3166-1, such as FR.")
is_phone_number = RegexValidator(r"\A\+[1-9][0-9]{8,13}\Z", "Use E.164, such as +33123456789.")


def _text(length: int = TEXT_LENGTH) -> models.CharField[str, str]:
    return models.CharField(max_length=length, blank=True)


def _country() -> models.CharField[str, str]:
    return models.CharField(max_length=2, blank=True, validators=[is_country])


def _percentage() -> models.FloatField[float | None, float | None]:
    # Floats, as JSON has them: 33.33 arrives, is kept and leaves as 33.33.
    return models.FloatField(null=True, blank=True, validators=[MinValueValidator(0), MaxValueValidator(100)])


class Individual(TrackedModel):
    """A person in a case."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="individuals")
    roles = ArrayField(models.CharField(max_length=32, choices=Role.choices), default=list, blank=True)
    is_beneficial_owner = models.BooleanField(default=False)
    is_controlling_person = models.BooleanField(default=False)
    is_business_contact = models.BooleanField(default=False)
    is_delegator = models.BooleanField(default=False)
    is_signatory = models.BooleanField(default=False)
    is_relevant = models.BooleanField(default=True)
    first_name = models.CharField(max_length=TEXT_LENGTH)
    middle_name = _text()
    last_name = models.CharField(max_length=TEXT_LENGTH)
    maiden_name = _text()
    email = models.EmailField(blank=True)
    birth_date = models.DateField(null=True, blank=True)
    birth_country = _country()
    birth_place = _text()
    residence_country = _country()
    """Of Dotfile's first API; today's says `address.country`. Both are kept, as given."""
    gender = models.CharField(max_length=8, choices=Gender.choices, blank=True)
    nationalities = ArrayField(models.CharField(max_length=2, validators=[is_country]), null=True, blank=True)
    address = models.JSONField(default=dict, blank=True)
    banking_information = models.JSONField(null=True, blank=True)
    tax_identification_number = _text()
    social_security_number = _text()
    phone_number = models.CharField(max_length=15, blank=True, validators=[is_phone_number])
    position = _text()
    ownership_percentage = _percentage()
    voting_rights_percentage = _percentage()
    custom_properties = models.JSONField(default=dict, blank=True)

    # Whether somebody's checks count for the flags of the case depends on this.
    above: ClassVar = Above("case_id", by=frozenset({"is_relevant"}), by_new=False)

    class Meta(TrackedModel.Meta):
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(is_delegator=True, is_signatory=True),
                name="cases_individual_delegates_or_signs",
                violation_error_message=party_rules.DELEGATES_OR_SIGNS,
            ),
            models.CheckConstraint(
                condition=~Q(email="") | Q(is_business_contact=False, is_signatory=False),
                name="cases_individual_can_be_reached",
                violation_error_message=party_rules.CAN_BE_REACHED,
            ),
            models.CheckConstraint(
                condition=Q(is_relevant=True) | Q(is_delegator=False),
                name="cases_individual_delegator_is_relevant",
                violation_error_message=party_rules.DELEGATOR_IS_RELEVANT,
            ),
        ]
        indexes: ClassVar = [
            # A page of GET /v1/individuals in its default order, of a workspace with many.
            models.Index(fields=["created_at", "id"], name="cases_individual_list"),
            # Whose checks GET /v1/checks leaves out: few are not relevant.
            models.Index(fields=["id"], condition=Q(is_relevant=False), name="cases_individual_left_out"),
        ]

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}"

    def complete(self) -> None:
        if Role.BENEFICIAL_OWNER in self.roles:
            self.is_beneficial_owner = True

    @classmethod
    def refuse(cls, changes: Sequence[Change], using: str) -> None:
        values.refuse(changes)
        for change in changes:
            party_rules.refuse_individual(change.before, change.row.stored())


class Company(TrackedModel):
    """A company in a case: the one it is about (main), or one that has to do with it (affiliated)."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="companies")
    type = models.CharField(max_length=16, choices=CompanyType.choices, default=CompanyType.MAIN)
    name = models.CharField(max_length=COMPANY_NAME_LENGTH)
    commercial_name = _text(COMPANY_NAME_LENGTH)
    is_relevant = models.BooleanField(default=True)
    country = _country()
    registration_number = _text(180)
    registration_date = models.DateField(null=True, blank=True)
    status = models.CharField(max_length=16, choices=CompanyStatus.choices, default=CompanyStatus.NOT_REPORTED)
    legal_form = _text()
    entity_legal_form = models.CharField(max_length=4, blank=True, help_text="ISO 20275, such as 6CHY.")
    address = models.JSONField(default=dict, blank=True)
    classifications = models.JSONField(default=list, blank=True)
    banking_information = models.JSONField(default=dict, blank=True)
    share_capital = _text()
    tax_identification_number = _text()
    website_url = _text(2000)
    employer_identification_number = _text()
    custom_properties = models.JSONField(default=dict, blank=True)

    # As for individuals; and which types the others have decides on a new or changed type.
    above: ClassVar = Above("case_id", by=frozenset({"is_relevant", "type"}), by_new=False, locked_by_new=True)

    class Meta(TrackedModel.Meta):
        verbose_name_plural = "companies"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["case"],
                condition=Q(type=CompanyType.MAIN),
                name="cases_company_one_main",
                violation_error_message=party_rules.ONE_MAIN,
            ),
            models.CheckConstraint(
                condition=Q(is_relevant=True) | Q(type=CompanyType.AFFILIATED),
                name="cases_company_main_is_relevant",
                violation_error_message=party_rules.MAIN_IS_RELEVANT,
            ),
        ]
        # A page of GET /v1/companies in its default order, of a workspace with many.
        indexes: ClassVar = [models.Index(fields=["created_at", "id"], name="cases_company_list")]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def refuse(cls, changes: Sequence[Change], using: str) -> None:
        values.refuse(changes)
        for change in changes:
            party_rules.refuse_company(change.before, change.row.stored())
        typed = [change for change in changes if change.before is None or "type" in change.before]
        if typed:
            known = cls.objects.using(using).filter(case__in={change.row.stored()["case_id"] for change in typed})
            party_rules.refuse_types(typed, known.values("pk", "case_id", "type"))

    @classmethod
    def refuse_deletion(cls, rows: Sequence[Company], using: str) -> None:
        mains = {row.stored()["case_id"] for row in rows if row.stored()["type"] == CompanyType.MAIN}
        others = cls.objects.using(using).filter(case__in=mains).exclude(pk__in=[row.pk for row in rows])
        if mains and others.exists():
            raise ValidationError(party_rules.MAIN_STAYS, code="main")

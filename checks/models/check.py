"""One model for the nine types of checks: what differs between them is in `data`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from cases.models import Case, Company, Individual
from checks.aml import has_open_hits
from checks.choices import ABOUT_COMPANIES, ABOUT_INDIVIDUALS, DECIDED, STAYS_AFTER_ITS_DAY, CheckStatus, CheckType
from checks.data import refuse_members
from workspaces.changes import Above, Change, TrackedManager, TrackedModel, TrackedQuerySet
from workspaces.refusals import refused

from . import rules
from .starting import begin

# What a check is about, and how it is checked: other checks, not other values of this one.
FIXED = frozenset({"case_id", "individual_id", "company_id", "type"})
OPEN_HITS = "Review all hits that are potential matches first."


class CheckQuerySet(TrackedQuerySet["Check"]):
    def bulk_create(self, objs: Iterable[Check], *args: Any, **kwargs: Any) -> list[Check]:
        """As of all rows; what the checks begin with is looked up for all at once."""
        rows = list(objs)
        begin(rows)
        for row in rows:
            row.has_begun = True
        try:
            return super().bulk_create(rows, *args, **kwargs)
        finally:
            for row in rows:
                row.has_begun = False


class CheckManager(TrackedManager["Check"]):
    def get_queryset(self) -> CheckQuerySet:
        return CheckQuerySet(self.model, using=self._db)


class Check(TrackedModel):
    """Something to be verified about one individual or one company."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="checks", editable=False, db_index=False)
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
    expires_at = models.DateField(
        null=True, blank=True, help_text="The last day on which the check is valid; the day after, it expires."
    )

    objects: ClassVar = CheckManager()
    has_begun = False
    """While many are created at once: begin() was called for all of them."""

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
            # The checks of a case; and the count of a workspace's, which needs no row of the table: these are wide.
            models.Index(fields=["case"], include=["individual"], name="checks_check_case"),
            # The checks shown with an individual or a company, and those that go with it.
            models.Index(fields=["individual"], condition=Q(individual__isnull=False), name="checks_check_individual"),
            models.Index(fields=["company"], condition=Q(company__isnull=False), name="checks_check_company"),
            # A page of GET /v1/checks in its default order, of a workspace with many.
            models.Index(fields=["updated_at", "id"], name="checks_check_list"),
            # Which checks expire today: services.expire_checks.
            models.Index(
                fields=["expires_at", "id"],
                condition=Q(expires_at__isnull=False) & ~Q(status__in=STAYS_AFTER_ITS_DAY),
                name="checks_check_expiry",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_type_display()} check of {self.subject}"

    @property
    def subject(self) -> Individual | Company | None:
        return self.individual or self.company

    @classmethod
    def refuse(cls, changes: Sequence[Change], using: str) -> None:
        for change in changes:
            before = {} if change.before is None else change.before
            if touched := FIXED & before.keys():
                raise ValidationError(f"A check keeps its {min(touched).removesuffix('_id')}; start another instead.")
            if change.before is None or "data" in before:
                refuse_members(change.row.stored()["type"], change.row.stored()["data"], before.get("data"))
            if change.before is None or {"status", "data"} & before.keys():
                _refuse_state(before, change.row.stored())

    def complete(self) -> None:
        if self._state.adding and not self.has_begun:
            begin([self])
        self._keep_day()

    def _keep_day(self) -> None:
        """What is found out about a document's last day is written into `data`; the clock goes by a column."""
        told = _day_in(self.__dict__.get("data"))
        if told != _day_in(self._loaded.get("data")) and "expires_at" in self.__dict__:
            self.expires_at = as_day(told)


def _refuse_state(before: Mapping[str, Any], stored: Mapping[str, Any]) -> None:
    """`before` is empty when the check is new."""
    rules.refuse_unknown(stored["status"])
    if "status" in before:
        rules.refuse_step(before["status"], stored["status"])
    elif has_open_hits(before.get("data")):
        return  # they were open when it was decided, before there was this rule
    if stored["status"] in DECIDED and has_open_hits(stored["data"]):
        raise refused("status", OPEN_HITS, "open_hits")


def _day_in(data: Any) -> str | None:
    information = data.get("information") if isinstance(data, dict) else None
    return information.get("expiration_date") if isinstance(information, dict) else None


def as_day(text: Any) -> date | None:
    """None for what is no date: a vendor may have read anything."""
    try:
        return date.fromisoformat(text)
    except (TypeError, ValueError):
        return None

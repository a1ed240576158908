"""The words of Dotfile's API for checks."""

from __future__ import annotations

from django.db.models import TextChoices


class CheckType(TextChoices):
    ID_VERIFICATION = "id_verification", "ID verification"
    ID_DOCUMENT = "id_document", "ID document"
    AML = "aml", "AML"
    COMPANY_MONITORING = "company_monitoring"
    DOCUMENT = "document"
    EKYC = "ekyc", "eKYC"
    ELECTRONIC_SIGNATURE = "electronic_signature"
    FRAUD_DATABASE = "fraud_database"
    ONLINE_REPUTATION = "online_reputation"

    @property
    def schema(self) -> str:
        """What a check of this type is called in descriptions of the API: AmlCheck, IdDocumentCheck, ..."""
        return f"{self.title().replace('_', '')}Check"


# Who a type is about; the others (AML, document, fraud database) are about either.
ABOUT_INDIVIDUALS = ("id_verification", "id_document", "ekyc", "electronic_signature")
ABOUT_COMPANIES = ("company_monitoring", "online_reputation")


class CheckStatus(TextChoices):
    IN_PROGRESS = "in_progress"
    """Waits for what is to be checked, or for the vendor."""
    NEED_REVIEW = "need_review"
    PROCESSING = "processing"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"


DECIDED = (CheckStatus.APPROVED, CheckStatus.REJECTED)
WAITING = (CheckStatus.IN_PROGRESS, CheckStatus.PROCESSING)
"""There is no result yet."""
STAYS_AFTER_ITS_DAY = (CheckStatus.REJECTED, CheckStatus.EXPIRED)
"""A check with one of these does not expire (again)."""


class Result(TextChoices):
    """What came of a check: the vendor's word at first, the verdict once there is one."""

    APPROVED = "approved"
    REJECTED = "rejected"
    ERROR = "error"


class HitStatus(TextChoices):
    """Of an AML hit, and of an AML check as a whole (`match_status`)."""

    NO_MATCH = "no_match"
    POTENTIAL_MATCH = "potential_match"
    FALSE_POSITIVE = "false_positive"
    TRUE_POSITIVE = "true_positive"


class ListType(TextChoices):
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


# The lists that a search can be told to use; the vendor may still report others.
SEARCHABLE = ("sanction", "warning", "fitness_probity", "pep", "adverse_media")


class AlertCategory(TextChoices):
    """What a monitored company may be in the news for."""

    FINANCIAL_CHANGES = "financial_changes"
    LEGAL_AND_COMPLIANCE = "legal_and_compliance"
    COMPANY_STATUS = "company_status"
    OPERATIONAL_CHANGES = "operational_changes"
    DEBT_AND_COLLECTION = "debt_and_collection"
    SHAREHOLDER_CHANGES = "shareholder_changes"
    OTHER = "other"


class EntityType(TextChoices):
    """Whom a type of document is of."""

    COMPANY = "company"
    INDIVIDUAL = "individual"

"""The words of Dotfile's API for cases and parties."""

from __future__ import annotations

from django.db.models import TextChoices


class CaseStatus(TextChoices):
    """`draft` and `open` are set by editing, the others by a review."""

    DRAFT = "draft"
    OPEN = "open"
    APPROVED = "approved"
    REJECTED = "rejected"
    CLOSED = "closed"


class ReviewStatus(TextChoices):
    """What a review may decide."""

    APPROVED = "approved"
    REJECTED = "rejected"
    CLOSED = "closed"


class ReviewerType(TextChoices):
    USER = "user"
    SYSTEM = "system"
    API = "api"


class CaseFlag(TextChoices):
    ALL_CHECKS_APPROVED = "all_checks_approved"
    FOR_REVIEW = "for_review"
    FOR_FIRST_COLLECT = "for_first_collect"
    FOR_RECOLLECTION = "for_recollection"
    FIRST_COLLECT_COMPLETED = "first_collect_completed"


class RiskLevel(TextChoices):
    NOT_DEFINED = "not_defined"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"
    PROHIBITED = "prohibited"


class RiskMode(TextChoices):
    AUTOMATIC = "automatic"
    MANUAL = "manual"


class PortalType(TextChoices):
    """Of a client portal: whether companies or individuals use it."""

    KYB = "KYB", "KYB"
    KYC = "KYC", "KYC"


class AuthorType(TextChoices):
    """Who wrote a note."""

    USER = "user"
    API = "api"


class Role(TextChoices):
    LEGAL_REPRESENTATIVE = "legal_representative"
    SHAREHOLDER = "shareholder"
    BENEFICIAL_OWNER = "beneficial_owner"
    """Of Dotfile's first API; today's says `is_beneficial_owner`. Both are kept."""


class Gender(TextChoices):
    MALE = "male"
    FEMALE = "female"
    OTHER = "other"


class CompanyType(TextChoices):
    MAIN = "main"
    AFFILIATED = "affiliated"


class CompanyStatus(TextChoices):
    LIVE = "live"
    CLOSED = "closed"
    NOT_REPORTED = "not_reported"

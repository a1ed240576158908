"""The rows of a case file."""

from .case import Case, Tag, Template
from .choices import (
    AuthorType,
    CaseFlag,
    CaseStatus,
    CompanyStatus,
    CompanyType,
    Gender,
    PortalType,
    ReviewerType,
    ReviewStatus,
    RiskLevel,
    RiskMode,
    Role,
)
from .notes import Note, NoteComment
from .parties import Company, Individual
from .review import CaseReview

__all__ = [
    "AuthorType",
    "Case",
    "CaseFlag",
    "CaseReview",
    "CaseStatus",
    "Company",
    "CompanyStatus",
    "CompanyType",
    "Gender",
    "Individual",
    "Note",
    "NoteComment",
    "PortalType",
    "ReviewStatus",
    "ReviewerType",
    "RiskLevel",
    "RiskMode",
    "Role",
    "Tag",
    "Template",
]

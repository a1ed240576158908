"""The rows of a case file."""

from .case import Case, CaseReview, Tag, Template
from .choices import (
    CaseFlag,
    CaseStatus,
    CompanyStatus,
    CompanyType,
    Gender,
    ReviewerType,
    ReviewStatus,
    Role,
)
from .parties import Company, Individual

__all__ = [
    "Case",
    "CaseFlag",
    "CaseReview",
    "CaseStatus",
    "Company",
    "CompanyStatus",
    "CompanyType",
    "Gender",
    "Individual",
    "ReviewStatus",
    "ReviewerType",
    "Role",
    "Tag",
    "Template",
]

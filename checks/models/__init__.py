"""The rows of checks."""

from checks.choices import (
    ABOUT_COMPANIES,
    ABOUT_INDIVIDUALS,
    DECIDED,
    STAYS_AFTER_ITS_DAY,
    WAITING,
    CheckStatus,
    CheckType,
    EntityType,
    HitStatus,
    ListType,
    Result,
)
from checks.documents.models import Document, DocumentFile
from checks.files.models import CheckFile, Upload

from .check import Check
from .document_types import DocumentType

__all__ = [
    "ABOUT_COMPANIES",
    "ABOUT_INDIVIDUALS",
    "DECIDED",
    "STAYS_AFTER_ITS_DAY",
    "WAITING",
    "Check",
    "CheckFile",
    "CheckStatus",
    "CheckType",
    "Document",
    "DocumentFile",
    "DocumentType",
    "EntityType",
    "HitStatus",
    "ListType",
    "Result",
    "Upload",
]

"""The admin of checks."""

from . import checks, document_types

__all__ = ["checks", "document_types"]

"""What checks of each type say (`Check.data`): plain functions on JSON, no queries."""

from .beginnings import About, begun, whole
from .document_types import STANDARD, shown_type
from .members import refuse_members
from .merging import merged, unknown_names
from .parts import Json
from .settings import KEYS, automatic

__all__ = [
    "KEYS",
    "STANDARD",
    "About",
    "Json",
    "automatic",
    "begun",
    "merged",
    "refuse_members",
    "shown_type",
    "unknown_names",
    "whole",
]

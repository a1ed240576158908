"""Which operations of a document the API has, by its own addresses."""

from __future__ import annotations

from typing import Any

from django.urls import Resolver404, resolve

from dotfile_hooks.dev.conformance.operations import PLACE, Operation

SOMEBODY = "00000000-0000-4000-8000-000000000000"
"""In place of a path's parameter. A word would be another address: /v1/checks/aml is that of a type."""


def is_served(operation: Operation) -> bool:
    """Whether a view answers this method at this path."""
    try:
        view: Any = resolve(PLACE.sub(SOMEBODY, operation.path)).func
    except Resolver404:
        return False
    if (actions := getattr(view, "actions", None)) is not None:
        return operation.method in actions
    return hasattr(getattr(view, "cls", None), operation.method)

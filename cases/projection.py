"""Cases and parties as the API and the webhooks show them: what other apps import."""

from __future__ import annotations

from typing import Any

from . import shapes
from .noted import load_notes, note, note_comment
from .related import (
    USER_FIELDS,
    CaseRelated,
    load_case_contexts,
    load_check_summaries,
    load_company_contexts,
    load_individual_contexts,
    load_related,
    load_tags,
    use_checks,
)
from .shapes import (
    Json,
    Row,
    case_context,
    case_deleted,
    company,
    company_context,
    company_deleted,
    company_listed,
    individual,
    individual_context,
    individual_deleted,
    individual_listed,
    review,
    user,
)

__all__ = [
    "USER_FIELDS",
    "CaseRelated",
    "case_context",
    "case_created",
    "case_deleted",
    "case_detailed",
    "case_list_item",
    "case_updated",
    "company",
    "company_context",
    "company_deleted",
    "company_listed",
    "individual",
    "individual_context",
    "individual_deleted",
    "individual_listed",
    "load_case_contexts",
    "load_check_summaries",
    "load_company_contexts",
    "load_individual_contexts",
    "load_notes",
    "load_related",
    "load_tags",
    "note",
    "note_comment",
    "review",
    "use_checks",
    "user",
]


def case_detailed(row: Row, related: CaseRelated) -> Json:
    """Schema CaseDetailed."""
    return _case(row, related) | {
        "custom_properties": row["custom_properties"],
        "controls": [],
        "individuals": related.individuals,
        "companies": related.companies,
        "assignee": related.users.get(str(row["assignee_id"])),
        "client_portal": row["client_portal"],
    }


def case_created(row: Row, related: CaseRelated) -> Json:
    """Schema CaseCreateResponse."""
    return case_detailed(row, related) | {"assignee_id": shapes.text_id(row["assignee_id"])}


def case_list_item(row: Row, related: CaseRelated) -> Json:
    """Schema CaseList."""
    return _case(row, related) | {"assignee_id": shapes.text_id(row["assignee_id"])}


def case_updated(row: Row, related: CaseRelated) -> Json:
    """Schema Case."""
    return case_list_item(row, related) | {"custom_properties": row["custom_properties"]}


def _case(row: Row, related: CaseRelated) -> Json:
    template: Any = related.templates.get(str(row["template_id"]))
    return shapes.case(row, related.review, template, related.tags)

"""What happens to cases. Refusals are sentences (ValidationError), and leave nothing behind."""

from cases.models.rules import DECISIONS, refuse_decision

from .creating import add_company, create_case
from .notes import add_comment, add_note, edit
from .portal import complete_wait_steps, open_portal, portal_with, trigger_wait_step
from .reviews import confirms, reschedule_review, review_case, tell_due_reviews, usual_next_review
from .risk import assess_risk, assessed
from .tags import create_tag, pick_tags, rename_tag, resolve_tags

__all__ = [
    "DECISIONS",
    "add_comment",
    "add_company",
    "add_note",
    "assess_risk",
    "assessed",
    "complete_wait_steps",
    "confirms",
    "create_case",
    "create_tag",
    "edit",
    "open_portal",
    "pick_tags",
    "portal_with",
    "refuse_decision",
    "rename_tag",
    "reschedule_review",
    "resolve_tags",
    "review_case",
    "tell_due_reviews",
    "trigger_wait_step",
    "usual_next_review",
]

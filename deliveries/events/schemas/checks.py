"""Checks as checks.projection shows them, and documents."""

from __future__ import annotations

from checks.models import ABOUT_COMPANIES, ABOUT_INDIVIDUALS, CheckStatus, CheckType

from . import check_data
from .words import (
    COUNT,
    FLAG,
    MOMENT,
    NOTHING,
    TEXT,
    UUID,
    Schema,
    listing,
    nullable,
    obj,
    one_of,
    only,
    ref,
    same,
    told,
)

_STATUS = {"status": one_of(CheckStatus.values)}
_SUMMARY: dict[str, Schema] = {
    "id": UUID,
    **same(nullable(UUID), "individual_id", "company_id"),
    **_STATUS,
    "type": one_of(CheckType.values),
    "subtype": told(nullable(TEXT), "`document_type:…` or `document_template:…`."),
}
_KEY = {"document_type_key": told(TEXT, "Of document checks only.")}


TYPED: dict[str, str] = {kind.value: kind.schema for kind in CheckType}
"""The schema of each type: AmlCheck, IdDocumentCheck, ..."""


def _typed(kind: str) -> Schema:
    about = {
        "individual_id": NOTHING if kind in ABOUT_COMPANIES else UUID if kind in ABOUT_INDIVIDUALS else nullable(UUID),
        "company_id": NOTHING if kind in ABOUT_INDIVIDUALS else UUID if kind in ABOUT_COMPANIES else nullable(UUID),
    }
    has_subtype = kind in (CheckType.DOCUMENT, CheckType.ELECTRONIC_SIGNATURE)
    return obj(
        {
            "id": UUID,
            **about,
            "is_internal": FLAG,
            **_STATUS,
            "type": only(kind),
            "subtype": TEXT if has_subtype else nullable(TEXT),
            "last_activity_at": MOMENT,
            "data": obj({"result": check_data.OUTCOME, "review": ref("Review"), **check_data.DATA[kind]}),
        }
    )


DEFINITIONS: dict[str, Schema] = {
    "Review": obj(
        {
            "comment": nullable(TEXT),
            "reviewed_at": nullable(MOMENT),
            "reviewer_type": nullable(one_of(("user", "system", "api"))),
            "user": nullable(ref("User")),
        }
    ),
    "CheckSummary": obj(
        {**_SUMMARY, "is_internal": FLAG, **same(MOMENT, "created_at", "updated_at", "last_activity_at")}, _KEY
    ),
    "Check": {
        "oneOf": [ref(name) for name in TYPED.values()],
        "discriminator": {"propertyName": "type", "mapping": {kind: ref(name)["$ref"] for kind, name in TYPED.items()}},
    },
    **{name: _typed(kind) for kind, name in TYPED.items()},
    "AmlHit": check_data.AML_HIT,
    "FraudSignals": check_data.FRAUD_SIGNALS,
    "Finding": obj({**same(TEXT, "code", "message"), "severity": one_of(("note", "doubt", "reject"))}),
    "Document": obj(
        {
            **same(UUID, "id", "case_id", "check_id"),
            **same(nullable(UUID), "individual_id", "company_id"),
            **same(TEXT, "document_type_key", "name", "content_type"),
            "size": told(COUNT, "Bytes."),
            "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
            "stage": one_of(("received", "extracted", "analyzed", "decided")),
            "fields": told({"type": "object"}, "What was read, by name."),
            "findings": listing(ref("Finding")),
            "decision": nullable(one_of(("accepted", "rejected", "review_required"))),
            "received_at": MOMENT,
            **same(nullable(MOMENT), "extracted_at", "analyzed_at", "decided_at"),
        }
    ),
}

REMAINS: dict[str, Schema] = {"CheckDeleted": obj(_SUMMARY, _KEY)}

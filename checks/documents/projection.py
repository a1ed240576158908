"""Documents as the webhooks show them. A row is what `values()` gives, or the same as recorded in JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workspaces.timestamps import iso

KEYS = ("id", "case_id", "for_check_id", "individual_id", "company_id")
PLAIN = ("document_type_key", "name", "content_type", "size", "sha256", "stage", "fields", "findings")
TIMES = ("extracted_at", "analyzed_at", "decided_at")


def document(row: Mapping[str, Any]) -> dict[str, Any]:
    keys = {name.removeprefix("for_"): None if row[name] is None else str(row[name]) for name in KEYS}
    return {
        **keys,
        **{name: row[name] for name in PLAIN},
        "decision": row["decision"] or None,
        "received_at": iso(row["created_at"]),
        **{name: iso(row[name]) for name in TIMES},
    }

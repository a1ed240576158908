"""Checks as the API and the webhooks show them: plain functions from rows to JSON-ready dicts.

A row is what `Check.objects.values()` gives, or the same as recorded in JSON (identifiers and times are text then).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from cases.shapes import day
from workspaces.compiled import ByKeys
from workspaces.timestamps import iso

from .data import About, whole
from .models import DECIDED, Check

Row = Mapping[str, Any]
Json = dict[str, Any]

# All but `data`, which can be long and which a summary does not show.
SUMMARY_FIELDS = (
    "id",
    "individual_id",
    "company_id",
    "is_internal",
    "status",
    "type",
    "subtype",
    "document_type_key",
    "created_at",
    "updated_at",
)


def _id(value: UUID | str | None) -> str | None:
    return None if value is None else str(value)


def check_deleted(row: Row) -> Json:
    """Schema CheckDeleted."""
    shown: Json = {
        "id": str(row["id"]),
        "individual_id": _id(row["individual_id"]),
        "company_id": _id(row["company_id"]),
        "status": row["status"],
        "type": row["type"],
        "subtype": row["subtype"] or None,
    }
    return shown | {"document_type_key": row["document_type_key"]} if row["type"] == "document" else shown


def check(row: Row) -> Json:
    """The schema of the check's type, with `data`."""
    return {
        "id": str(row["id"]),
        "individual_id": _id(row["individual_id"]),
        "company_id": _id(row["company_id"]),
        "is_internal": row["is_internal"],
        "status": row["status"],
        "type": row["type"],
        "subtype": row["subtype"] or None,
        "last_activity_at": iso(row["updated_at"]),
        "data": _shown_data(row),
    }


def whole_data(row: Row) -> Json:
    """Its data, with every key that Dotfile's schema of the type requires."""
    key = row["subtype"].partition(":")[2]
    about = About(str(row["id"]), iso(row["created_at"]), row["company_id"] is not None, key)
    return whole(row["type"], about, row["data"])


def _shown_data(row: Row) -> Json:
    """A verdict is the result, however it came about; a document's last day is the one that the clock goes by."""
    data = whole_data(row)
    if row["status"] in DECIDED:
        data["result"] = str(row["status"])
    # An event recorded before there was the column does not have it.
    if (last := row.get("expires_at")) and "expiration_date" in data.get("information", ()):
        data["information"] = data["information"] | {"expiration_date": day(last)}
    return data


def check_summary(row: Row) -> Json:
    """Schema Check."""
    return check_deleted(row) | {
        "is_internal": row["is_internal"],
        "created_at": iso(row["created_at"]),
        "updated_at": iso(row["updated_at"]),
        "last_activity_at": iso(row["updated_at"]),
    }


_of_parties = ByKeys(Check.objects.order_by("created_at", "id").values(*SUMMARY_FIELDS), "individual_id", "company_id")


def load_summaries(party_ids: Collection[UUID], exclude_internal: bool = False) -> dict[UUID, list[Json]]:
    """The checks of individuals and companies, oldest first, by the identifier of whom they are about; one query."""
    found: defaultdict[UUID, list[Json]] = defaultdict(list)
    for row in _of_parties.rows(party_ids):
        if not (exclude_internal and row["is_internal"]):
            found[row["individual_id"] or row["company_id"]].append(check_summary(row))
    return found

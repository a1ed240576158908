"""The data of an AML check: what was searched, what was found, what people made of it. Pure functions on JSON."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from workspaces.identifiers import new_id

from .models import HitStatus, ListType

Json = dict[str, Any]

# The API's word for the kind of search that is set up here; the vendor's own names of things are not needed.
VENDOR = "comply_advantage"
# Dotfile's limit for one review of hits.
HITS_PER_REVIEW = 100
# What a search uses that does not say otherwise.
SETTINGS: Json = {
    "fuzziness": 0.5,
    "exact_match": False,
    "list_types": ["sanction", "warning", "fitness_probity", "pep"],
    "enable_entity_filter": True,
}
NO_REVIEW: Json = {"comment": None, "reviewed_at": None, "reviewer_type": None, "user": None}
# The strongest word among the hits is the check's.
_STRONGEST = (HitStatus.POTENTIAL_MATCH, HitStatus.TRUE_POSITIVE, HitStatus.FALSE_POSITIVE)


@dataclass(frozen=True)
class NewHit:
    """A name on a list, as the vendor reports it."""

    name: str = field(repr=False)
    list_types: Sequence[ListType]


def started(check_id: UUID, at: str, settings: Json) -> Json:
    """The data of a check that was just started."""
    return {
        "result": None,
        "settings": {"vendor": VENDOR, "profile_id": None, **SETTINGS, **settings},
        "vendor": {
            "name": VENDOR,
            "is_search_monitored": False,
            "created_at": at,
            "search_url": "",
            "search_id": str(check_id),
            "search_ref": str(check_id),
        },
        "review": NO_REVIEW,
        **_summary([]),
    }


def with_hits(data: Json, hits: Iterable[NewHit]) -> Json:
    return data | _summary([_hit(hit) for hit in hits])


def _hit(hit: NewHit) -> Json:
    key = str(new_id())
    vendor = {"name": VENDOR, "hit_id": key, "updated_by_monitoring_status": None, "updated_by_monitoring_at": None}
    return {
        "id": key,
        "name": hit.name,
        "list_types": [str(word) for word in hit.list_types],
        "status": HitStatus.POTENTIAL_MATCH.value,
        "review": NO_REVIEW,
        "vendor": vendor,
    }


def reviewed(data: Json, hit_ids: Collection[str], status: HitStatus, review: Json) -> Json:
    """The data with this verdict on these hits."""
    verdict = {"status": status.value, "review": review}
    return data | _summary([hit | verdict if hit["id"] in hit_ids else hit for hit in data["hits"]])


def has_open_hits(data: Json) -> bool:
    return any(hit["status"] == HitStatus.POTENTIAL_MATCH for hit in data.get("hits", ()))


def _summary(hits: list[Json]) -> Json:
    statuses = {hit["status"] for hit in hits}
    match = next((word for word in _STRONGEST if word in statuses), HitStatus.NO_MATCH)
    lists = dict.fromkeys(word for hit in hits for word in hit["list_types"])
    return {"match_status": match.value, "hits_list_types": list(lists), "hits": hits}

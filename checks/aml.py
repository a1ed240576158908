"""The data of an AML check: what was searched, what was found, what people made of it. Pure functions on JSON."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError

from workspaces.identifiers import new_id

from .choices import HitStatus, ListType

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


def parse_hits(lines: Iterable[str]) -> list[NewHit]:
    """Hits written as `NAME:LIST[,LIST]`, by hand. Empty lines are none. Raises ValidationError."""
    return [_parse_hit(line) for line in lines if line.strip()]


def _parse_hit(text: str) -> NewHit:
    name, _, lists = text.rpartition(":")
    words = [word.strip() for word in lists.split(",")]
    if not name.strip() or not set(words) <= set(ListType.values):
        raise ValidationError(f"Write a hit as NAME:LIST with lists of {', '.join(ListType.values)}.")
    return NewHit(name.strip(), [ListType(word) for word in words])


def begun(check_id: str, at: str) -> Json:
    """What a search says that has found nothing yet."""
    return {
        "vendor": {
            "name": VENDOR,
            "is_search_monitored": False,
            "created_at": at,
            "search_url": "",
            "search_id": check_id,
            "search_ref": check_id,
        },
        **_summary([]),
    }


def with_hits(data: Json, hits: Iterable[NewHit], monitored_at: str | None = None) -> Json:
    """The data with these hits beside those it has. `monitored_at`: when the monitoring of the search found them."""
    found = [_hit(hit, monitored_at) for hit in hits]
    return data | _summary([*data.get("hits", ()), *found])


def _hit(hit: NewHit, monitored_at: str | None) -> Json:
    key = str(new_id())
    found_by = {"updated_by_monitoring_status": monitored_at and "new", "updated_by_monitoring_at": monitored_at}
    return {
        "id": key,
        "name": hit.name,
        "list_types": [str(word) for word in hit.list_types],
        "status": HitStatus.POTENTIAL_MATCH.value,
        "review": NO_REVIEW,
        "vendor": {"name": VENDOR, "hit_id": key, **found_by},
    }


def reviewed(data: Json, hit_ids: Collection[str], status: HitStatus, review: Json) -> Json:
    """The data with this verdict on these hits."""
    verdict = {"status": status.value, "review": review}
    return data | _summary([hit | verdict if hit["id"] in hit_ids else hit for hit in data["hits"]])


def has_open_hits(data: Any) -> bool:
    hits = data.get("hits") if isinstance(data, dict) else None
    return any(hit["status"] == HitStatus.POTENTIAL_MATCH for hit in hits or ())


def _summary(hits: list[Json]) -> Json:
    statuses = {hit["status"] for hit in hits}
    match = next((word for word in _STRONGEST if word in statuses), HitStatus.NO_MATCH)
    lists = dict.fromkeys(word for hit in hits for word in hit["list_types"])
    return {"match_status": match.value, "hits_list_types": list(lists), "hits": hits}

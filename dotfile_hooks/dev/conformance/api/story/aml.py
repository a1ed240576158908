"""AML screening: hits, their review, monitoring."""

from __future__ import annotations

from dotfile_hooks.dev.conformance.api.client import Client

from .checks import REVIEWS, subjects
from .place import Place

LISTS = ["sanction", "warning", "fitness_probity", "pep", "adverse_media"]
SETTINGS = {"fuzziness": 0.25, "exact_match": True, "list_types": LISTS, "enable_entity_filter": True}
AML = "/v1/checks/aml/{id}"


def tell(client: Client, place: Place) -> None:
    person, company = subjects(client)
    for subject in ({"individual_id": person}, {"company_id": company}):
        check = client.post("/v1/checks/aml", body=subject | {"settings": SETTINGS})["id"]
        client.get(AML, check)
        place.find_result(check)
        first, second = (hit["id"] for hit in client.get(AML, check)["data"]["hits"])
        told = {"action": "ignore", "hit_ids": [first], "comment": "Somebody else."}
        client.patch(AML + "/hits/review", check, body=told)
        client.patch(AML + "/hits/review", check, body={"action": "confirm", "hit_ids": [second]})
        for is_monitored in (True, False):
            client.patch(AML + "/monitoring", check, body={"is_monitored": is_monitored})
        for review in REVIEWS:
            client.patch(AML + "/review", check, body=review)

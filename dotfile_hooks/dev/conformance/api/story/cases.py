"""Cases, from the first call to a verdict."""

from __future__ import annotations

from dotfile_hooks.dev.conformance.api.client import Client

from .bodies import COMPANIES, NO_RELATIONS, PEOPLE, PROPERTIES, Body
from .place import Place

CASES, CASE = "/v1/cases", "/v1/cases/{id}"
NOBODY: Body = dict.fromkeys(("template_key", "template_id", "assignee_id", "metadata"))


def tell(client: Client, place: Place) -> None:
    case = open_all(client, place)
    client.get(CASES)
    client.get(CASE, case["id"])
    client.get(CASE, "exteid-3")
    edit(client, place, case["id"])
    decide(client, case["id"])
    complete(client, place)


def open_all(client: Client, place: Place) -> Body:
    """Answers with the first, of which all is said."""
    parts = {"individuals": _referred("person", PEOPLE), "companies": _referred("company", COMPANIES)}
    more = {"external_id": "exteid-3", "metadata": {"count": "42"}, "tags": ["High risk"], "status": "open"}
    about = {"assignee_id": str(place.person.pk), "custom_properties": PROPERTIES}
    case: Body = client.post(CASES, body={"name": "Dotfile", "template_key": "kyb", **more, **about, **parts})
    by_id = {"template_id": str(place.template.pk), "space_slug": "space_7hk92Q75dm0a", "status": "draft"}
    client.post(CASES, body={"name": "A draft", **by_id})
    client.post(CASES, body={"name": "Of nobody", "space_slug": None, "tags": None, **NOBODY})
    return case


def _referred(word: str, bodies: list[Body]) -> list[Body]:
    """With a name each, by which relations of the same body could refer to it."""
    return [body | NO_RELATIONS | {"ref": f"{word}-{number}"} for number, body in enumerate(bodies)]


def edit(client: Client, place: Place, case: str) -> None:
    template = {"template_id": str(place.template.pk)}
    known = {"external_id": "exteid-4", "assignee_id": str(place.person.pk), "metadata": {"key": "value"}}
    for body in (
        {"name": "Dotfile SAS", "custom_properties": PROPERTIES, "status": "draft"},
        {"status": "open", **NOBODY},
        {**template, **known},
        {"template_key": place.template.key},
    ):
        client.patch(CASE, case, body=body)


def decide(client: Client, case: str) -> None:
    for level in client.words("POST /v1/cases/{id}/risks", "level") or ["high"]:
        told = {"score": 72, "components": {"country": 40, "sector": 32.5}, "flags": {"pep": True}}
        client.post("/v1/cases/{id}/risks", case, body={"level": level, **told})
    before = {"comment": "A forged paper.", "reviewed_at": "2023-01-31T13:30:00.000Z"}
    for body in (
        {"status": "approved", "next_review_at": "2035-01-31"},
        {"status": "approved", "next_review_at": None, **before},
        {"status": "rejected", **before},
        {"status": "closed", **before},
    ):
        client.post("/v1/cases/{id}/reviews", case, body=body)


def complete(client: Client, place: Place) -> None:
    path = "/v1/cases/{id}/complete-client-portal-wait-step"
    case: str = client.post(CASES, body={"name": "In the portal", "status": "draft"})["id"]
    place.wait_in_portal(case)
    portal = client.get(CASE, case)["client_portal"]
    client.post(path, case, body={"client_portal_id": portal["id"], "wait_step_key": "documents"})
    client.post(path, case, body={})

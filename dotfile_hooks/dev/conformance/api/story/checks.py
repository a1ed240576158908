"""Checks of each type that has neither hits nor a list of files: started, read, reviewed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dotfile_hooks.dev.conformance.api.client import Client
from dotfile_hooks.dev.conformance.changes.documents import PICTURE

from .bodies import Body
from .place import Place

AUTOMATIC = {"automatic_approval": True, "automatic_rejection": False}
REVIEWS: list[Body] = [
    {"action": "approve", "comment": None},
    {"action": "reject", "comment": "A forged paper.", "override": True},
]
SUBJECTS: Body = {"name": "Checks", "individuals": [{"first_name": "Jane", "last_name": "ROE"}]}
COMPANY: Body = {"name": "Test Inc."}


def tell(client: Client, place: Place) -> None:
    person, company = subjects(client)
    for name, body in _about(client, person, company):
        check = client.post(f"/v1/checks/{name}", body=body)["id"]
        read_and_review(client, place, name, check)
    monitoring = place.monitor(company)
    client.get("/v1/checks/company-monitoring/{id}", monitoring)
    place.find_result(str(monitoring))
    client.get("/v1/checks/company-monitoring/{id}", monitoring)
    side = {"front_upload_ref": upload(client), "back_upload_ref": upload(client)}
    for sides in (side, {"front_upload_ref": upload(client), "back_upload_ref": None}):
        check = client.post("/v1/checks/id_document", body={"individual_id": person})["id"]
        client.post("/v1/checks/id_document/{id}/add_files", check, body=sides)
    client.get("/v1/checks")


def subjects(client: Client) -> tuple[str, str]:
    """An individual and a company of a new case."""
    case = client.post("/v1/cases", body=SUBJECTS | {"companies": [COMPANY]})
    return case["individuals"][0]["id"], case["companies"][0]["id"]


def read_and_review(client: Client, place: Place, name: str, check: str) -> None:
    path = f"/v1/checks/{name}/{{id}}"
    client.get(path, check)
    place.find_result(check)
    client.get(path, check)
    for review in REVIEWS:
        client.patch(f"{path}/review", check, body=review)


def upload(client: Client, name: str = "front.png", content: bytes = PICTURE, kind: str = "image/png") -> str:
    reference: str = client.post("/v1/files/upload", file=(name, content, kind))["upload_ref"]
    return reference


def _about(client: Client, person: str, company: str) -> Iterator[tuple[str, Body]]:
    of_person: Body = {"individual_id": person}
    yield "ekyc", of_person | {"settings": {"vendor": "gbg", **AUTOMATIC}}
    yield "electronic_signature", of_person | {"settings": {"document_template_key": "a", "automatic_approval": True}}
    both = of_person | {"company_id": company}
    yield "fraud-database", both | {"settings": {"vendor": "cifas", **AUTOMATIC}}
    yield "online_reputation", {"company_id": company}
    for settings in _verifications(client):
        yield "id_verification", of_person | {"settings": settings | {"redirect_url": "https://example.com/back"}}
    for vendor, back in (("veriff", upload(client)), ("idnow", None)):
        sides = {"front_upload_ref": upload(client), "back_upload_ref": back}
        yield "id_document", of_person | {"settings": {"vendor": vendor, **AUTOMATIC}, "data": sides}


def _verifications(client: Client) -> Iterator[Any]:
    """Each vendor, and each mode."""
    create = "POST /v1/checks/id_verification"
    for name in ("vendor", "mode"):
        for word in client.words(create, f"settings.{name}"):
            yield {name: word, **AUTOMATIC}

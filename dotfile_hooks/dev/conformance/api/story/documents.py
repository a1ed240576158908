"""Document checks: each kind of analysis, files, a review that does not wait."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from dotfile_hooks.dev.conformance.api.client import Client
from dotfile_hooks.dev.conformance.changes.documents import passport

from .bodies import Body
from .checks import REVIEWS, subjects, upload
from .place import Place

DOCUMENT = "/v1/checks/document/{id}"
KEY = {"document_type_key": "proof_of_address"}
CERTIFICATES = (
    *("kbis", "sirene_extract", "pappers_extract", "inscription_rne", "infonet_extract"),
    *("repertoire_metiers_extract", "handelsregister", "visura_camerale", "other"),
)
BILLS = ("energy_bill", "telco_bill", "official_document", "other")
MODELS: list[Body | None] = [
    {"model": "registration_certificate", "authorized_documents": [*CERTIFICATES], "max_age_in_days": 90},
    {"model": "proof_of_address", "authorized_documents": [*BILLS], "max_age_in_days": None},
    {"model": "proof_of_address", "authorized_documents": None},
    {"model": "iban", "iban_matching": True, "bic_matching": False},
    {"model": "prompt", "prompt": "Is this signed?"},
    None,
]


def tell(client: Client, place: Place) -> None:
    person, company = subjects(client)
    for analysis in _analyses():
        settings = {**KEY, "document_analysis": analysis, "fraud_analysis": {"enabled": True}}
        check = client.post("/v1/checks/document", body={"individual_id": person, "settings": settings})["id"]
        client.get(DOCUMENT, check)
        _hand_in(client, check, analysis)
    given = {"files": [{"upload_ref": upload(client)}]}
    bare = {"company_id": company, "settings": KEY | {"fraud_analysis": None}, "data": given}
    check = client.post("/v1/checks/document", body=bare)["id"]
    client.post(DOCUMENT + "/force_review", check)
    for review in REVIEWS:
        client.patch(DOCUMENT + "/review", check, body=review)
    client.get("/v1/files/{id}", client.get(DOCUMENT, check)["data"]["document_file_ids"][0])


def _analyses() -> Iterator[Body | None]:
    for parameters in MODELS:
        yield {"automatic_approval": False, "automatic_rejection": False, "parameters": parameters}
    yield None


def _hand_in(client: Client, check: str, analysis: Body | None) -> None:
    paper = upload(client, "passport.pdf", passport(date(2040, 1, 31)), "application/pdf")
    files = [{"upload_ref": upload(client)}, {"upload_ref": paper}]
    client.post(DOCUMENT + "/add_files", check, body={"files": files, "settings": {"document_analysis": analysis}})
    client.post(DOCUMENT + "/add_files", check, body={"files": [{"upload_ref": paper}], "settings": None})
    client.get(DOCUMENT, check)

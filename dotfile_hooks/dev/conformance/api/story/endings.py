"""Everything that can be deleted."""

from __future__ import annotations

from dotfile_hooks.dev.conformance.api.client import Client

from .checks import subjects
from .place import Place


def tell(client: Client, place: Place) -> None:
    person, company = subjects(client)
    check = client.post("/v1/checks/online_reputation", body={"company_id": company})["id"]
    client.delete("/v1/checks/{id}", check)
    client.delete("/v1/individuals/{id}", person)
    client.delete("/v1/companies/{id}", company)
    client.delete("/v1/cases/{id}", client.post("/v1/cases", body={"name": "Short"})["id"])

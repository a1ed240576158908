"""Tags, and those of a case: by id and by label."""

from __future__ import annotations

from dotfile_hooks.dev.conformance.api.client import Client

from .place import Place

OF_CASE = "/v1/cases/{id}/tags"


def tell(client: Client, place: Place) -> None:
    tag = client.post("/v1/tags", body={"label": "Medium"})["id"]
    client.get("/v1/tags")
    client.get("/v1/tags/{id}", tag)
    client.patch("/v1/tags/{id}", tag, body={"label": "Middling"})
    case = client.post("/v1/cases", body={"name": "Tags"})["id"]
    client.post(OF_CASE, case, body={"tags": [tag, "New here"]})
    client.get(OF_CASE, case)
    client.delete(OF_CASE, case, body={"tags": [tag, "new HERE"]})
    client.delete("/v1/tags/{id}", tag)

"""Notes about a case, and comments on them."""

from __future__ import annotations

from dotfile_hooks.dev.conformance.api.client import Client

from .place import Place


def tell(client: Client, place: Place) -> None:
    case = client.post("/v1/cases", body={"name": "Notes"})["id"]
    note = client.post("/v1/notes", body={"case_id": case, "content": "<p>Call them <b>back</b>.</p>"})["id"]
    client.post("/v1/notes/{id}/comments", note, body={"content": "<p>Done.</p>"})
    client.get("/v1/cases/{id}/notes", case)

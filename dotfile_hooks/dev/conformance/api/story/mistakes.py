"""What a client does wrong, and how it is told."""

from __future__ import annotations

from dotfile_hooks.dev.conformance.api.client import Client
from dotfile_hooks.dev.conformance.api.served import SOMEBODY
from dotfile_hooks.dev.conformance.operations import PLACE

from .place import Place


def tell(client: Client, place: Place) -> None:
    client.refused(401, "get", "/v1/ping", key="no-key-of-ours")
    client.refused(401, "post", "/v1/cases", key="no-key-of-ours", body={"name": "A"})
    client.refused(403, "post", "/v1/cases", key=place.reader, body={"name": "A"})
    client.refused(403, "get", "/v1/webhooks", key=place.reader)
    client.refused(400, "post", "/v1/cases", body={})
    client.refused(400, "post", "/v1/webhooks", body={"url": "nowhere", "events": ["Case.Created"]})
    client.refused(400, "post", "/v1/tags", body={"label": "a;b"})
    client.refused(415, "post", "/v1/files/upload", file=("a.exe", b"MZ", "application/x-msdownload"))
    client.refused(400, "post", "/v1/files/upload", file=("a.pdf", b"", "application/pdf"))
    _ask_for_what_is_not_there(client)


def _ask_for_what_is_not_there(client: Client) -> None:
    """Every row that can be named, and every list with a parameter that makes no sense."""
    for row in client.rows.values():
        one = row.operation
        if not row.is_served or one.method not in ("get", "delete") or one.body is not None:
            continue
        if PLACE.search(one.path) and "404" in one.answers:
            client.refused(404, one.method, one.path, SOMEBODY)
        if PLACE.search(one.path) and "400" in one.answers and not one.path.startswith("/v1/cases/"):
            client.refused(400, one.method, one.path, "not-a-uuid")
        if not PLACE.search(one.path) and "400" in one.answers and one.parameters:
            client.refused(400, one.method, one.path, query={"sort": "nonsense"})
            client.refused(400, one.method, one.path, query={"limit": "0"})

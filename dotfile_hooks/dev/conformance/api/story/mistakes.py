"""What a client does wrong, and how it is told."""

from __future__ import annotations

from dotfile_hooks.dev.conformance.api.client import Client
from dotfile_hooks.dev.conformance.api.record import Row
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
    _look_for_what_is_not_there(client)


def _look_for_what_is_not_there(client: Client) -> None:
    """Every row that an address can name, and every list in an order that there is not."""
    for row in [row for row in client.rows.values() if row.is_served]:
        one = row.operation
        if PLACE.search(one.path):
            _name_nobody(client, row)
        elif one.method == "get" and one.parameters and "400" in one.answers:
            client.refused(400, "get", one.path, query={"sort": "nonsense"})
            client.refused(400, "get", one.path, query={"limit": "0"})


def _name_nobody(client: Client, row: Row) -> None:
    """With a body that is good elsewhere. A case may be named by any word: that of nobody is not found."""
    one = row.operation
    if "404" in one.answers:
        client.refused(404, one.method, one.path, SOMEBODY, body=row.taken)
    if "400" in one.answers and not one.path.startswith("/v1/cases/"):
        client.refused(400, one.method, one.path, "not-a-uuid", body=row.taken)

"""Whose key this is, and what the workspace has."""

from __future__ import annotations

from dotfile_hooks.dev.conformance.api.client import Client

from .place import Place


def tell(client: Client, place: Place) -> None:
    client.get("/v1/ping")
    client.get("/v1/users")
    client.get("/v1/users/{id}", place.person.pk)
    client.get("/v1/templates")
    client.get("/v1/templates/{id}", place.template.pk)
    client.get("/v1/document_types")

"""Files that are uploaded through the API."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

PDF = "application/pdf"


def send(client: APIClient, content: bytes = b"%PDF-1.7", name: str = "scan.pdf", content_type: str = PDF) -> Any:
    return client.post("/v1/files/upload", {"file": SimpleUploadedFile(name, content, content_type)}, "multipart")


def uploaded(client: APIClient, content: bytes = b"%PDF-1.7", **fields: Any) -> str:
    """Its reference."""
    response = send(client, content, **fields)
    assert response.status_code == 201, response.json()
    return str(response.json()["upload_ref"])

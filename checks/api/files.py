"""/v1/files: what is uploaded for checks, and what belongs to them."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import IO, Any

from django.core.exceptions import SuspiciousOperation
from django.http import HttpResponse
from django.utils.http import content_disposition_header
from rest_framework import status
from rest_framework.exceptions import NotFound, ParseError, UnsupportedMediaType
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from checks.documents.services import MOST_BYTES
from checks.files import kinds, services
from checks.models import Upload
from workspaces.api.described import described
from workspaces.api.parsers import BodyTooLarge
from workspaces.api.views import WorkspaceViewSet
from workspaces.timestamps import iso

from .serializers import UploadSerializer

WRAPPING = 100_000
"""Bytes that a body may have beside the file: the headers of its parts, and fields that nobody asked for."""
TOO_LARGE = f"The file is larger than {MOST_BYTES // 1_000_000} MB."


class OneFileParser(MultiPartParser):
    """Looks at the length that is announced first: what is too large is not even written to disk."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        request = (parser_context or {})["request"]
        if int(request.META.get("CONTENT_LENGTH") or 0) > MOST_BYTES + WRAPPING:
            raise BodyTooLarge(TOO_LARGE)
        try:
            return super().parse(stream, media_type, parser_context)
        except (SuspiciousOperation, UnicodeError):  # too many parts, a charset that is none
            raise ParseError("The body cannot be read: send one file, as a part named `file`.") from None


class FileViewSet(WorkspaceViewSet[Upload]):
    model = Upload
    workspace_lookup = "workspace"
    not_found = "No file can be found."
    parser_classes = (OneFileParser,)

    @described(
        summary="Upload a file for a check",
        takes=UploadSerializer,
        gives="UploadedFile",
        code=HTTPStatus.CREATED,
        may=(HTTPStatus.REQUEST_ENTITY_TOO_LARGE,),
    )
    def upload(self, request: Request) -> Response:
        given = self.valid(UploadSerializer(data=request.data))["file"]
        if given.size > MOST_BYTES:
            raise BodyTooLarge(TOO_LARGE)
        content_type = given.content_type or ""
        if not kinds.is_supported(given.name, content_type):
            raise UnsupportedMediaType(content_type, "Files of this type are not supported. Convert it to PDF or PNG.")
        kept = services.upload(self.workspace, given.name, content_type, given.read())
        return Response({"upload_ref": str(kept.pk), "expired_at": iso(kept.expires_at)}, status.HTTP_201_CREATED)

    @described(summary="Fetch a file of a check", gives="Bytes", media="application/octet-stream")
    def retrieve(self, request: Request, pk: str) -> HttpResponse:  # type: ignore[override]
        """The bytes, to be kept: never shown by a browser, whatever they claim to be."""
        found = services.fetch(self.workspace, self.get_id())
        if found is None:
            raise NotFound(self.not_found)
        disposition = content_disposition_header(as_attachment=True, filename=found.name) or "attachment"
        headers = {"Content-Disposition": disposition}
        return HttpResponse(found.content, content_type="application/octet-stream", headers=headers)

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """Whoever fetches a file may say that it accepts PDF only; errors are JSON all the same."""
        return super().perform_content_negotiation(request, force=True)

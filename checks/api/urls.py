"""Addresses of checks and files. Those of a type come first: `aml` is no identifier."""

from __future__ import annotations

from collections.abc import Mapping

from django.urls import URLPattern, path

from checks.models import CheckType
from workspaces.api.views import Json

from .document_types import DocumentTypeViewSet
from .files import FileViewSet
from .views import AmlViewSet, CheckViewSet, DocumentViewSet, IdDocumentViewSet, TypedViewSet

REVIEW: Json = {"patch": "review"}


def facts(kind: CheckType) -> Json:
    """What the views of a type are told."""
    noun = f"{kind.label} check"
    return {"kind": kind, "not_found": f"No {noun} can be found.", "shown": kind.schema, "noun": (noun, f"{noun}s")}


def of_type(
    kind: CheckType, views: type[TypedViewSet] = TypedViewSet, more: Mapping[str, Json] | None = None, name: str = ""
) -> list[URLPattern]:
    """Start, read, review and what else there is, below `name` (unless given, that of the type)."""
    said = facts(kind)
    name = name or kind.value
    below = {"review": REVIEW, **(more or {})}
    return [
        path(f"checks/{name}", views.as_view({"post": "create"}, **said), name=f"{name}-list"),
        path(f"checks/{name}/<pk>", views.as_view({"get": "retrieve"}, **said), name=f"{name}-detail"),
        *(
            path(f"checks/{name}/<pk>/{last}", views.as_view(actions, **said), name=f"{name}-{last.replace('/', '-')}")
            for last, actions in below.items()
        ),
    ]


ADD_FILES: Json = {"post": "add_files"}
AML: Mapping[str, Json] = {"hits/review": {"patch": "review_hits"}, "monitoring": {"patch": "monitoring"}}
DOCUMENT: Mapping[str, Json] = {"add_files": ADD_FILES, "force_review": {"post": "force_review"}}
# Nobody but the vendor starts it, and it is reviewed in the admin: as with Dotfile.
MONITORING = facts(CheckType.COMPANY_MONITORING)

urlpatterns = [
    *of_type(CheckType.AML, AmlViewSet, AML),
    *of_type(CheckType.DOCUMENT, DocumentViewSet, DOCUMENT),
    *of_type(CheckType.EKYC),
    *of_type(CheckType.ELECTRONIC_SIGNATURE),
    *of_type(CheckType.FRAUD_DATABASE, name="fraud-database"),
    *of_type(CheckType.ID_DOCUMENT, IdDocumentViewSet, {"add_files": ADD_FILES}),
    *of_type(CheckType.ID_VERIFICATION),
    *of_type(CheckType.ONLINE_REPUTATION),
    path(
        "checks/company-monitoring/<pk>",
        TypedViewSet.as_view({"get": "retrieve"}, **MONITORING),
        name="company-monitoring-detail",
    ),
    path("checks", CheckViewSet.as_view({"get": "list"}), name="check-list"),
    path("checks/<pk>", CheckViewSet.as_view({"delete": "destroy"}), name="check-detail"),
    path("document_types", DocumentTypeViewSet.as_view({"get": "list"}), name="document-type-list"),
    path("files/upload", FileViewSet.as_view({"post": "upload"}), name="file-upload"),
    path("files/<pk>", FileViewSet.as_view({"get": "retrieve"}), name="file-detail"),
]

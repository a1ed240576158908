"""Documents in the admin: handed in, looked at, fetched; what their analysis found is not edited."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import content_disposition_header

from workspaces.typed import ModelAdmin, ModelForm, TabularInline

from . import services
from .models import Document, DocumentFile, Stage


class DocumentForm(ModelForm):
    upload = forms.FileField(label="File", help_text=f"At most {services.MOST_BYTES // 1_000_000} MB.")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        upload, check = data.get("upload"), data.get("for_check")
        if upload and check:
            try:
                services.refuse(check, upload.name, upload.size)
            except ValidationError as error:
                self.add_error("upload", error)
        return data


@admin.display(description="findings")
def sentences(row: Document) -> str:
    if row.stage in (Stage.RECEIVED, Stage.EXTRACTED):
        return "Not analysed yet."
    lines = ((finding["severity"], finding["message"]) for finding in row.findings)
    return format_html_join("\n", "<div>{}: {}</div>", lines) or "None."


SHOWN: Any = ("name", "stage", "decision", sentences)


class DocumentInline(TabularInline):
    """On the page of a check."""

    model = Document
    extra = 0
    can_delete = False
    show_change_link = True
    fields = readonly_fields = (*SHOWN, "created_at")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Document)
class DocumentAdmin(ModelAdmin):
    form = DocumentForm
    list_display = ("id", *SHOWN, "for_check", "created_at")
    list_filter = ("stage", "decision", "case__workspace")
    list_select_related = ("for_check__individual", "for_check__company")
    search_fields = ("id", "for_check__id", "case__name", "sha256")
    autocomplete_fields = ("for_check",)

    def get_fields(self, request: HttpRequest, obj: Document | None = None) -> Any:
        return ("for_check", "upload") if obj is None else self.get_readonly_fields(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Document | None = None) -> Any:
        told = ("content_type", "size", "sha256", "fields", "id", "extracted_at", "analyzed_at", "decided_at")
        return () if obj is None else ("for_check", *SHOWN, "link", *told, "created_at")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Document, form: ModelForm, change: bool) -> None:
        upload = form.cleaned_data["upload"]
        made = services.submit(obj.for_check, upload.name, upload.read(), upload.content_type or "")
        obj.__dict__.update(made.__dict__)

    # --- The file itself ----------------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        return [
            path("<uuid:pk>/file/", self.admin_site.admin_view(self.fetch), name="checks_document_file"),
            *super().get_urls(),
        ]

    @admin.display(description="file")
    def link(self, row: Document) -> str:
        return format_html('<a href="{}">Download</a>', reverse("admin:checks_document_file", args=[row.pk]))

    def fetch(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """The bytes, to be kept: never shown within the admin, whatever they claim to be."""
        row = self.get_object(request, str(pk))
        if row is None:
            raise Http404
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        content = DocumentFile.objects.values_list("content", flat=True).get(document=row)
        name = content_disposition_header(as_attachment=True, filename=row.name) or "attachment"
        headers = {"Content-Disposition": name}
        return HttpResponse(bytes(content), content_type="application/octet-stream", headers=headers)

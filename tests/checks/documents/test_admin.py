"""Documents in the admin: handed in there, looked at, fetched."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from checks.documents import services
from checks.documents.models import Document
from checks.models import Check
from tests import factories
from tests.test_settings import PRODUCTION
from tests.test_settings import check as manage_check
from tests.workspaces.staff import viewer

from . import papers

pytestmark = pytest.mark.django_db

ADD = "/admin/checks/document/add/"


@pytest.fixture
def check(db: None) -> Check:
    return factories.check(kind="document")


def upload(client: Client, check: Check, content: bytes, name: str = "scan.pdf") -> Any:
    file = SimpleUploadedFile(name, content, "application/pdf")
    return client.post(ADD, {"for_check": str(check.pk), "upload": file}, follow=True)


def decided(check: Check, content: bytes, name: str = "scan.pdf") -> Document:
    document = services.submit(check, name, content, "application/pdf")
    for step in (services.extract, services.analyse, services.settle):
        step(document.pk)
    return document


def test_a_file_is_handed_in(admin_client: Client, check: Check) -> None:
    page = upload(admin_client, check, papers.passport()).content.decode()
    document = Document.objects.get()
    assert (document.for_check_id, document.name, document.content_type) == (check.pk, "scan.pdf", "application/pdf")
    assert bytes(document.file.content) == papers.passport()
    assert "was added successfully" in page


def test_a_file_for_another_type_of_check_is_refused(admin_client: Client) -> None:
    page = upload(admin_client, factories.check(), papers.passport()).content.decode()
    assert "Select a valid choice" in page
    assert not Document.objects.exists()


def test_a_file_that_is_too_large_is_refused_with_a_sentence(admin_client: Client, check: Check) -> None:
    page = upload(admin_client, check, bytes(services.MOST_BYTES + 1)).content.decode()
    assert "The file is larger than 20 MB." in page
    assert not Document.objects.exists()


def test_findings_are_sentences_on_the_pages_of_the_document_and_of_its_check(
    admin_client: Client, check: Check
) -> None:
    document = decided(check, papers.expired_passport())
    for url in (f"checks/document/{document.pk}/change/", "checks/document/", f"checks/check/{check.pk}/change/"):
        assert "reject: The document has expired." in admin_client.get(f"/admin/{url}").content.decode()


def test_what_was_found_is_not_edited(admin_client: Client, check: Check) -> None:
    document = decided(check, papers.expired_passport())
    sent = admin_client.post(f"/admin/checks/document/{document.pk}/change/", {"decision": "accepted"})
    assert sent.status_code == 403
    assert Document.objects.get().decision == "rejected"


def test_only_document_checks_show_documents(admin_client: Client) -> None:
    page = admin_client.get(f"/admin/checks/check/{factories.check().pk}/change/").content.decode()
    assert "documents-group" not in page


def test_the_file_is_fetched_to_be_kept_and_never_shown(check: Check) -> None:
    document = services.submit(check, 'a "scan".html', b"<script>")
    found = viewer(Document).get(f"/admin/checks/document/{document.pk}/file/")
    assert (found.content, found["Content-Type"]) == (b"<script>", "application/octet-stream")
    assert found["Content-Disposition"] == 'attachment; filename="a \\"scan\\".html"'
    assert found["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in found["Cache-Control"]


def test_the_file_is_for_those_who_may_see_documents(check: Check) -> None:
    document = services.submit(check, "scan.pdf", b"x")
    assert viewer(Check).get(f"/admin/checks/document/{document.pk}/file/").status_code == 403
    assert viewer(Document).get(f"/admin/checks/document/{check.pk}/file/").status_code == 404


@pytest.mark.parametrize("name", ["nothing.Here", "checks.documents.local.Missing", "rubbish"])
def test_an_analyser_that_does_not_exist_stops_the_start_with_a_sentence(name: str) -> None:
    done: subprocess.CompletedProcess[str] = manage_check({**PRODUCTION, "DOCUMENT_ANALYSER": name})
    assert done.returncode != 0
    assert "Set DOCUMENT_ANALYSER to the module.Class of an analyser" in done.stderr

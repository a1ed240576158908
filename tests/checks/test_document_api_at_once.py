"""Files of one check, and the first documents of a workspace, by several requests at once."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from checks.data import STANDARD
from checks.files import services
from checks.models import Check, CheckFile, Document, DocumentType, Upload
from tests import factories
from tests.deliveries.test_at_once import together
from tests.workspaces.crowd import meanwhile

from .uploads import send, uploaded

pytestmark = pytest.mark.django_db(transaction=True)


def client_of(check: Check) -> APIClient:
    return factories.api_client(check.case.workspace)


def add(check: Check, sent: dict[str, Any]) -> None:
    response = client_of(check).post(f"/v1/checks/{check.type}/{check.pk}/add_files", sent)
    assert response.status_code == 201, response.json()


def test_no_file_of_a_document_check_is_lost() -> None:
    check = factories.check(kind="document")
    ref = {"upload_ref": uploaded(client_of(check))}
    assert together([lambda: add(check, {"files": [ref, ref]}) for _ in range(4)]) == []
    check.refresh_from_db()
    assert {*check.data["document_file_ids"]} == {str(pk) for pk in Document.objects.values_list("pk", flat=True)}
    assert Document.objects.count() == 8


def test_an_identity_document_has_the_sides_that_its_check_shows() -> None:
    check = factories.check(kind="id_document")
    sides = {"front_upload_ref": uploaded(client_of(check))}
    assert together([lambda: add(check, sides) for _ in range(4)]) == []
    check.refresh_from_db()
    assert check.data["information"]["front_file_id"] == str(CheckFile.objects.get().pk)


def test_an_upload_counts_one_that_is_being_kept(settings: Settings) -> None:
    settings.UPLOADS_PER_WORKSPACE = 10
    workspace = factories.workspace()
    client = factories.api_client(workspace)
    answer = meanwhile(lambda: services.upload(workspace, "a.pdf", "", b"012345"), lambda: send(client, b"012345"))
    assert answer.status_code == 400
    assert Upload.objects.count() == 1


def test_the_first_list_of_types_and_the_first_documents_do_no_harm_to_each_other() -> None:
    people = [factories.individual(case) for case in [factories.case()] * 3]
    client = factories.api_client(people[0].case.workspace)

    def start(person: Any) -> None:
        sent = {"individual_id": str(person.pk), "settings": {"document_type_key": "passport"}}
        assert client.post("/v1/checks/document", sent).status_code == 201

    def listed() -> None:
        assert client.get("/v1/document_types").json()["pagination"]["count"] == len(STANDARD)

    assert together([listed, lambda: start(people[0]), listed, lambda: start(people[1]), listed]) == []
    assert DocumentType.objects.count() == len(STANDARD)

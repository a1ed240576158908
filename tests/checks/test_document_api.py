"""/v1/checks/document and /v1/checks/id_document: their files; /v1/document_types."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from cases.models import Individual
from checks import services
from checks.data import STANDARD
from checks.documents import services as documents
from checks.files import services as files
from checks.models import Check, CheckFile, Document, DocumentFile, DocumentType, Upload
from deliveries.models import Event
from tests import factories

from .uploads import uploaded

pytestmark = pytest.mark.django_db

UNKNOWN = "019a0000-0000-7000-8000-000000000000"
ANALYSIS = {"automatic_approval": True, "automatic_rejection": False, "parameters": {"model": "iban"}}


@pytest.fixture
def person() -> Individual:
    return factories.individual()


@pytest.fixture
def client(person: Individual) -> APIClient:
    return factories.api_client(person.case.workspace)


def start(client: APIClient, person: Individual, kind: str = "document", **fields: Any) -> Any:
    settings = {"document_type_key": "passport"} if kind == "document" else {}
    return client.post(f"/v1/checks/{kind}", {"individual_id": str(person.pk), "settings": settings, **fields})


def refs(client: APIClient, *contents: bytes) -> list[dict[str, str]]:
    return [{"upload_ref": uploaded(client, content)} for content in contents]


# --- Documents --------------------------------------------------------------------------------------------------------


def test_a_document_check_is_started_with_files(client: APIClient, person: Individual) -> None:
    response = start(client, person, data={"files": refs(client, b"one", b"two")})
    assert response.status_code == 201, response.json()
    keys = response.json()["data"]["document_file_ids"]
    assert [client.get(f"/v1/files/{key}").content for key in keys] == [b"one", b"two"]
    assert [*Document.objects.order_by("pk").values_list("name", "content_type", "stage")] == [
        ("scan.pdf", "application/pdf", "received")
    ] * 2
    assert Event.objects.filter(name="Document.Received").count() == 2


@pytest.mark.parametrize("data", [{"files": []}, None])
def test_files_may_come_later(client: APIClient, person: Individual, data: Any) -> None:
    made = start(client, person, **({"data": data} if data else {})).json()
    assert made["data"]["document_file_ids"] == []
    response = client.post(f"/v1/checks/document/{made['id']}/add_files", {"files": refs(client, b"one")})
    assert response.status_code == 201
    assert len(response.json()["data"]["document_file_ids"]) == 1
    assert client.get(f"/v1/checks/document/{made['id']}").json() == response.json()


def test_an_upload_may_be_used_more_than_once(client: APIClient, person: Individual) -> None:
    given = refs(client, b"one")
    for _ in range(2):
        assert start(client, person, data={"files": given}).status_code == 201
    assert DocumentFile.objects.count() == 2


def test_how_files_are_analysed_may_be_said_with_them(client: APIClient, person: Individual) -> None:
    url = f"/v1/checks/document/{start(client, person).json()['id']}/add_files"
    sent = {"files": refs(client, b"one"), "settings": {"document_analysis": ANALYSIS}}
    settings = client.post(url, sent).json()["data"]["settings"]
    assert (settings["document_analysis"], settings["document_type_key"]) == (ANALYSIS, "passport")
    assert client.post(url, sent | {"settings": None}).json()["data"]["settings"] == settings


def test_ten_files_are_taken_and_eleven_are_not(client: APIClient, person: Individual) -> None:
    made, one = start(client, person).json(), refs(client, b"one")
    url = f"/v1/checks/document/{made['id']}/add_files"
    assert client.post(url, {"files": one * 10}).status_code == 201
    assert client.post(url, {"files": one * 11}).status_code == 400
    assert start(client, person, data={"files": one * 11}).status_code == 400
    assert Document.objects.count() == 10


@pytest.mark.parametrize(
    ("sent", "named"),
    [
        ({}, "files"),
        ({"files": []}, "files"),
        ({"files": "x"}, "files"),
        ({"files": ["x"]}, "files.0"),
        ({"files": [{}]}, "files.0.upload_ref"),
        ({"files": [{"upload_ref": 5}]}, "files.0.upload_ref"),
        ({"files": [{"upload_ref": "x"}]}, "files.0.upload_ref"),
        ({"files": [{"upload_ref": UNKNOWN}]}, "files.0.upload_ref"),
    ],
)
def test_a_wrong_file_is_named(client: APIClient, person: Individual, sent: dict[str, Any], named: str) -> None:
    url = f"/v1/checks/document/{start(client, person).json()['id']}/add_files"
    response = client.post(url, sent)
    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, named)


def test_of_a_start_with_a_wrong_file_nothing_is_left(client: APIClient, person: Individual) -> None:
    response = start(client, person, data={"files": [*refs(client, b"one"), {"upload_ref": UNKNOWN}]})
    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "data.files.1.upload_ref")
    assert not Check.objects.exists()
    assert not Document.objects.exists()


def test_of_a_start_whose_file_cannot_be_handed_in_nothing_is_left(client: APIClient, person: Individual) -> None:
    nameless = files.upload(person.case.workspace, "...", "", b"x")
    assert start(client, person, data={"files": [{"upload_ref": str(nameless.pk)}]}).status_code == 400
    assert not Check.objects.exists()


def test_an_upload_that_expired_cannot_be_used(client: APIClient, person: Individual) -> None:
    given = refs(client, b"one")
    Upload.objects.update(expires_at=timezone.now())
    response = start(client, person, data={"files": given})
    assert response.status_code == 400
    assert "may have expired" in response.json()["errors"][0]["message"]


def test_another_workspaces_upload_does_not_exist(client: APIClient, person: Individual) -> None:
    given = refs(factories.api_client(factories.workspace("Theirs")), b"one")
    assert start(client, person, data={"files": given}).status_code == 400
    made = start(client, person).json()
    assert client.post(f"/v1/checks/document/{made['id']}/add_files", {"files": given}).status_code == 400
    made, sides = start(client, person, "id_document").json(), {"front_upload_ref": given[0]["upload_ref"]}
    assert client.post(f"/v1/checks/id_document/{made['id']}/add_files", sides).status_code == 400


def test_a_review_is_forced_once_there_is_a_file(client: APIClient, person: Individual) -> None:
    url = f"/v1/checks/document/{start(client, person).json()['id']}"
    assert client.post(f"{url}/force_review").status_code == 400
    client.post(f"{url}/add_files", {"files": refs(client, b"one")})
    forced = client.post(f"{url}/force_review")
    assert (forced.status_code, forced.json()["status"]) == (200, "need_review")
    client.patch(f"{url}/review", {"action": "approve"})
    assert client.post(f"{url}/force_review").status_code == 400


def test_the_bytes_of_an_upload_are_read_once_and_not_to_look_it_up(
    client: APIClient, person: Individual, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    given = refs(client, b"one")
    with django_assert_max_num_queries(100) as queries:
        start(client, person, data={"files": given})
    assert len([each for each in queries if '"checks_upload"."content"' in each["sql"]]) == 1


# --- Identity documents -----------------------------------------------------------------------------------------------


def sides(client: APIClient, front: bytes = b"front", back: bytes | None = b"back") -> dict[str, str | None]:
    given = None if back is None else uploaded(client, back)
    return {"front_upload_ref": uploaded(client, front), "back_upload_ref": given}


def test_the_sides_of_an_identity_document_are_kept_and_the_check_is_processed(
    client: APIClient, person: Individual
) -> None:
    made = start(client, person, "id_document", data=sides(client)).json()
    found = made["data"]["information"]
    assert made["status"] == "processing"
    assert client.get(f"/v1/files/{found['front_file_id']}").content == b"front"
    assert client.get(f"/v1/files/{found['back_file_id']}").content == b"back"
    assert client.get(f"/v1/checks/id_document/{made['id']}").json() == made


def test_sides_that_are_added_take_the_place_of_others(client: APIClient, person: Individual) -> None:
    made = start(client, person, "id_document", data=sides(client)).json()
    services.record_result(Check.objects.get(), "error")
    response = client.post(f"/v1/checks/id_document/{made['id']}/add_files", sides(client, b"other", None))
    assert (response.status_code, response.json()["status"]) == (201, "processing")
    found = response.json()["data"]["information"]
    assert (bytes(CheckFile.objects.get().content), found["back_file_id"]) == (b"other", None)
    assert found["front_file_id"] == str(CheckFile.objects.get().pk)
    assert client.get(f"/v1/files/{made['data']['information']['front_file_id']}").status_code == 404


@pytest.mark.parametrize("status", ["approved", "rejected", "expired"])
def test_a_check_that_is_over_takes_no_sides(client: APIClient, person: Individual, status: str) -> None:
    check = factories.check(person, "id_document", status=status)
    response = client.post(f"/v1/checks/id_document/{check.pk}/add_files", sides(client))
    assert (response.status_code, response.json()["message"]) == (
        400,
        f"This check is {status}: it takes no more files.",
    )
    assert not CheckFile.objects.exists()


@pytest.mark.parametrize(("vendor", "most"), [("idnow", 4_000_000), ("veriff", 17_000_000)])
def test_a_side_is_as_large_as_its_vendor_takes_it(
    client: APIClient, person: Individual, vendor: str, most: int
) -> None:
    good, bad = sides(client, bytes(most), None), sides(client, b"x", bytes(most + 1))
    made = start(client, person, "id_document", settings={"vendor": vendor}, data=good)
    assert made.status_code == 201
    added = client.post(f"/v1/checks/id_document/{made.json()['id']}/add_files", bad)
    assert (added.status_code, added.json()["errors"][0]["field"]) == (400, "back_upload_ref")
    begun = start(client, person, "id_document", settings={"vendor": vendor}, data=bad)
    assert (begun.status_code, begun.json()["errors"][0]["field"]) == (400, "data.back_upload_ref")
    assert Check.objects.count() == 1


@pytest.mark.parametrize(
    ("sent", "named"),
    [
        ({}, "front_upload_ref"),
        ({"front_upload_ref": None}, "front_upload_ref"),
        ({"front_upload_ref": UNKNOWN}, "front_upload_ref"),
        ({"front_upload_ref": "x"}, "front_upload_ref"),
    ],
)
def test_a_wrong_side_is_named(client: APIClient, person: Individual, sent: dict[str, Any], named: str) -> None:
    made = start(client, person, "id_document").json()
    response = client.post(f"/v1/checks/id_document/{made['id']}/add_files", sent)
    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, named)


def test_files_go_with_their_check(client: APIClient, person: Individual) -> None:
    made = start(client, person, "id_document", data=sides(client)).json()
    assert client.delete(f"/v1/checks/{made['id']}").status_code == 204
    assert not CheckFile.objects.exists()


# --- The analysis -----------------------------------------------------------------------------------------------------


def test_a_file_of_the_api_is_analysed_and_moves_its_check(client: APIClient, person: Individual) -> None:
    made = start(client, person, data={"files": refs(client, b"%PDF-1.7 broken")}).json()
    document = Document.objects.get()
    for step in (documents.extract, documents.analyse, documents.settle):
        step(document.pk)
    assert client.get(f"/v1/checks/document/{made['id']}").json()["status"] == "need_review"


# --- Types ------------------------------------------------------------------------------------------------------------


def keys(client: APIClient, query: str = "") -> list[str]:
    response = client.get(f"/v1/document_types?limit=100&{query}")
    assert response.status_code == 200, response.json()
    return [each["key"] for each in response.json()["data"]]


def test_a_workspace_begins_with_the_standard_types(client: APIClient, person: Individual) -> None:
    assert {*keys(client)} == {*STANDARD}
    assert {*DocumentType.objects.values_list("workspace", flat=True)} == {person.case.workspace_id}


def test_types_are_narrowed_and_ordered(client: APIClient, person: Individual) -> None:
    own = {"label": "Kbis extract", "target_entities": ["company"]}
    DocumentType.objects.create(workspace=person.case.workspace, key="kbis", **own)
    over = timezone.now() - timedelta(days=1)
    DocumentType.objects.create(workspace=person.case.workspace, key="old", archived_at=over, **own)
    DocumentType.objects.create(workspace=factories.workspace("Theirs"), key="theirs", **own)
    assert keys(client, "sort=key") == sorted([*STANDARD, "kbis"])
    assert {*keys(client, "include_archived=true")} == {*STANDARD, "kbis", "old"}
    assert keys(client, "key=kbis") == keys(client, "label.ilike=KBIS") == ["kbis"]
    assert keys(client, "key.like=port") == ["passport"]
    assert keys(client, "created_at.lt=2020-01-01") == []


def test_the_newest_type_comes_first(client: APIClient, person: Individual) -> None:
    keys(client)
    own = {"key": "kbis", "label": "Kbis extract", "target_entities": ["company"]}
    DocumentType.objects.create(workspace=person.case.workspace, **own)
    assert keys(client)[0] == "kbis"
    assert keys(client, "sort=created_at")[-1] == "kbis"


@pytest.mark.parametrize("query", ["sort=archived_at", "archived=true", "include_archived=1", "key.gt=a", "page=0"])
def test_a_list_that_makes_no_sense_is_400(client: APIClient, query: str) -> None:
    assert client.get(f"/v1/document_types?{query}").status_code == 400


def test_a_list_takes_as_many_queries_for_one_type_as_for_many(
    client: APIClient, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    keys(client)
    with django_assert_max_num_queries(5):
        keys(client)

"""/v1/files."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from celery.schedules import crontab
from django.conf import settings as project
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from checks import tasks
from checks.documents.services import MOST_BYTES
from checks.files import kinds, services
from checks.models import CheckFile, Document, Upload
from tests import factories
from workspaces.models import Workspace

from .uploads import send, uploaded

pytestmark = pytest.mark.django_db

UNKNOWN = "019a0000-0000-7000-8000-000000000000"
MULTIPART = "multipart/form-data; boundary=x"
PART = b'Content-Disposition: form-data; name="file"; filename="a.pdf"'


@pytest.fixture
def workspace() -> Workspace:
    return factories.workspace()


@pytest.fixture
def client(workspace: Workspace) -> APIClient:
    return factories.api_client(workspace)


def raw(client: APIClient, part: bytes, more: str = "") -> Any:
    return client.post("/v1/files/upload", b"--x\r\n" + part + b"\r\n--x--\r\n", content_type=MULTIPART + more)


# --- Uploads ----------------------------------------------------------------------------------------------------------


def test_an_upload_is_kept_for_a_day(client: APIClient, workspace: Workspace) -> None:
    response = send(client, b"bytes")
    kept = Upload.objects.get()
    assert response.status_code == 201
    assert response.json().keys() == {"upload_ref", "expired_at"}
    assert response.json()["upload_ref"] == str(kept.pk)
    assert datetime.fromisoformat(response.json()["expired_at"]) - kept.created_at <= timedelta(days=1)
    assert (kept.workspace, kept.name, kept.content_type) == (workspace, "scan.pdf", "application/pdf")
    assert (kept.size, bytes(kept.content)) == (5, b"bytes")


def test_a_workspace_uploads_so_many_bytes_and_no_more(client: APIClient, settings: Settings) -> None:
    settings.UPLOADS_PER_WORKSPACE = 10
    others = factories.api_client(factories.workspace())
    uploaded(others, b"0123456789")
    uploaded(client, b"01234")
    uploaded(client, b"56789")
    refused = send(client, b"0")
    assert (refused.status_code, refused.json()["message"]) == (
        400,
        "The uploads of this workspace may have 10 bytes together; each lasts a day.",
    )
    assert Upload.objects.count() == 3


def test_an_upload_that_has_expired_leaves_room(client: APIClient, settings: Settings) -> None:
    settings.UPLOADS_PER_WORKSPACE = 10
    uploaded(client, b"0123456789")
    Upload.objects.update(expires_at=timezone.now())
    uploaded(client, b"0123456789")


@pytest.mark.parametrize(
    ("name", "content_type", "expected"),
    [
        ("a.pdf", "application/pdf", True),
        ("a.PDF", "application/octet-stream", True),
        ("a.exe", "application/octet-stream", False),
        ("a", "", False),
        ("a.txt", "text/plain; charset=utf-8", True),
        ("a.html", "text/html", False),
        ("a.pdf", "text/html", False),
        ("a", "IMAGE/PNG", True),
    ],
)
def test_the_declared_type_counts_and_the_name_where_nothing_is_declared(
    name: str, content_type: str, expected: bool
) -> None:
    assert kinds.is_supported(name, content_type) is expected


def test_a_type_that_is_not_supported_is_415(client: APIClient) -> None:
    response = send(client, b"<p>", "page.html", "text/html")
    assert (response.status_code, response.json()["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert "not supported" in response.json()["message"]
    assert not Upload.objects.exists()


def test_the_largest_file_is_taken_and_one_more_byte_is_413(client: APIClient) -> None:
    assert send(client, bytes(MOST_BYTES)).status_code == 201
    response = send(client, bytes(MOST_BYTES + 1))
    assert (response.status_code, response.json()["message"]) == (413, "The file is larger than 20 MB.")
    assert Upload.objects.count() == 1


def test_of_two_files_none_is_lost_unseen(client: APIClient) -> None:
    response = raw(client, PART + b"\r\n\r\nx\r\n--x\r\n" + PART + b"\r\n\r\ny")
    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "file")
    assert not Upload.objects.exists()


def test_a_body_that_announces_too_much_is_refused_before_it_is_read(client: APIClient) -> None:
    response = client.post("/v1/files/upload", b"", content_type=MULTIPART, CONTENT_LENGTH="10000000000")
    assert response.status_code == 413


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (b"", "No file was submitted"),
        (b'Content-Disposition: form-data; name="file"\r\n\r\ntext', "not a file"),
        (PART + b"\r\n\r\n", "empty"),
        (b'Content-Disposition: form-data; name="file"; filename="../"\r\n\r\nx', "No file was submitted"),
        (b'Content-Disposition: form-data; name="file"; filename="..."\r\n\r\nx', "Give the file a name"),
        (b'Content-Disposition: form-data; name="other"; filename="a.pdf"\r\n\r\nx', "No file was submitted"),
    ],
)
def test_without_a_file_the_field_is_named(client: APIClient, part: bytes, words: str) -> None:
    response = raw(client, part)
    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "file")
    assert words in response.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    "part",
    [
        b"Content-Disposition: form-data; name=\"file\"; filename*=nonsense''%41.pdf\r\n\r\nx",
        b"Content-Disposition: form-data; name=\"file\"; filename*=idna''%ff.pdf\r\n\r\nx",
        PART + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n\xff",
        b"\r\n--x\r\n".join(b'Content-Disposition: form-data; name="a%d"\r\n\r\nx' % number for number in range(2000)),
        b"\r\n--x\r\n".join([PART + b"\r\n\r\nx"] * 200),
    ],
)
def test_a_body_that_cannot_be_read_is_400(client: APIClient, part: bytes) -> None:
    response = raw(client, part)
    assert (response.status_code, response.json()["code"]) == (400, "BAD_REQUEST")


@pytest.mark.parametrize("charset", ["idna", "hex", "nonsense"])
def test_a_charset_that_no_text_is_in_is_400(client: APIClient, charset: str) -> None:
    part = b'Content-Disposition: form-data; name="a"\r\n\r\n\xff'
    assert raw(client, part, f"; charset={charset}").status_code == 400


def test_a_file_in_json_is_415(client: APIClient) -> None:
    assert client.post("/v1/files/upload", {"file": "x"}).status_code == 415


def test_a_name_keeps_its_letters_and_loses_its_folders(client: APIClient) -> None:
    uploaded(client, name="Pièce d'identité.pdf")
    raw(client, b'Content-Disposition: form-data; name="file"; filename="C:\\\\Scans\\\\b\x01.pdf"\r\n\r\nx')
    assert {*Upload.objects.values_list("name", flat=True)} == {"Pièce d'identité.pdf", "b.pdf"}


# --- Their end --------------------------------------------------------------------------------------------------------


def test_an_expired_upload_is_removed_and_others_stay(client: APIClient) -> None:
    over, stays = uploaded(client), uploaded(client)
    Upload.objects.filter(pk=over).update(expires_at=timezone.now())
    tasks.remove_uploads()
    assert [str(pk) for pk in Upload.objects.values_list("pk", flat=True)] == [stays]


def test_more_than_a_batch_is_removed(client: APIClient, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "BATCH", 2)
    for _ in range(5):
        services.upload(workspace, "a.pdf", "", b"x")
    assert services.remove_expired(timezone.now() + services.LIVES) == 5


def test_beat_asks_every_hour_on_the_queue_of_chores() -> None:
    name = tasks.remove_uploads.name
    entry: dict[str, Any] = next(each for each in project.CELERY_BEAT_SCHEDULE.values() if each["task"] == name)
    assert entry["schedule"] == crontab(minute=37)
    assert tasks.remove_uploads.app.amqp.router.route({}, name)["queue"].name == "chores"


# --- Files of checks --------------------------------------------------------------------------------------------------


def files_of_checks(workspace: Workspace) -> dict[str, str]:
    """A document and a side of an identity document, by their content."""
    person = factories.individual(factories.case(workspace))
    given = {content: services.upload(workspace, "é.pdf", "", content) for content in (b"document", b"side")}
    services.add_documents(factories.check(person, "document"), [given[b"document"]])
    services.add_identity(factories.check(person, "id_document"), given[b"side"])
    return {"document": str(Document.objects.get().pk), "side": str(CheckFile.objects.get().pk)}


@pytest.mark.parametrize("accepted", ["*/*", "application/octet-stream", "application/pdf", "application/json"])
def test_a_file_of_a_check_is_downloaded_whatever_is_accepted(
    client: APIClient, workspace: Workspace, accepted: str
) -> None:
    for content, key in files_of_checks(workspace).items():
        response = client.get(f"/v1/files/{key}", headers={"Accept": accepted})
        assert (response.status_code, response.content) == (200, content.encode())
        assert response["Content-Type"] == "application/octet-stream"
        assert response["Content-Disposition"] == "attachment; filename*=utf-8''%C3%A9.pdf"
        assert response["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(("key", "status"), [("nonsense", 400), ("%00", 400), (UNKNOWN, 404)])
def test_an_address_without_a_file_is_a_client_error(client: APIClient, key: str, status: int) -> None:
    response = client.get(f"/v1/files/{key}", headers={"Accept": "application/pdf"})
    assert (response.status_code, response.json()["status_code"]) == (status, status)


def test_an_upload_is_no_file_yet(client: APIClient) -> None:
    assert client.get(f"/v1/files/{uploaded(client)}").status_code == 404

"""/v1/notes, and the notes of a case."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from cases import services
from cases.models import Case, Note
from cases.models.notes import COMMENTS_PER_NOTE, NOTES_PER_CASE
from deliveries.models import Event
from tests import factories
from workspaces.models import Workspace

pytestmark = pytest.mark.django_db

UNKNOWN = "019a0000-0000-7000-8000-000000000000"
HTML = '<p>See <a href="https://example.com">this</a></p>'


@pytest.fixture
def case(workspace: Workspace) -> Case:
    return factories.case(workspace, external_id="e-1")


def write(client: APIClient, case: Case, content: str = HTML) -> dict[str, Any]:
    response = client.post("/v1/notes", {"case_id": str(case.pk), "content": content})
    assert response.status_code == 201, response.json()
    return dict(response.json())


def notes(client: APIClient, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"/v1/cases/e-1/notes{query}").json()["data"]
    return found


def test_a_note_and_its_comments_are_shown_with_their_case(client: APIClient, case: Case) -> None:
    note = write(client, case)
    comment = client.post(f"/v1/notes/{note['id']}/comments", {"content": "<b>Yes</b>"})
    assert comment.status_code == 201
    assert (note["content"], note["author"], note["author_type"], note["comments"]) == (HTML, None, "api", [])
    assert (comment.json()["content"], comment.json()["author_type"]) == ("<b>Yes</b>", "api")
    assert notes(client) == [note | {"comments": [comment.json()]}]
    assert client.get(f"/v1/cases/{case.pk}/notes").json()["pagination"]["count"] == 1
    assert set(Event.objects.values_list("name", flat=True)) >= {"Note.Created", "NoteComment.Created"}


def test_what_people_wrote_names_them(client: APIClient, case: Case) -> None:
    ada, bob = factories.user(case.workspace, first_name="Ada"), factories.user(case.workspace, first_name="Bob")
    services.add_comment(services.add_note(case, "Hello", author=ada), "Yes", author=bob)
    [note] = notes(client)
    assert (note["author"]["first_name"], note["author_type"]) == ("Ada", "user")
    assert (note["comments"][0]["author"]["first_name"], note["comments"][0]["author_type"]) == ("Bob", "user")


@pytest.mark.parametrize(
    "content", [None, 5, ["a"], "", "  ", "\n", "a" * 3001, "<p>" + "a" * 3001 + "</p>", "<p></p>" * 5000]
)
def test_wrong_content_is_refused_and_named(client: APIClient, case: Case, content: Any) -> None:
    note = write(client, case)
    for path, more in (("notes", {"case_id": str(case.pk)}), (f"notes/{note['id']}/comments", {})):
        response = client.post(f"/v1/{path}", {"content": content, **more})
        assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "content")
    assert [row["comments"] for row in notes(client)] == [[]]


def test_html_tags_do_not_count_as_characters(client: APIClient, case: Case) -> None:
    content = f"<p>{'a' * 1500}<br />{'b' * 1500}</p>\n"[:-1]
    assert write(client, case, content)["content"] == content


def test_content_is_kept_to_the_letter(client: APIClient, case: Case) -> None:
    assert write(client, case, " <script>x</script>\n")["content"] == " <script>x</script>\n"


@pytest.mark.parametrize(
    ("case_id", "status"), [(UNKNOWN, 404), ("e-1", 400), (None, 400), (5, 400), (["a"], 400), ({}, 400)]
)
def test_a_note_needs_a_case(client: APIClient, case: Case, case_id: Any, status: int) -> None:
    response = client.post("/v1/notes", {"case_id": case_id, "content": "a"})
    assert response.status_code == status
    assert status == 404 or response.json()["errors"][0]["field"] == "case_id"
    assert not Note.objects.exists()


@pytest.mark.parametrize(("key", "status"), [(UNKNOWN, 404), ("x", 400), ("%00", 400)])
def test_a_comment_needs_a_note(client: APIClient, key: str, status: int) -> None:
    assert client.post(f"/v1/notes/{key}/comments", {"content": "a"}).status_code == status


def test_a_note_has_so_many_comments_and_no_more(client: APIClient, case: Case) -> None:
    note = services.add_note(case, "Hello")
    for number in range(COMMENTS_PER_NOTE):
        services.add_comment(note, str(number))
    response = client.post(f"/v1/notes/{note.pk}/comments", {"content": "a"})
    assert (response.status_code, response.json()["message"]) == (400, "A note has at most 50 comments.")


def test_a_case_has_so_many_notes_and_no_more(client: APIClient, case: Case) -> None:
    for number in range(NOTES_PER_CASE):
        services.add_note(case, str(number))
    services.add_note(factories.case(case.workspace), "Of another case")
    response = client.post("/v1/notes", {"case_id": str(case.pk), "content": "a"})
    assert (response.status_code, response.json()["message"]) == (400, "A case has at most 25 notes.")


def test_the_notes_of_a_case_are_its_own_narrowed_and_sorted(client: APIClient, case: Case) -> None:
    write(client, factories.case(case.workspace), "Other")
    first, second = write(client, case, "First"), write(client, case, "Second")
    assert [note["id"] for note in notes(client, "?sort=created_at.desc")] == [second["id"], first["id"]]
    assert notes(client, "?created_at.lt=2020-01-01") == []
    assert client.get("/v1/cases/e-1/notes?content=a").status_code == 400
    assert client.get("/v1/cases/none/notes").json()["message"] == "No case can be found."


def test_many_notes_take_as_many_queries_as_one(
    client: APIClient, case: Case, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client.get("/v1/ping")  # notes the use of the key
    counts = []
    for _ in range(2):
        for _ in range(2):
            author = factories.user(case.workspace)
            services.add_comment(services.add_note(case, "Hello", author=author), "Yes", author=author)
        with django_assert_max_num_queries(7) as queries:
            notes(client)
        counts.append(len(queries))
    assert counts[0] == counts[1]
